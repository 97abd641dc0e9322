/**
 * @module immutable-decode: blocks of one segment of an immutable file back to its plaintext. The
 * whole file is encrypted as one stream, so a segment begins anywhere in it.
 */
import { primitives } from '#crypto';
import type { Bytes } from '../bytes.ts';
import type { Primitives } from '../crypto/primitives.ts';
import { crypttextOf } from '../share/decode.ts';
import { segmentLength } from '../share/geometry.ts';
import type { CrypttextChecks } from './crypttext.ts';
import type { ChkVersion } from './ueb.ts';

/** Bytes of one block of AES. */
const cipherBlock = 16;

/**
 * The plaintext of one segment, from accepted blocks of k or more shares, keyed by shnum.
 * @param key 16 bytes, from the cap
 * @param checks must have been led to the segment
 * @param plaintext where it is put, of its length; new memory by default
 * @throws BadCiphertextHashError when it is not the segment that was encoded
 * @throws OutOfRangeError when there are too few blocks, or of other lengths or shnums than can be
 */
export async function decodeChkSegment(
  version: ChkVersion,
  key: Uint8Array,
  segnum: number,
  blocks: ReadonlyMap<number, Uint8Array>,
  checks: CrypttextChecks,
  { aesCtrInto }: Pick<Primitives, 'aesCtrInto'> = primitives,
  plaintext: Bytes = new Uint8Array(segmentLength(version, segnum)),
): Promise<Bytes> {
  const { pieces, places } = await crypttextOf(version, segnum, blocks, plaintext);
  await checks.check(segnum, pieces);
  const start = segnum * version.segmentSize;
  const skipped = new Uint8Array(start % cipherBlock);
  const counter = (start - skipped.length) / cipherBlock;
  const dropped = new Uint8Array(skipped.length);
  await aesCtrInto(key, [skipped, ...pieces], [dropped, ...places], counter);
  return plaintext;
}
