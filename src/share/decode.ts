/**
 * @module decode: blocks of one segment back to plaintext (docs/format.md §4.2).
 */
import { primitives } from '#crypto';
import type { Bytes } from '../bytes.ts';
import { deriveDataKey } from '../crypto/keys.ts';
import type { Primitives } from '../crypto/primitives.ts';
import { createCodec } from '../erasure/codec.ts';
import { decodeInTurns } from '../erasure/in-turns.ts';
import { OutOfRangeError } from '../errors.ts';
import { blockLength, type Geometry, segmentLength } from './geometry.ts';
import type { ShareHeader } from './header.ts';

/**
 * The plaintext of one segment, from accepted blocks of k or more shares, keyed by shnum.
 * @param salt of the segment (MDMF); SDMF takes the header's
 * @param plaintext where it is put, of its length; new memory by default
 * @throws OutOfRangeError when there are too few blocks, or of other lengths or shnums than can be
 */
export async function decodeSegment(
  header: ShareHeader,
  readkey: Uint8Array,
  segnum: number,
  blocks: ReadonlyMap<number, Uint8Array>,
  salt: Uint8Array | undefined = header.salt,
  { aesCtrInto }: Pick<Primitives, 'aesCtrInto'> = primitives,
  plaintext: Bytes = new Uint8Array(segmentLength(header, segnum)),
): Promise<Bytes> {
  if (salt === undefined)
    throw new OutOfRangeError('salt length', 0, 'MDMF has a salt per segment');
  const { pieces, places } = await crypttextOf(header, segnum, blocks, plaintext);
  await aesCtrInto(deriveDataKey(salt, readkey), pieces, places);
  return plaintext;
}

/**
 * A segment as it was encrypted, in pieces, and where in `plaintext` each of them belongs.
 * @throws OutOfRangeError as {@link decodeSegment}
 */
export async function crypttextOf(
  header: Geometry & { readonly total: number },
  segnum: number,
  blocks: ReadonlyMap<number, Uint8Array>,
  plaintext: Uint8Array,
): Promise<{ readonly pieces: readonly Uint8Array[]; readonly places: readonly Uint8Array[] }> {
  const length = blockLength(header, segnum);
  for (const block of blocks.values()) {
    if (block.length === length) continue;
    throw new OutOfRangeError('block length', block.length, `segment ${segnum} has ${length}`);
  }
  const codec = createCodec(header.required, header.total);
  const crypttext = await decodeInTurns(codec, blocks, length);
  const places = crypttext.map((_, i) => plaintext.subarray(i * length, (i + 1) * length));
  // What fills up the last block is not encrypted.
  const pieces = crypttext.map((piece, i) => piece.subarray(0, places[i]?.length));
  return { pieces, places };
}
