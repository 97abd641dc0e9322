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
  // Nothing has ended any more: the oldest that runs goes, and what comes of it is not kept.
  const short = historyOf({ records: 4 }, [...told, heard('a'), ended('a'), heard('d')]);
  expect([kept(short), short.gone]).toEqual([[7, 8, 11], { records: 9, operations: 3 }]);
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
