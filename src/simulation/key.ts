/**
 * @module key: the key of simulated files, the same everywhere: a seed, a schedule or a link is one
 * run on every machine, since root hashes, and with them which of two rivals is the newer, depend
 * on it. It is calculated from a sentence, so it is nobody's secret and protects nothing.
 */
import { primitives } from '#crypto';
import { bytesToHex, concatBytes, hexToBytes, utf8 } from '../bytes.ts';
import type { SigningKey } from '../crypto/primitives.ts';

const sentence = 'a key for simulated files, which protects nothing';
/** From what the sentence gives, how far it is to the next fitting prime. */
const [pDistance, qDistance] = [460n, 122n];
const e = 65537n;

let calculated: Promise<SigningKey> | undefined;

/** An RSA key of 2048 bits. */
export function simulationKey(): Promise<SigningKey> {
  calculated ??= calculate();
  return calculated;
}

async function calculate(): Promise<SigningKey> {
  const { subtle } = globalThis.crypto;
  const p = oddNumber('p') + pDistance;
  const q = oddNumber('q') + qDistance;
  const d = inverse(e, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const named = Object.entries(numbers).map(([name, number]) => [name, text(number)]);
  const jwk = { kty: 'RSA', ...Object.fromEntries(named) };
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-256' };
  const key = await subtle.importKey('jwk', jwk, algorithm, true, ['sign']);
  return primitives.importSigningKey(new Uint8Array(await subtle.exportKey('pkcs8', key)));
}

/** 1024 bits of which the first two and the last are set. */
function oddNumber(name: string): bigint {
  const digests = [0, 1, 2, 3].map((i) =>
    primitives
      .sha256()
      .update(utf8(`${sentence} ${name} ${i}`))
      .digest(),
  );
  return BigInt(`0x${bytesToHex(concatBytes(...digests))}`) | (3n << 1022n) | 1n;
}

/** Of `number`, modulo `modulus` (Euclid). */
function inverse(number: bigint, modulus: bigint): bigint {
  let [rest, next, factor, nextFactor] = [modulus, number, 0n, 1n];
  while (next > 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

/** As a JWK has it: the first byte first, in base64url without padding. */
function text(number: bigint): string {
  const hex = number.toString(16);
  const bytes = hexToBytes(hex.padStart(hex.length + (hex.length % 2), '0'));
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
