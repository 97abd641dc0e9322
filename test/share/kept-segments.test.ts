import { describe, expect, test } from 'vitest';
import type { Along } from '../../src/share/encode.ts';
import { KeptSegments, segmentsKept } from '../../src/share/kept-segments.ts';
import { Lockstep } from '../../src/share/lockstep.ts';
import { type Plaintext, plaintextOf } from '../../src/share/plaintext.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { nextTurn } from '../../src/turn.ts';
import { expectBytes } from '../support/client-grid.ts';
import { encode, goldenBytes, shareBytes } from '../support/shares.ts';

/** 2-of-20, so that no more than three segments are kept in step. */
const encoding = { format: 'mdmf', required: 2, total: 20 } as const;
const segmentCount = 16;
const contents = goldenBytes(segmentCount * 131072 - 5);
const reference = encode(encoding, contents);
const expected = Promise.all([0, 1, 2, 3].map(async (n) => shareBytes(await reference, n)));

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}

/**
 * Writes four shares along with the first pass. A writer takes `pauseOf` turns over each part, and
 * looks at its bytes only then.
 * @param waitTurns how long the pass waits for those who are behind
 */
async function written(pauseOf: (shnum: number) => number, waitTurns: number) {
  const segmentsRead: number[] = [];
  const source = plaintextOf(contents);
  const plaintext: Plaintext = {
    size: source.size,
    read(offset, length) {
      segmentsRead.push(offset / 131072);
      return source.read(offset, length);
    },
  };
  let now = 0;
  const wait = async (ms: number, sooner: Promise<unknown>) => {
    const timedOut = turns(waitTurns).then(() => true);
    if (await Promise.race([sooner.then(() => false), timedOut])) now += ms;
  };
  const writers: Promise<Uint8Array>[] = [];
  const memory = new Set<ArrayBufferLike>();
  const along: Along = {
    patience: { now: () => now, wait },
    begin(version, lockstep) {
      for (const shnum of [0, 1, 2, 3]) {
        const { entry, leave } = lockstep.join();
        const write = async () => {
          const share = new Uint8Array(version.shareLength);
          for (const part of version.shareParts(shnum, entry)) {
            const bytes = await part.bytes();
            await turns(pauseOf(shnum));
            share.set(bytes, part.offset);
            if (part.length > 65_000) memory.add(bytes.buffer);
          }
          leave();
          return share;
        };
        writers.push(write());
      }
    },
  };
  await encode({ ...encoding, plaintext, along }, contents);
  const shares = await Promise.all(writers);
  return { shares, segmentsRead, rooms: memory.size };
}

const inOrder = Array.from({ length: segmentCount }, (_, i) => i);

describe('writers who go along', () => {
  test('share the memory of three segments, and each is made once', async () => {
    const { shares, segmentsRead, rooms } = await written(() => 0, 1000);
    for (const [n, share] of (await expected).entries())
      expectBytes(shares[n] as Uint8Array, share);
    expect([segmentsRead, rooms]).toEqual([inOrder, 3]);
  });

  test('and of which one is slow, make nothing twice either, as long as it is waited for', async () => {
    const { shares, segmentsRead, rooms } = await written((n) => (n === 2 ? 9 : 0), 1000);
    for (const [n, share] of (await expected).entries())
      expectBytes(shares[n] as Uint8Array, share);
    expect([segmentsRead, rooms]).toEqual([inOrder, 3]);
  });

  test.each(Array.from({ length: 6 }, (_, i) => 1 + i))(
    'keep what they have in hand, also left behind (seed %d)',
    async (seed) => {
      const prng = new Prng(seed);
      const slow = prng.below(4);
      const pauseOf = (n: number) => (n === slow && prng.chance(0.5) ? 60 : prng.below(6));
      const { shares, segmentsRead } = await written(pauseOf, 3);
      for (const [n, share] of (await expected).entries())
        expectBytes(shares[n] as Uint8Array, share);
      expect(segmentsRead.length).toBeGreaterThan(segmentCount);
    },
  );
});

test('what is kept at the end is given back, however much was made for one left behind', async () => {
  const made: Uint8Array[] = [];
  const room = () => {
    made.push(new Uint8Array(10_000));
    return made.at(-1) as Uint8Array;
  };
  const window = 8;
  const lockstep = new Lockstep(window, { now: () => 0, wait: async () => {} });
  const kept = new KeptSegments({ room, encode: async (_, given) => [given] }, 40, lockstep);
  for (let index = 0; index < 40; index++) await kept.next(index);
  for (let index = 0; index < 20; index++) await kept.of(index);
  expect(made.length).toBe(window + 20);
  kept.letGo();
  const given = made.map(({ length }) => length === 0);
  const isKept = (i: number) => i < window || i >= made.length - segmentsKept;
  expect(given).toEqual(made.map((_, i) => isKept(i)));
});
