/**
 * @module pem: a private key of the user's own, from a PEM file (Node only).
 *
 * Like Tahoe's `tahoe put --private-key-path`: the key is re-written as plain PKCS#8 DER, so the
 * same key gives the same write cap in PKCS#1 and in PKCS#8 clothes, here and there.
 */
import { createPrivateKey } from 'node:crypto';
import { utf8 } from '../bytes.ts';
import { BadKeyError } from '../errors.ts';
import { primitives } from './node.ts';
import type { SigningKey } from './primitives.ts';

const PEM_LABEL = /-----BEGIN ([A-Z0-9 ]+)-----/;

/**
 * The key in an unencrypted PKCS#1 or PKCS#8 PEM text.
 * @throws BadKeyError unless it is an RSA key of 2048 bits whose parts belong together
 */
export async function signingKeyFromPem(text: string): Promise<SigningKey> {
  const label = PEM_LABEL.exec(text)?.[1];
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: *4,ENCRYPTED/m.test(text)) {
    throw new BadKeyError('it is encrypted; remove the passphrase first');
  }
  if (label !== 'RSA PRIVATE KEY' && label !== 'PRIVATE KEY') {
    throw new BadKeyError('it is not a PKCS#1 or PKCS#8 PEM');
  }
  const key = await primitives.importSigningKey(pkcs8Of(text));
  if (!(await belongsTogether(key))) throw new BadKeyError('its parts do not belong together');
  return key;
}

function pkcs8Of(text: string): Uint8Array {
  try {
    return createPrivateKey(text).export({ type: 'pkcs8', format: 'der' });
  } catch {
    throw new BadKeyError('the PEM is damaged');
  }
}

/** OpenSSL reads a key without checking it; a file signed by a broken one would be unreadable. */
async function belongsTogether(key: SigningKey): Promise<boolean> {
  const message = utf8('tahoe-mutable');
  const publicKey = await primitives.importVerifyingKey(key.spki);
  return key.sign(message).then(
    (signature) => publicKey.verify(message, signature),
    () => false,
  );
}
