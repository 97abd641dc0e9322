/**
 * @module decode: blocks of one segment back to plaintext (docs/format.md §4.2).
 */
import { primitives } from '#crypto';
import { deriveDataKey } from '../crypto/keys.ts';
import type { Primitives } from '../crypto/primitives.ts';
import { createCodec } from '../erasure/codec.ts';
import { decodeInTurns } from '../erasure/in-turns.ts';
import { OutOfRangeError } from '../errors.ts';
import { blockLength, segmentLength } from './geometry.ts';
import type { ShareHeader } from './header.ts';

/**
 * The plaintext of one segment, from accepted blocks of k or more shares, keyed by shnum.
 * @param salt of the segment (MDMF); SDMF takes the header's
 * @throws OutOfRangeError when there are too few blocks, or of other lengths or shnums than can be
 */
export async function decodeSegment(
  header: ShareHeader,
  readkey: Uint8Array,
  segnum: number,
  blocks: ReadonlyMap<number, Uint8Array>,
  salt: Uint8Array | undefined = header.salt,
  { aesCtr }: Pick<Primitives, 'aesCtr'> = primitives,
): Promise<Uint8Array> {
  const length = blockLength(header, segnum);
  for (const block of blocks.values()) {
    if (block.length === length) continue;
    throw new OutOfRangeError('block length', block.length, `segment ${segnum} has ${length}`);
  }
  if (salt === undefined)
    throw new OutOfRangeError('salt length', 0, 'MDMF has a salt per segment');
  const padded = await decodeInTurns(createCodec(header.required, header.total), blocks, length);
  const ciphertext = padded.subarray(0, segmentLength(header, segnum));
  return aesCtr(deriveDataKey(salt, readkey), ciphertext);
}
