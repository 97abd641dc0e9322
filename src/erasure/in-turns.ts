/**
 * @module in-turns: coding of blocks of any length, slice by slice, while others have their turn.
 *
 * Byte t of what is made depends on byte t of what is given, and on nothing else.
 */
import { bytesPerWork, Stint } from '../turn.ts';
import { type Codec, roomFor } from './codec.ts';

/** Bytes of a block that are coded at a stretch. */
const sliceLength = 2 ** 16;

/** What {@link Codec.decode} gives of blocks of `length` bytes. */
export async function decodeInTurns(
  codec: Codec,
  blocks: ReadonlyMap<number, Uint8Array>,
  length: number,
  targets = roomFor(blocks, [...Array(codec.required).keys()], codec.required),
): Promise<readonly Uint8Array[]> {
  await bySlices(length, targets.length, (slice) => {
    const slices = [...blocks].map(([shnum, block]) => [shnum, slice(block)] as const);
    codec.decode(new Map(slices), targets.map(slice));
  });
  return targets;
}

/** What {@link Codec.encode} gives of blocks of `length` bytes. */
export async function encodeInTurns(
  codec: Codec,
  blocks: readonly Uint8Array[],
  shnums: readonly number[],
  length: number,
  targets = roomFor(new Map(blocks.entries()), shnums, codec.required),
): Promise<readonly Uint8Array[]> {
  await bySlices(length, targets.length, (slice) => {
    codec.encode(blocks.map(slice), shnums, targets.map(slice));
  });
  return targets;
}

/** @param code one slice of each block: what `slice` gives of it */
async function bySlices(
  length: number,
  count: number,
  code: (slice: (block: Uint8Array) => Uint8Array) => void,
): Promise<void> {
  const stint = new Stint();
  let start = 0;
  do {
    const end = Math.min(length, start + sliceLength);
    code((block) => (end - start === length ? block : block.subarray(start, end)));
    await stint.spend((count * (end - start)) / bytesPerWork);
    start = end;
  } while (start < length);
}
