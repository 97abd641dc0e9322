/** The page's model stays within bounds, and says what it drops. */
import { expect, test } from 'vitest';
import {
  type Connection,
  nothingMissing,
  pauseBefore,
  wordsOfConnection,
  wordsOfMissing,
} from '../../visualizer/src/model/connection.ts';
import { makeRoom, placeIn } from '../../visualizer/src/model/room.ts';
import { TraceModel } from '../../visualizer/src/model/trace-model.ts';
import { records, type Told } from './told.ts';

const operation = (name: string, event: string): Told => [
  'operation',
  { operation: name, event, spec: { kind: 'read' }, result: null },
];

function modelOf(told: readonly Told[]): TraceModel {
  const model = new TraceModel(false);
  model.add(records(told));
  return model;
}

test('whole ended operations go first, then the oldest that runs; what is of none stays', () => {
  const header: Told = ['header', { format: 'tahoe-mutable-trace 2', about: { run: 'real' } }];
  const told = [
    ...[header, operation('long', 'started')],
    ...['a', 'b', 'c'].flatMap((name) => [operation(name, 'started'), operation(name, 'ended')]),
  ];
  const model = modelOf(told);
  expect(makeRoom(model, 8)).toBe(null);
  const room = makeRoom(model, 7);
  expect([room?.records, room?.operations]).toEqual([4, 2]);
  expect(room?.model.records).toEqual([0, 1, 6, 7].map((i) => model.records[i]));
  expect([...(room?.model.run.operations.keys() ?? [])]).toEqual(['long', 'c']);
  expect(room?.model.run.isReal).toBe(true);
  const least = makeRoom(model, 1);
  expect(least?.model.records).toEqual([model.records[0]]);
});

test('a machine that goes on keeps its beginning and its latest records', () => {
  const model = modelOf([
    ['actor', { actor: 'shop', chart: 'shop', parent: null, input: null }],
    ...Array.from({ length: 9 }, (): Told => ['event', { actor: 'shop', type: 'GO' }]),
  ]);
  const room = makeRoom(model, 8);
  expect(room?.model.records.map(({ seq }) => seq)).toEqual([0, 5, 6, 7, 8, 9]);
  expect([room?.records, room?.operations]).toEqual([4, 0]);
});

test('a record is found again in the new model, or the next one', () => {
  const model = modelOf(['a', 'b', 'a', 'b'].map((name) => operation(name, 'ended')));
  const { model: kept } = makeRoom(model, 3)!;
  expect(kept.records.map(({ seq }) => seq)).toEqual([1, 3]);
  expect([0, 1, 2, 3, 9].map((seq) => placeIn(kept, seq))).toEqual([0, 0, 1, 1, 1]);
});

test('10,000 records are added in pieces, and each is looked at once', () => {
  const looks = new Map<number, number>();
  const told = Array.from({ length: 5000 }, (_, i): Told[] => [
    ['actor', { actor: `r~${i}`, chart: 'readFile', parent: null, input: null }],
    ['end', { actor: `r~${i}`, chart: 'readFile', status: 'done', output: null }],
  ]).flat();
  const watched = records(told).map(
    (record) =>
      new Proxy(record, {
        get: (target, key) => {
          if (key === 'kind') looks.set(target.seq, (looks.get(target.seq) ?? 0) + 1);
          return Reflect.get(target, key);
        },
      }),
  );
  const model = new TraceModel(false);
  for (let i = 0; i < watched.length; i += 500) model.add(watched.slice(i, i + 500));
  expect([model.records.length, model.operations.length]).toEqual([10_000, 5000]);
  expect(new Set(looks.values())).toEqual(new Set([2]));
});

test('how the page stands to the process is said in words', () => {
  const all: readonly Connection[] = [
    ...([{ kind: 'connecting' }, { kind: 'waiting' }, { kind: 'running' }] as const),
    ...([{ kind: 'over' }, { kind: 'gone', attempt: 3 }, { kind: 'gone', attempt: 20 }] as const),
    ...([{ kind: 'refused' }, { kind: 'reconnecting', attempt: 2 }] as const),
  ];
  expect(all.map(wordsOfConnection).map(({ state, detail }) => `${state}. ${detail}`)).toEqual([
    'connecting. ',
    'waiting for the first record. The process is there. Nothing has run yet in it that is inspected.',
    'running. ',
    'over. The process has ended its inspector. All that it told is here.',
    'process gone. Nobody listens there any more. What had come until then is here. Looking for it again, attempt 3.',
    'process gone. Nobody listens there any more. What had come until then is here. Looked for it 20 times, and stopped.',
    'token refused. Another process listens there now, or the link is not whole: open the address that your program has printed.',
    'reconnecting. The connection was lost, the process is there. Attempt 2.',
  ]);
  expect([1, 2, 3, 4, 5, 6, 20].map(pauseBefore)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test('what is missing is counted, and says why', () => {
  expect(wordsOfMissing(nothingMissing)).toEqual([]);
  const forgotten = { records: 12_345, operations: 81, keep: 100_000 };
  expect(wordsOfMissing({ ...forgotten, droppedRecords: 1, droppedOperations: 1 })).toEqual([
    '12,345 records of 81 operations had been forgotten before they were asked for: the process keeps at most 100,000.',
    '1 record of 1 operation had to make room in this page: a trace in a file (‘trace’) keeps all.',
  ]);
  // Of what goes on.
  expect(wordsOfMissing({ ...nothingMissing, droppedRecords: 2 })).toEqual([
    '2 records had to make room in this page: a trace in a file (‘trace’) keeps all.',
  ]);
});
