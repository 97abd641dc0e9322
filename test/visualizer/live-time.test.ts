/** The time of a live run, what it waits for, what is forgotten of it, and how servers are called. */
import { expect, test } from 'vitest';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { named } from '../../visualizer/src/model/nicknames.ts';
import {
  gapWords,
  outcomeOf,
  spanOf,
  treeRows,
} from '../../visualizer/src/model/operation-tree.ts';
import { makeRoom } from '../../visualizer/src/model/room.ts';
import type { Operation } from '../../visualizer/src/model/run-model.ts';
import { noFilters, SearchIndex } from '../../visualizer/src/model/search.ts';
import { nextDeadline, timeLanes } from '../../visualizer/src/model/time-lanes.ts';
import { TraceModel } from '../../visualizer/src/model/trace-model.ts';
import { firstRefusal, troublesOf } from '../../visualizer/src/model/troubles.ts';
import { deadlineWords, timeAt, waitingOf } from '../../visualizer/src/model/waiting.ts';
import { wordsOf } from '../../visualizer/src/model/words.ts';
import { lostReason, madeRun } from '../support/made-run.ts';
import { records as numbered, type Told } from './told.ts';

function modelOf(records: readonly TraceRecord[]): TraceModel {
  const model = new TraceModel(false);
  model.add(records);
  return model;
}

const operationOf = (model: TraceModel, name: string) =>
  model.run.operations.get(name) as Operation;

/** All servers have been asked, and all are silent. */
function silent(): TraceModel {
  return modelOf(madeRun({ operations: 1, servers: 2 }).filter(({ at }) => at <= 11));
}

test('a run that tells nothing goes on by the clock of the page', () => {
  const arrival = { at: 6, clock: 50_000 };
  expect([49_990, 50_000, 56_494].map((clock) => timeAt(arrival, clock))).toEqual([6, 6, 6500]);
});

test('who waits is told with the deadline that is ahead, which the lanes have in view', () => {
  const model = silent();
  const read = operationOf(model, 'read');
  const words = waitingOf(model, read).map(
    (wait) => `${model.run.nicknames.get(wait.server)}: ${deadlineWords(wait, 1511)}`,
  );
  expect(words).toEqual([
    'box-0: the deadline of its query is in 0.5 s',
    'box-1: the deadline of its query is in 0.5 s',
  ]);
  expect(deadlineWords({ words: 'query', at: 2011 }, 2311)).toBe(
    'the deadline of its query was 0.3 s ago',
  );
  const asked = { operations: [read], isOne: true, server: null, isLive: true };
  const lanes = timeLanes(model, asked);
  expect([nextDeadline(lanes, 1511), nextDeadline(lanes, 2012)]).toEqual([2011, null]);
  const over = modelOf(madeRun({ operations: 1, servers: 2 }));
  expect(waitingOf(over, operationOf(over, 'read'))).toEqual([]);
});

test('the last record of what runs is known, to go there', () => {
  const model = silent();
  expect(operationOf(model, 'read').last.position).toBe(model.records.length);
});

test('servers are called by their nicknames in any words, and nothing else is touched', () => {
  const nicknames = new Map([['v0-s1', 'attic']]);
  expect(named('read/query:v0-s1 v0-s10 constructor (v0-s1)', nicknames)).toBe(
    'read/query:attic v0-s10 constructor (attic)',
  );
});

test('a refusal is before who was slow, with its reason, and leads to the chart that asked', () => {
  const model = modelOf(madeRun({ operations: 1, servers: 4, silent: 1, lost: 2, failing: 0 }));
  const groups = troublesOf(model, operationOf(model, 'read'));
  expect(groups.map(({ server }) => server)).toEqual(['v0-server2', 'v0-server1', null]);
  const { server, trouble } = firstRefusal(groups) ?? {};
  expect([server, trouble?.what, trouble?.reason, trouble?.track?.actor]).toEqual([
    ...['v0-server2', 'list lost', lostReason],
    'read/readFile/servermapUpdate/query:v0-server2',
  ]);
  const record = model.records[(trouble?.position ?? 0) - 1] as TraceRecord;
  expect(wordsOf(record, (words) => named(words, model.run.nicknames))).toBe(
    `read box-2 list: answer lost: ${lostReason}`,
  );
});

test('a root that is called x:0 has its chart in the lanes, and is found by its chart’s name', () => {
  const step = { chart: 'publish~2', event: 'xstate.init', transitions: [], context: null };
  const told: readonly Told[] = [
    ['header', { format: 'tahoe-mutable-trace 2', about: { run: 'real' } }],
    ['actor', { actor: 'x:0', chart: 'publish~2', parent: null, input: null }],
    ['step', { ...step, actor: 'x:0', state: 'idle' }],
    ['step', { ...step, actor: 'x:0', event: 'go', state: 'busy' }],
  ];
  const model = modelOf(numbered(told));
  const found = new SearchIndex(model).find({ ...noFilters, text: 'publish~2' });
  expect(found.operations.map(({ name }) => name)).toEqual(['x:0']);
  const { bars } = timeLanes(model, {
    ...{ operations: found.operations, isOne: true, server: null, isLive: true },
  });
  expect(bars.filter(({ actor }) => actor === 'x:0').map(({ words }) => words)).toEqual([
    ...['idle', 'busy'],
  ]);
});

test('what is forgotten is a gap; what has not been heard of since is cut off', () => {
  const all = madeRun({ operations: 3, servers: 2 });
  const second = all.filter((record) => JSON.stringify(record).includes('read~2'));
  const [from, to] = [second[4]?.seq ?? 0, second.at(-1)?.seq ?? 0];
  const model = modelOf(all.filter(({ seq }) => seq < from || seq > to));
  const forgotten = to - from + 1;
  expect(model.gaps.map(({ records }) => records)).toEqual([forgotten]);
  const cut = operationOf(model, 'read~2');
  expect(outcomeOf(cut, true)).toEqual({ word: 'cut off', shape: '⋯', tone: 'empty' });
  expect(spanOf({ operation: cut, track: null }).to).toBe(cut.last.at);
  const rows = treeRows(model, [...model.run.operations.values()], new Set());
  expect(rows.map(({ id, gap }) => (gap === null ? id : gapWords(gap)))).toEqual([
    ...['read', 'read~2', `${forgotten} records forgotten here`, 'read~3'],
  ]);
  expect(rows.map(({ place, siblings }) => `${place} of ${siblings}`)).toEqual([
    ...['1 of 4', '2 of 4', '3 of 4', '4 of 4'],
  ]);
});

test('of an operation whose first records are forgotten the later ones are shown', () => {
  const all = madeRun({ operations: 1, servers: 2 });
  const cut = all.findIndex(({ kind, at }) => kind === 'step' && at > 11);
  const model = modelOf([...all.slice(0, 2), ...all.slice(cut)]);
  const read = operationOf(model, 'read');
  expect([read.isHeadless, read.outcome, model.run.running.size]).toEqual([true, 'done', 0]);
  expect([...model.tracks.keys()]).toContain('read/readFile/servermapUpdate');
});

test('what has ended and is known to be forgotten whole cuts nothing off', () => {
  const waiting = silent().records;
  const late = { kind: 'clock', now: 0, seq: waiting.length + 500, at: 900, step: 0 } as const;
  const model = modelOf([]);
  model.expectGaps(500);
  model.add([...waiting, late]);
  expect(outcomeOf(operationOf(model, 'read'), true).word).toBe('running');
  expect(model.gaps.map(({ records }) => records)).toEqual([500]);
  const other = modelOf([...waiting, late]);
  expect(outcomeOf(operationOf(other, 'read'), true).word).toBe('cut off');
});

test('what makes room in the page cuts off nothing that runs', () => {
  const all = madeRun({ operations: 6, servers: 2, isAtOnce: true });
  const last = all.findLast(({ kind }) => kind === 'operation') as TraceRecord;
  const model = modelOf(all.filter((record) => record !== last));
  const room = makeRoom(model, model.records.length - 1);
  expect(room?.operations).toBeGreaterThan(0);
  const [running] = room?.model.run.running ?? [];
  expect(running && outcomeOf(running, true).word).toBe('running');
  expect(room?.model.gaps.length).toBeGreaterThan(0);
});
