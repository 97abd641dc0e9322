/**
 * Random damage to the shares of an immutable file, by servers or by its maker: a read never
 * crashes, hangs or gives a byte that is not the file's. `FUZZ_SEED` plays one run again.
 */
import { expect, test } from 'vitest';
import { concatBytes, viewOf } from '../../src/bytes.ts';
import {
  BadCiphertextHashError,
  NotEnoughSharesError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { type ChkFile, chkContents, encodeChk } from '../support/chk.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
const rounds = Number(process.env.FUZZ_ROUNDS ?? 150);

const files: readonly ChkFile[] = await Promise.all([
  encodeChk(chkContents(1), { required: 1, total: 4 }),
  encodeChk(chkContents(100)),
  encodeChk(chkContents(5000), { segmentSizeMax: 300 }),
  encodeChk(chkContents(5000), { segmentSizeMax: 300, layout: 2 }),
  encodeChk(chkContents(20_000), { required: 2, total: 7, segmentSizeMax: 4096 }),
  encodeChk(chkContents(9000), { required: 5, total: 8, segmentSizeMax: 5 }),
]);

/** Ways to damage a share. */
const damages: readonly ((prng: Prng, share: Uint8Array, others: ChkFile) => Uint8Array)[] = [
  (prng, share) => {
    const copy = share.slice();
    for (let i = prng.below(4); i >= 0; i--) copy[prng.below(copy.length)]! ^= 1 << prng.below(8);
    return copy;
  },
  (prng, share) => share.slice(0, prng.below(share.length)),
  (prng, share) => concatBytes(share, prng.bytes(prng.below(5000))),
  (prng, share) => {
    const copy = share.slice();
    const view = viewOf(copy);
    const at = 4 * prng.below(Math.min(17, Math.floor(copy.length / 4)));
    const value = prng.pick([0, 1, 36, 68, 2 ** 31, 2 ** 32 - 1, prng.below(copy.length)]);
    view.setUint32(at, value);
    return copy;
  },
  (prng, share) => {
    const copy = share.slice();
    const from = prng.below(copy.length);
    copy.fill(prng.pick([0, 255]), from, from + prng.below(copy.length - from));
    return copy;
  },
  (prng, share, { shares }) => {
    const other = prng.pick(shares);
    const cut = prng.below(Math.min(share.length, other.length));
    return concatBytes(share.subarray(0, cut), other.subarray(cut));
  },
  (prng, _, { shares }) => prng.pick(shares),
  (prng) => prng.bytes(prng.below(3000)),
];

/** A file whose maker cheats: hashes are right, blocks are of several files. */
function cheated(prng: Prng): Promise<ChkFile> {
  const [shnumFrom, every] = [prng.below(10), 1 + prng.below(4)];
  return encodeChk(chkContents(5000), {
    segmentSizeMax: 300,
    blockOf: (shnum, segnum, block) =>
      shnum >= shnumFrom && segnum % every === 0 ? block.slice().fill(shnum) : block,
    ueb: prng.chance(0.2) ? { [prng.pick(['size', 'num_segments', 'segment_size'])]: '7' } : {},
  });
}

/** What comes out of a read, and how it ended. */
async function outcomeOf(stream: ReadableStream<Uint8Array>) {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of stream) pieces.push(piece);
    return { bytes: concatBytes(...pieces), end: undefined };
  } catch (end) {
    return { bytes: concatBytes(...pieces), end };
  }
}

async function play(prng: Prng): Promise<void> {
  const isCheated = prng.chance(0.2);
  const file = isCheated ? await cheated(prng) : prng.pick(files);
  const spoilt = new Set<number>();
  const shares = file.shares.map((share, shnum) => {
    if (!prng.chance(prng.pick([0.2, 0.7]))) return share;
    spoilt.add(shnum);
    return prng.pick(damages)(prng, share, prng.pick(files));
  });
  const { file: opened, calls } = immutableGrid({ ...file, shares }, { count: 5 });
  const { size, required } = file.cap;
  const offset = prng.chance(0.5) ? 0 : prng.below(size);
  const wanted = chkContents(size).subarray(offset);
  const { bytes, end } = await outcomeOf(opened.stream({ offset }));
  // What is given is the file's, as far as it goes.
  expect(Buffer.compare(bytes, wanted.subarray(0, bytes.length))).toBe(0);
  expect(calls.length).toBeLessThan(4000);
  const isEnough = shares.length - spoilt.size >= required;
  if (end === undefined) expect(bytes.length).toBe(wanted.length);
  else if (isCheated) expect(end).toBeInstanceOf(Error);
  else expect(isEnough).toBe(false);
  const known = [UnrecoverableFileError, NotEnoughSharesError, BadCiphertextHashError];
  if (end !== undefined) expect(known).toContain((end as Error).constructor);
}

test(
  `${rounds} damaged files, FUZZ_SEED=${seed}`,
  async () => {
    for (let round = 0; round < rounds; round++) {
      await play(new Prng(seed + round)).catch((error) => {
        throw new Error(`FUZZ_SEED=${seed + round} FUZZ_ROUNDS=1: ${error.message}`, {
          cause: error,
        });
      });
    }
  },
  60_000 + 200 * rounds,
);
