/**
 * What a trace of a real run decides is what the disks would have said: worlds are judged with all
 * that they recorded, and again with what a real run of the same would have, also where only some
 * of the writers are in it. `npm run simulate` does so with hundreds of worlds.
 *
 * A failing run prints its seed; `FUZZ_SEED=<seed>` begins with it.
 */
import { beforeAll, expect, test } from 'vitest';
import { Grid } from '../../src/grid.ts';
import { recordRealRun } from '../../src/inspector/real-run.ts';
import type { RealRecord } from '../../src/runtime/run-records.ts';
import { judgeTrace } from '../../src/simulation/judge-trace.ts';
import { properties } from '../../src/simulation/properties.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { bytesOf, memoryServers, testKey } from '../support/client-grid.ts';
import { falselyJudged } from '../support/real-trace.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

/** The ids of the properties that hold, and so on. */
function verdictsOf(records: readonly TraceRecord[]) {
  const judged = judgeTrace(records);
  if (judged.kind === 'refused') throw new Error(judged.problem);
  const { run, operations, unfinished, files } = judged;
  const of = (wanted: string) =>
    judged.properties.flatMap(({ id, verdict }) => (verdict.kind === wanted ? [id] : []));
  const [holds, violated, undecided] = [of('holds'), of('violated'), of('undecided')];
  return { run, operations, unfinished, files, holds, violated, undecided };
}

const decided = [
  ...['U1', 'U2', 'U3', 'U4', 'U5', 'U6', 'U8', 'U9', 'U10', 'U12'],
  ...['Q1', 'Q2', 'Q3', 'Q4', 'Q5', 'Q7', 'Q8'],
  ...['X1', 'X2', 'X3', 'M1', 'M3', 'M4', 'V1', 'V2', 'K1'],
];
const undecided = properties.map(({ id }) => id).filter((id) => !decided.includes(id));

test('a world decides all, and a real run of it what charts decide, without a false alarm', async () => {
  console.log(`worlds judged as real runs: seed ${seed}`);
  for (let i = 0; i < Number(process.env.WORLDS ?? 1); i++) {
    const { world } = await simulate(seed + i);
    expect(verdictsOf(world.trace).undecided).toEqual([]);
    expect([seed + i, falselyJudged(world)]).toEqual([seed + i, []]);
  }
});

let records: readonly TraceRecord[];
/** Of two files, on a grid in memory each, at once; 3 of 4 shares are too few to lose any. */
beforeAll(async () => {
  const written: RealRecord[] = [];
  const inspect = recordRealRun({ version: '0.0.0', write: (record) => written.push(record) });
  const work = async (contents: Uint8Array, required: number) => {
    const encoding = { required, happy: 3, total: 4 };
    const grid = new Grid({ servers: memoryServers(4), encoding, inspect });
    const file = await grid.create({ contents, key: testKey });
    const reader = grid.open(file.readCap);
    await Promise.all([file.modify((old) => old.slice(1)), file.read(), reader.read()]);
    await file.append(contents);
    await grid.open(file.writeCap).overwrite(contents);
    await file.modify(() => undefined);
    await file.repair();
    await file.verify();
  };
  await Promise.all([work(bytesOf(10), 2), work(bytesOf(3000), 3)]);
  records = written as unknown as readonly TraceRecord[];
});

test('a real run on several files at once: nothing is violated, wherever it ends', () => {
  expect(verdictsOf(records)).toEqual({
    ...{ run: 'real', operations: 18, unfinished: 0, files: 2 },
    ...{ holds: decided, violated: [], undecided },
  });
  for (const part of [0.3, 0.6, 0.9]) {
    const end = Math.floor(records.length * part);
    expect([end, verdictsOf(records.slice(0, end)).violated]).toEqual([end, []]);
  }
});

test('where nothing was done nothing is decided', () => {
  const all = properties.map(({ id }) => id);
  expect(verdictsOf([])).toMatchObject({ operations: 0, files: 0, undecided: all });
});

test('of an operation whose beginning is gone nothing is said', () => {
  const without = records.filter(
    (record) => !(record.kind === 'operation' && record.event === 'started'),
  );
  expect(verdictsOf(without)).toMatchObject({ operations: 0, violated: [] });
});

test('a record that is not as it should be, deep inside, is refused by its number', () => {
  const seq = records.find(({ kind, type }: Partial<TraceRecord & { type: string }>) => {
    return kind === 'event' && type === 'server.settled';
  })?.seq;
  const spoilt = records.map((record) => (record.seq === seq ? { ...record, data: 5 } : record));
  expect(judgeTrace(spoilt)).toEqual({
    kind: 'refused',
    problem: `the event record ${seq} is not as this version writes it`,
  });
});
