/**
 * @module pem: a private key of the user's own, from a PEM file (Node only).
 *
 * Like Tahoe's `tahoe put --private-key-path`: the key is re-written as plain PKCS#8 DER, so that
 * it gives the same write cap from PKCS#1 and from PKCS#8, here and in Tahoe.
 */
import { createPrivateKey, type KeyObject, checkPrime as nodeCheckPrime } from 'node:crypto';
import { promisify } from 'node:util';
import { BadKeyError } from '../errors.ts';
import { requireText } from '../refusal.ts';
import { primitives } from './node.ts';
import type { SigningKey } from './primitives.ts';

const checkPrime = promisify<bigint, boolean>(nodeCheckPrime);
const PEM_LABEL = /-----BEGIN ([A-Z0-9 ]+)-----/;

/**
 * The key in an unencrypted PKCS#1 or PKCS#8 PEM text.
 * @throws BadKeyError unless it is an RSA key of 2048 bits and two primes, whose parts fit;
 * BadArgumentError for what is no text
 */
export async function signingKeyFromPem(text: string): Promise<SigningKey> {
  requireText('pem', text, 'the text of a PEM');
  const label = PEM_LABEL.exec(text)?.[1];
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: *4,ENCRYPTED/m.test(text)) {
    throw new BadKeyError('it is encrypted; remove the passphrase first');
  }
  if (label !== 'RSA PRIVATE KEY' && label !== 'PRIVATE KEY') {
    throw new BadKeyError('it is not a PKCS#1 or PKCS#8 PEM');
  }
  const key = keyObjectOf(text);
  const signing = await primitives.importSigningKey(key.export({ type: 'pkcs8', format: 'der' }));
  if (!(await belongsTogether(key))) throw new BadKeyError('its parts do not belong together');
  return signing;
}

function keyObjectOf(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new BadKeyError('the PEM is damaged');
  }
}

/**
 * OpenSSL reads a key without checking it, and signs even with one whose shortcuts (the primes, and
 * what is derived from them) are wrong, by doing without them; so does the OpenSSL in Tahoe. Such a
 * key is damaged, and others would refuse it; with the exponent 1 everybody could sign.
 */
async function belongsTogether(key: KeyObject): Promise<boolean> {
  const jwk = key.export({ format: 'jwk' });
  const of = (part: keyof JsonWebKey) =>
    BigInt(`0x0${Buffer.from(String(jwk[part]), 'base64url').toString('hex')}`);
  const [n, e, d, p, q] = [of('n'), of('e'), of('d'), of('p'), of('q')];
  if (p < 3n || q < 3n || p * q !== n || e < 3n || d >= n) return false;
  const fits =
    (d * e) % (p - 1n) === 1n &&
    (d * e) % (q - 1n) === 1n &&
    of('dp') === d % (p - 1n) &&
    of('dq') === d % (q - 1n) &&
    (of('qi') * q) % p === 1n;
  return fits && (await checkPrime(p)) && (await checkPrime(q));
}
