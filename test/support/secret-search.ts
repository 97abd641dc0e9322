/**
 * @module secret-search: looks for secrets in whatever a program says, in every spelling.
 */
import { inspect } from 'node:util';
import { bytesToHex, toBase32, utf8 } from '../../src/bytes.ts';

/** A secret as text, in every encoding. */
export function textsOf(secret: Uint8Array): string[] {
  const buffer = Buffer.from(secret);
  return [
    buffer.toString('latin1'),
    buffer.toString('base64').replace(/=+$/, ''),
    buffer.toString('base64url'),
    bytesToHex(secret),
    toBase32(secret),
  ];
}

/** A secret in every spelling that somebody might look for, also as bytes of a longer dump. */
export function spellings(secret: Uint8Array): string[] {
  const texts = textsOf(secret);
  const dumps = [secret, ...texts.map(utf8)].flatMap((bytes) => [
    bytes.join(','),
    bytes.join(', '),
    bytesToHex(bytes),
    bytesToHex(bytes).match(/../g)!.join(' '),
  ]);
  return [...texts, ...dumps];
}

/** The spellings of any of `secrets` that are in `text`. */
export function leaksIn(text: string, secrets: readonly Uint8Array[]): string[] {
  // Inspection folds long arrays over lines.
  const unfolded = text.replace(/\s+/g, ' ');
  return secrets
    .flatMap(spellings)
    .filter((spelling) => text.includes(spelling) || unfolded.includes(spelling));
}

/** All that anybody could get to see of a value by printing it. */
export function shown(value: unknown): string {
  const options = { depth: Infinity, maxArrayLength: null, maxStringLength: null };
  return [
    inspect(value, { ...options, showHidden: true }),
    inspect(value, { ...options, compact: true, breakLength: Infinity }),
    JSON.stringify(value),
    String(value),
    value instanceof Error ? `${value.stack}${JSON.stringify(value.cause)}` : '',
  ].join('\n');
}
