/**
 * @module codec: erasure coding against zfec: whole calls with their copies, on segments of 128 KiB,
 * in turns with the other process. Decoding is from check blocks only, the worst case. Ours are put
 * into memory that is there, as a publish does; zfec's is in its allocator's hands at once again.
 */
import { primitives } from '#crypto';
import { segmentSizeOf } from '../../machines/limits.ts';
import { createCodec } from '../../src/erasure/codec.ts';
import { type Row, rate } from '../figure.ts';
import { MiB } from '../sizes.ts';
import { inPairs, median } from '../statistics.ts';
import { cpuMs } from '../usage.ts';
import { type Code, startZfec } from './zfec.ts';

const codes: readonly Code[] = [
  { required: 3, total: 10 },
  { required: 1, total: 4 },
  { required: 7, total: 10 },
  { required: 20, total: 80 },
];

export async function codec(quick: boolean): Promise<readonly Row[]> {
  const zfec = startZfec();
  if (zfec === undefined) console.error('codec: no zfec here (apt-get install python3-zfec)');
  const naming = { unit: 'MB/s', against: zfec?.name ?? 'no zfec here' };
  const pairs = quick ? 5 : 11;
  const seconds = quick ? 0.1 : 0.25;
  const rows: Row[] = [];
  // All of them first: what the first row would be charged with is the compiling of the code.
  for (const code of codes) {
    const length = segmentSizeOf('mdmf', code.required, MiB);
    for (const kind of ['encode', 'decode'] as const)
      speedOf(callOf(kind, code, length), length, 0.3);
  }
  for (const code of codes) {
    const length = segmentSizeOf('mdmf', code.required, MiB);
    for (const kind of ['encode', 'decode'] as const) {
      const call = callOf(kind, code, length);
      const { a, b } = await inPairs(
        pairs,
        () => speedOf(call, length, seconds),
        async () => (await zfec?.speed(kind, code, length, seconds)) ?? 0,
      );
      const figure = `${kind} ${code.required}-of-${code.total}`;
      rows.push(rate(figure, median(a), zfec === undefined ? null : median(b), naming));
    }
  }
  zfec?.close();
  return rows;
}

function callOf(kind: 'encode' | 'decode', { required, total }: Code, length: number): () => void {
  const codec = createCodec(required, total);
  const blocks = Array.from({ length: required }, () => primitives.randomBytes(length / required));
  const all = Array.from({ length: total }, (_, shnum) => shnum);
  if (kind === 'encode') {
    const places = all.map((shnum) => blocks[shnum] ?? new Uint8Array(length / required));
    return () => codec.encode(blocks, all, places);
  }
  const last = codec.encode(blocks, all).map((block, shnum) => [shnum, block] as const);
  const held = new Map(last.slice(-required));
  const places = blocks.map((block) => new Uint8Array(block.length));
  return () => codec.decode(held, places);
}

/** Megabytes of text per second of CPU. */
function speedOf(call: () => void, length: number, seconds: number): number {
  const startedAt = cpuMs();
  let calls = 0;
  let spent = 0;
  for (; spent < seconds * 1000; spent = cpuMs() - startedAt) {
    call();
    calls += 1;
  }
  return (calls * length) / 1000 / spent;
}
