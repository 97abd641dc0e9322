/**
 * @module in-turns: coding of blocks of any length, slice by slice, while others have their turn.
 *
 * Byte t of what is made depends on byte t of what is given, and on nothing else.
 */
import { bytesPerWork, Stint } from '../turn.ts';
import type { Codec } from './codec.ts';

/** Bytes of a block that are coded at a stretch. */
const sliceLength = 2 ** 16;

/** What {@link Codec.decode} gives of blocks of `length` bytes, one behind the other. */
export async function decodeInTurns(
  codec: Codec,
  blocks: ReadonlyMap<number, Uint8Array>,
  length: number,
): Promise<Uint8Array> {
  let joined = new Uint8Array(0);
  await bySlices(length, (start, end) => {
    const slices = [...blocks].map(([n, block]) => [n, block.subarray(start, end)] as const);
    const primaries = codec.decode(new Map(slices));
    if (start === 0) joined = new Uint8Array(primaries.length * length);
    primaries.forEach((slice, i) => {
      joined.set(slice, i * length + start);
    });
    return primaries.length;
  });
  return joined;
}

/** What {@link Codec.encode} gives of blocks of `length` bytes. */
export async function encodeInTurns(
  codec: Codec,
  blocks: readonly Uint8Array[],
  shnums: readonly number[],
  length: number,
): Promise<readonly Uint8Array[]> {
  if (length <= sliceLength) return codec.encode(blocks, shnums);
  const made = shnums.map((shnum) => blocks[shnum] ?? new Uint8Array(length));
  await bySlices(length, (start, end) => {
    const slices = blocks.map((block) => block.subarray(start, end));
    codec.encode(slices, shnums).forEach((slice, i) => {
      // A primary block is itself.
      if (blocks[shnums[i] as number] === undefined) made[i]?.set(slice, start);
    });
    return shnums.length;
  });
  return made;
}

/** @param code one slice; gives how many blocks it came to */
async function bySlices(
  length: number,
  code: (start: number, end: number) => number,
): Promise<void> {
  const stint = new Stint();
  let start = 0;
  do {
    const end = Math.min(length, start + sliceLength);
    const blocks = code(start, end);
    await stint.spend((blocks * (end - start)) / bytesPerWork);
    start = end;
  } while (start < length);
}
