/**
 * Random damage to the shares of an immutable file, by servers or by its maker: a read never
 * crashes, hangs or gives a byte that is not the file's, and a look never calls one good that is
 * not. `FUZZ_SEED` plays a run again, `FUZZ_ROUNDS` files and `SHARES` shares are more of them.
 */
import { equal, ok } from 'node:assert/strict';
import { expect, test } from 'vitest';
import { concatBytes, viewOf } from '../../src/bytes.ts';
import {
  BadCiphertextHashError,
  NotEnoughSharesError,
  UnrecoverableFileError,
} from '../../src/errors.ts';
import { CrypttextChecks } from '../../src/immutable/crypttext.ts';
import { ChkReader } from '../../src/immutable/reader.ts';
import { BlockChecks } from '../../src/runtime/block-checks.ts';
import { isCorruption } from '../../src/runtime/failure.ts';
import { requestLengthMax } from '../../src/share/limits.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { type ChkFile, chkContents, encodeChk } from '../support/chk.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
const rounds = Number(process.env.FUZZ_ROUNDS ?? 25);
const shares = Number(process.env.SHARES ?? 1500);
/** Shares that share a budget, of the processor: ten times what they take. */
const [batch, budgetMs] = [50, 500];
/** Of any share: first bytes, URI extension, blocks, three of hashes, and pages of large trees. */
const readsMax = 8;

const files: readonly ChkFile[] = await Promise.all([
  encodeChk(chkContents(1), { required: 1, total: 4 }),
  encodeChk(chkContents(100)),
  encodeChk(chkContents(5000), { segmentSizeMax: 300 }),
  encodeChk(chkContents(5000), { segmentSizeMax: 300, layout: 2 }),
  encodeChk(chkContents(20_000), { required: 2, total: 7, segmentSizeMax: 4096 }),
  encodeChk(chkContents(500), { required: 5, total: 8, segmentSizeMax: 5 }),
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
  if (isCheated) return;
  const { good } = await opened.verify();
  const found = new Set(good.map(({ shnum }) => shnum));
  for (const [shnum, share] of shares.entries()) {
    if (!spoilt.has(shnum)) expect([shnum, found.has(shnum)]).toEqual([shnum, true]);
    else if (found.has(shnum))
      expect(dataOf(share, file)).toEqual(dataOf(file.shares[shnum]!, file));
  }
}

/** The blocks of a share. */
function dataOf(share: Uint8Array, { cap: { size, required } }: ChkFile): Uint8Array {
  const start = share[3] === 1 ? 36 : 68;
  return share.subarray(start, start + Math.ceil(size / required));
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

interface Judged {
  readonly file: ChkFile;
  readonly shnum: number;
  readonly share: Uint8Array;
}

/** Reads all of one share as a look does: every hash and block, each led to the hash in the cap. */
async function judge({ file, shnum, share }: Judged): Promise<void> {
  const { cap, segmentSize } = file;
  let reads = 0;
  const reader = new ChkReader(cap, async ({ offset, length }) => {
    reads++;
    ok(length <= requestLengthMax, 'asks for more than it may at once');
    return share.slice(offset, offset + length);
  });
  const taken: Uint8Array[] = [];
  try {
    const header = await reader.header();
    const { segmentCount } = header;
    const checks = new BlockChecks(header, 'read');
    const run = { server: 's', shnum, firstSegment: 0, segmentCount, ahead: [] };
    const input = { ...run, version: undefined as never };
    const fetched = () => reader.blocks(0, segmentCount);
    for (const { block } of await checks.checkedEntries(reader, input, fetched)) taken.push(block);
    await new CrypttextChecks(header, 'verify').lead(reader, 's', 0, segmentCount);
  } catch (error) {
    ok(isCorruption(error), `ends with ${error}`);
  }
  ok(reads <= readsMax, `${reads} reads`);
  if (taken.length === 0) return;
  // What it is taken for is what it is: the very blocks of this share.
  const blocks = concatBytes(...taken);
  equal(taken.length, Math.ceil(cap.size / segmentSize));
  equal(Buffer.compare(blocks, dataOf(file.shares[shnum]!, file)), 0);
}

test(
  `${shares} damaged shares, FUZZ_SEED=${seed}`,
  async () => {
    let start = process.cpuUsage();
    for (let i = 0; i < shares; i++) {
      const prng = new Prng(seed + i);
      const file = prng.pick(files);
      const shnum = prng.below(file.shares.length);
      const share = prng.pick(damages)(prng, file.shares[shnum]!, prng.pick(files));
      try {
        await judge({ file, shnum, share });
        if (i % batch < batch - 1) continue;
        ok(process.cpuUsage(start).user < budgetMs * 1000, `the last ${batch} took too long`);
        start = process.cpuUsage();
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${seed + i} SHARES=1: ${(cause as Error).message}`, { cause });
      }
    }
  },
  60_000 + 20 * shares,
);
