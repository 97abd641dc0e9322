/** What is kept of a run for who joins late. */
import { expect, test } from 'vitest';
import { History } from '../../src/inspector/history.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { records, type Told } from '../visualizer/told.ts';

const begun = (operation: string): Told => [
  'operation',
  { operation, event: 'started', spec: {}, result: null },
];
const ended = (operation: string): Told => [
  'operation',
  { operation, event: 'ended', spec: {}, result: { ok: true } },
];
const heard = (operation: string): Told => [
  'event',
  { actor: `${operation}/readFile`, source: null, type: 'GO', data: null },
];

function historyOf(limits: { records?: number; size?: number }, told: readonly Told[]): History {
  const history = new History(limits);
  for (const record of records(told)) history.add(record, JSON.stringify(record));
  return history;
}

/** The numbers of what is kept. */
function kept(history: History): readonly number[] {
  const { messages } = history.read(0, Number.POSITIVE_INFINITY);
  return messages.map((json) => (JSON.parse(json) as TraceRecord).seq);
}

test('whole operations are forgotten: what has ended before what runs, the oldest first', () => {
  const told = [
    ...[begun('a'), begun('b'), heard('a'), ended('b'), begun('c'), ended('c')],
    ...[heard('a'), begun('d'), heard('d')],
  ];
  const all = historyOf({ records: 9 }, told);
  expect([kept(all), all.gone]).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
    { records: 0, operations: 0 },
  ]);
  const without = historyOf({ records: 8 }, told);
  expect([kept(without), without.gone]).toEqual([
    [0, 2, 4, 5, 6, 7, 8],
    { records: 2, operations: 1 },
  ]);
  // Nothing has ended any more: what runs keeps its beginning, and what comes of it is told.
  const short = historyOf({ records: 4 }, [...told, heard('a'), heard('d')]);
  expect([kept(short), short.gone]).toEqual([[0, 7, 10], { records: 8, operations: 2 }]);
});

test('what has failed goes after what has succeeded, though it is older', () => {
  const failed: Told = [
    'operation',
    { operation: 'bad', event: 'ended', spec: {}, result: { ok: false, error: 'E', message: '' } },
  ];
  const told = [begun('bad'), failed, begun('a'), ended('a'), heard('a'), begun('b'), ended('b')];
  const history = historyOf({ records: 6 }, told);
  expect([kept(history), history.gone]).toEqual([[0, 1, 5, 6], { records: 3, operations: 1 }]);
});

test('a machine that lives long keeps its beginning, where it is, and all that comes', () => {
  const actor = 'shop';
  const step = (n: number): Told => [
    'step',
    { actor, chart: 'shop', event: 'GO', state: `s${n}`, transitions: [], context: null },
  ];
  const told: readonly Told[] = [
    ['actor', { actor, chart: 'shop', parent: null, input: null }],
    step(0),
    ...Array.from({ length: 100 }, (_, i): Told => ['event', { actor, type: `${i}` }]),
    begun('read'),
    ended('read'),
  ];
  const history = historyOf({ records: 10 }, told);
  expect(kept(history).slice(0, 2)).toEqual([0, 1]);
  expect(kept(history).at(-1)).toBe(told.length - 1);
  history.add(records([step(1)], told.length)[0] as TraceRecord, '{"seq":104}');
  expect(kept(history).at(-1)).toBe(104);
  expect(history.gone.records + kept(history).length).toBe(105);
});

test('what a page that is connected is yet to be sent is kept beyond the limits', () => {
  let next = 0;
  const history = new History({ records: 10 }, () => next);
  const told = records(Array.from({ length: 100 }, () => heard('long')));
  for (const record of told) history.add(record, JSON.stringify(record));
  expect(kept(history)).toEqual(told.map(({ seq }) => seq));
  next = 100;
  const more = records(
    Array.from({ length: 100 }, () => heard('long')),
    100,
  );
  for (const record of more) {
    next = record.seq;
    history.add(record, JSON.stringify(record));
  }
  expect(kept(history).length).toBeLessThanOrEqual(10);
});

test('a page that does not read costs 16 MiB and no more', () => {
  const history = new History({ records: 10 }, () => 0);
  const json = 'x'.repeat(2 ** 20);
  let most = 0;
  for (const record of records(Array.from({ length: 60 }, () => heard('long')))) {
    history.add(record, json);
    most = Math.max(most, history.read(0, Number.POSITIVE_INFINITY).messages.length);
  }
  expect(most).toBeGreaterThan(10);
  expect(most).toBeLessThanOrEqual(20);
});

test('what is of no operation stays: the header, the grids, the charts', () => {
  const grid: Told = ['grid', { grid: 'home', servers: [] }];
  const told = [
    grid,
    ...Array.from({ length: 50 }, (_, i) => [begun(`${i}`), ended(`${i}`)]).flat(),
  ];
  const history = historyOf({ records: 10 }, told);
  expect(kept(history)[0]).toBe(0);
  expect(history.next).toBe(101);
  expect(history.gone.records + kept(history).length).toBe(101);
});

test('it stays within its limits, whatever comes, in one operation or in many', () => {
  const told = Array.from({ length: 3000 }, (_, i) =>
    i < 1500 ? heard('long') : i % 2 === 0 ? begun(`r${i}`) : ended(`r${i - 1}`),
  );
  for (const limits of [{ records: 100 }, { size: 5000 }]) {
    const history = new History(limits);
    for (const record of records(told)) {
      history.add(record, JSON.stringify(record));
      const { messages } = history.read(0, Number.POSITIVE_INFINITY);
      expect(messages.length).toBeLessThanOrEqual(limits.records ?? 100);
      expect(messages.join('').length).toBeLessThanOrEqual(limits.size ?? 100_000);
    }
    expect(kept(history).length).toBeGreaterThan(20);
  }
});

test('it is read in pieces, from any number, one message at least', () => {
  const history = historyOf({}, [begun('a'), heard('a'), heard('a'), ended('a')]);
  const { messages, next } = history.read(1, 0);
  expect([messages.map((json) => JSON.parse(json).seq), next]).toEqual([[1], 2]);
  expect(history.read(2, 1e6).messages).toHaveLength(2);
  expect(history.read(4, 1e6)).toEqual({ messages: [], next: 4 });
});
