/**
 * New key pairs, as DER (PKCS#8 and SPKI).
 *
 * Never as key objects: those share a lock with the job that made them, and Node 20 waits for it
 * for ever when the garbage collector frees the job while one of them is exported.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

const privateKeyEncoding = { type: 'pkcs8', format: 'der' } as const;
const publicKeyEncoding = { type: 'spki', format: 'der' } as const;

export const newKeys = {
  rsa: (modulusLength: number, publicExponent = 65537) =>
    generateKeyPairSync('rsa', {
      modulusLength,
      publicExponent,
      privateKeyEncoding,
      publicKeyEncoding,
    }),
  rsaPss: (modulusLength: number) =>
    generateKeyPairSync('rsa-pss', { modulusLength, privateKeyEncoding, publicKeyEncoding }),
  ec: () =>
    generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding, publicKeyEncoding }),
  ed25519: () => generateKeyPairSync('ed25519', { privateKeyEncoding, publicKeyEncoding }),
};

/** The private key in a PKCS#8 DER. */
export const keyFromDer = (pkcs8: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
