/**
 * @module files: how long files of three kinds take to create, read, update and overwrite, on fresh
 * grids of 13 servers in folders and in memory, 3-of-10. `npm run bench`.
 *
 * Every case runs in a process of its own, so that its peak of memory is its own. Times are
 * medians; they mean little on another machine, so each comes with its ratio to the SHA-256, in the
 * same process, of as many share bytes as the operation has to hash. Keys are made beforehand.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { primitives } from '#crypto';
import type { SigningKey } from '../src/crypto/primitives.ts';
import { Grid } from '../src/grid.ts';
import type { MutableFile } from '../src/mutable-file.ts';
import { DirectoryServer } from '../src/storage/directory.ts';
import { MemoryServer } from '../src/storage/memory.ts';
import type { StorageServer } from '../src/storage/server.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

interface Case {
  readonly name: string;
  readonly format: 'sdmf' | 'mdmf';
  readonly size: number;
  readonly runs: number;
}

const cases: readonly Case[] = [
  { name: '2 KiB SDMF', format: 'sdmf', size: 2 * KiB, runs: 15 },
  { name: '1 MiB SDMF', format: 'sdmf', size: MiB, runs: 7 },
  { name: '20 MiB MDMF', format: 'mdmf', size: 20 * MiB, runs: 3 },
];
const backends = ['directory', 'memory'] as const;
type Backend = (typeof backends)[number];

const expansion = 10 / 3;
const segmentSize = 131_073;
/** What an update changes, in the middle of the file. */
const patchSize = KiB;

const operations = {
  create: { hashed: (size: number) => size * expansion },
  read: { hashed: (size: number) => size },
  /** In place it is one segment; SDMF has but one. */
  update: { hashed: (size: number) => Math.min(size, segmentSize) * expansion },
  overwrite: { hashed: (size: number) => size * expansion },
} as const;
type Operation = keyof typeof operations;

interface Timing {
  readonly operation: Operation;
  readonly ms: number;
  /** SHA-256 of what has to be hashed, in milliseconds. */
  readonly rooflineMs: number;
}

interface Report {
  readonly timings: readonly Timing[];
  readonly peakMiB: number;
}

async function newServers(backend: Backend, folder: string): Promise<StorageServer[]> {
  return Promise.all(
    Array.from({ length: 13 }, async (_, i) => {
      const id = `s${i}`;
      if (backend === 'memory') return new MemoryServer({ id });
      const directory = join(folder, id);
      await mkdir(directory, { recursive: true });
      const seed = new Uint8Array(32).fill(i);
      const tubId = new Uint8Array(20).fill(i);
      return new DirectoryServer({ id, nickname: id, tubId, permutationSeed: seed, directory });
    }),
  );
}

/** One run of all four operations on a fresh grid; each times what it adds to `times`. */
async function runOnce(
  { format, size }: Case,
  backend: Backend,
  key: SigningKey,
  note: (operation: Operation, ms: number) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-bench-'));
  const timed = async <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const result = await work();
    note(operation, performance.now() - startedAt);
    return result;
  };
  try {
    const servers = await newServers(backend, folder);
    const contents = primitives.randomBytes(size);
    const { writeCap } = await timed('create', () =>
      new Grid({ servers }).create({ format, contents, key }),
    );
    // As another client: nothing is remembered.
    const open = (): MutableFile => new Grid({ servers }).open(writeCap);
    await timed('read', () => open().read());
    const patch = primitives.randomBytes(Math.min(patchSize, size));
    await timed('update', () => open().update(patch, Math.floor((size - patch.length) / 2)));
    await timed('overwrite', () => open().overwrite(contents));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(c: Case, backend: Backend): Promise<Report> {
  const key = await primitives.generateKey();
  const times = new Map<Operation, number[]>();
  const note = (operation: Operation, ms: number) => {
    times.set(operation, [...(times.get(operation) ?? []), ms]);
  };
  // The first one warms up and does not count.
  for (let run = 0; run <= c.runs; run++)
    await runOnce(c, backend, key, run === 0 ? () => {} : note);
  const peakMiB = process.resourceUsage().maxRSS / KiB;
  const timings = [...times].map(([operation, ms]) => {
    const rooflineMs = hashingTime(operations[operation].hashed(c.size));
    return { operation, ms: median(ms), rooflineMs };
  });
  return { timings, peakMiB };
}

/** Milliseconds that SHA-256 takes for so many bytes, a segment at a time. */
function hashingTime(length: number): number {
  const bytes = primitives.randomBytes(Math.min(segmentSize, Math.ceil(length)));
  const samples = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    for (let left = length; left > 0; left -= bytes.length) {
      primitives
        .sha256()
        .update(bytes.subarray(0, Math.min(left, bytes.length)))
        .digest();
    }
    return performance.now() - startedAt;
  });
  return median(samples);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The report of one case, from a process of its own. */
function measureApart(index: number, backend: Backend): Report {
  const self = fileURLToPath(import.meta.url);
  const { status, stdout } = spawnSync(process.execPath, [self, String(index), backend], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${cases[index]?.name} ended with ${status}`);
  return JSON.parse(stdout) as Report;
}

function print(columns: readonly (string | number)[]): void {
  const widths = [12, 10, 10, 10, 10, 16, 10];
  const cells = columns.map((cell, i) => {
    const text = typeof cell === 'number' ? cell.toFixed(cell < 10 ? 2 : 0) : cell;
    return i < 3 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0);
  });
  console.log(cells.join(' ').trimEnd());
}

const [index, backend] = process.argv.slice(2);
const one = cases[Number(index)];
if (index !== undefined && one !== undefined) {
  console.log(JSON.stringify(await measure(one, backend as Backend)));
} else {
  print(['file', 'servers', 'operation', 'ms', 'MB/s', 'SHA-256 alone ×', 'peak MiB']);
  for (const [i, { name, size }] of cases.entries()) {
    for (const where of backends) {
      const { timings, peakMiB } = measureApart(i, where);
      for (const { operation, ms, rooflineMs } of timings) {
        // Of an update it would say nothing: it is a small change to a large file.
        const rate = operation === 'update' ? '' : size / 1000 / ms;
        print([name, where, operation, ms, rate, ms / rooflineMs, peakMiB]);
      }
    }
  }
}
