/**
 * @module operations: what files of three sizes cost to create, read, overwrite and change in place, on
 * 13 servers in memory and in folders, 3-of-10.
 *
 * CPU time, held against SHA-256 alone of as many share bytes as the operation has to hash. Keys are
 * made beforehand. Each file is opened as by another client, which remembers nothing.
 */
import { primitives } from '#crypto';
import { Grid } from '../../src/grid.ts';
import { cost, type Row } from '../figure.ts';
import { huge, medium, patchLength, type Subject, small } from '../sizes.ts';
import { median } from '../statistics.ts';
import { cpuMs, spentBy } from '../usage.ts';
import { type Backend, onServers } from './servers.ts';

const segmentSize = 131_073;
const expansion = 10 / 3;

type Operation = 'create' | 'read' | 'overwrite' | 'in place';

/** Bytes of shares that have to be hashed; what a change in place touches is one segment. */
function hashedBy(operation: Operation, size: number): number {
  if (operation === 'read') return size;
  return expansion * (operation === 'in place' ? Math.min(size, segmentSize) : size);
}

export async function operations(backend: Backend, quick: boolean): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [subject, runs] of [
    [small, quick ? 15 : 40],
    [medium, quick ? 7 : 15],
    [huge, quick ? 1 : 3],
  ] as const) {
    const times = new Map<Operation, number[]>();
    // The first one compiles the code; of a large file there is enough to do for that anyway.
    const first = subject === huge ? 0 : -1;
    for (let run = first; run < runs; run++) {
      await runOnce(subject, backend, (operation, ms) => {
        if (run >= 0) times.set(operation, [...(times.get(operation) ?? []), ms]);
      });
    }
    for (const [operation, ms] of times) {
      const bound = hashingMs(hashedBy(operation, subject.size));
      const naming = { unit: 'ms CPU', against: 'SHA-256 of what has to be hashed' };
      rows.push(cost(`${operation} ${subject.name}, ${backend}`, median(ms), bound, naming));
    }
  }
  return rows;
}

/** One run of all operations on a fresh grid. */
async function runOnce(
  { format, size }: Subject,
  backend: Backend,
  note: (operation: Operation, ms: number) => void,
): Promise<void> {
  const key = await primitives.generateKey();
  await onServers(backend, async (servers) => {
    const contents = primitives.randomBytes(size);
    const newGrid = () => new Grid({ servers });
    let writeCap = '';
    const open = () => newGrid().open(writeCap);
    const timed = async (operation: Operation, work: () => Promise<unknown>) =>
      note(operation, (await spentBy(work)).cpuMs);
    await timed('create', async () => {
      ({ writeCap } = await newGrid().create({ format, contents, key, isNewKey: true }));
    });
    await timed('read', () => open().read());
    await timed('overwrite', () => open().overwrite(contents));
    if (format === 'sdmf') return;
    const patch = primitives.randomBytes(patchLength);
    await timed('in place', () => open().update(patch, size / 2));
  });
}

/** Milliseconds of CPU that SHA-256 takes for so many bytes, a segment at a time. */
function hashingMs(length: number): number {
  const bytes = primitives.randomBytes(Math.min(segmentSize, Math.ceil(length)));
  const hashed = Math.max(length, 2 ** 20);
  const samples = Array.from({ length: 5 }, () => {
    const startedAt = cpuMs();
    for (let left = hashed; left > 0; left -= bytes.length) {
      primitives
        .sha256()
        .update(bytes.subarray(0, Math.min(left, bytes.length)))
        .digest();
    }
    return (cpuMs() - startedAt) * (length / hashed);
  });
  return median(samples);
}
