/**
 * @module keys: RSA keys for new files, made while nothing is measured: the same sort for both clients,
 * since finding one takes either of them longer than all the rest of a small file.
 */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/** So many, as PKCS#8 DER. A key is a file: each is for one. */
export async function newKeys(count: number): Promise<readonly Uint8Array[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const { privateKey } = await generate('rsa', {
        modulusLength: 2048,
        publicKeyEncoding: { type: 'spki', format: 'der' },
        privateKeyEncoding: { type: 'pkcs8', format: 'der' },
      });
      return new Uint8Array(privateKey);
    }),
  );
}
