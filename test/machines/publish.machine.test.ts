import { describe, expect, test } from 'vitest';
import { operationCancel, writeSettled } from '../../machines/events.ts';
import type { SeenShare } from '../../machines/io.ts';
import {
  type PublishInput,
  publishMachine,
  publishSummary,
} from '../../machines/publish.machine.ts';
import type { WriteReport } from '../../machines/publish-kernel.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { chartCoverage } from '../support/coverage.ts';
import { deadlines, goodAt, mapOf, versionOf, writeReport } from '../support/facts.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof publishMachine;

const coverage = chartCoverage(publishMachine);
const v1 = versionOf(1);
const v2 = versionOf(2);
const ours = versionOf(2, 'n').checkstring;
const foreign = versionOf(2, 'x').checkstring;

const full = mapOf(4, [goodAt('s0', 0, v1), goodAt('s1', 1, v1), goodAt('s2', 2, v1)], [v1]);

const recipe = { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] } as const;

/** k = 2, N = 3, happy = 2. */
function start(map: Servermap = full, more: Partial<PublishInput> = {}): Walk<Machine> {
  const plan = { map, required: 2, total: 3, happy: 2, wholeShares: true, force: false };
  return walk(publishMachine, { ...plan, recipe, deadlines, ...more }, coverage.onMicrostep);
}

const prepared = answered('prepareShares', { ok: true, version: versionOf(2, 'n') });
const writing = (map: Servermap = full, more: Partial<PublishInput> = {}) =>
  start(map, more).step(prepared);

const settles = (
  server: string,
  shnum: number,
  status: WriteReport['status'],
  seen: readonly SeenShare[] = [],
) => writeSettled(writeReport(server, shnum, status, seen));

const accepts = (n: number) => settles(`s${n}`, n, 'accepted');
const begins = (head: string) => `{"kind":"begins","head":"${head}"}`;
const starts = (server: string, shnum: number, test: string, attempt = 0) =>
  `start write:${server}:${shnum}:${attempt} ` +
  `{"server":"${server}","shnum":${shnum},"test":${test},"checkstring":"${ours}",` +
  `"expectation":{"total":3,"seqnum":2,"replaceable":["${v1.checkstring}"],"heads":[]}}`;
const tells = (event: object) => `emit ${JSON.stringify(event)}`;

describe('choosing targets', () => {
  test('a plan that can succeed is prepared: encoded and signed under the next seqnum', () => {
    const it = start();
    expect(it.state()).toBe('preparing');
    expect(it.log()).toEqual([
      `start prepareShares ${JSON.stringify({ seqnum: 2, base: v1.id, recipe })}`,
    ]);
  });

  test('by force also where nothing can be read: that is built on nothing', () => {
    const it = start(mapOf(4, [goodAt('s0', 0, v2)], [v2]), { force: true });
    expect(it.log()).toEqual([
      `start prepareShares ${JSON.stringify({ seqnum: 3, base: null, recipe })}`,
    ]);
  });

  test('newer evidence stops it before anything is written', () => {
    const holdings = [...full.holdings, goodAt('s3', 0, v2)];
    const map = mapOf(4, holdings, [v1, v2]);
    const it = start(map);
    expect([it.state(), it.log()]).toEqual(['newerVersionSeen', []]);
    expect(it.output()).toMatchObject({
      kind: 'newerVersionSeen',
      newer: [v2],
      missing: [0, 1, 2],
    });
    expect(start(map, { force: true }).state()).toBe('preparing');
  });

  test('a plan that cannot reach the quorum writes nothing', () => {
    const it = start(mapOf(3, [], [], { s0: 'failed', s1: 'failed' }));
    expect([it.state(), it.log()]).toEqual(['notEnoughServers', []]);
    expect(it.output()).toMatchObject({ kind: 'notEnoughServers', quorum: 2, missing: [0, 1, 2] });
  });
});

describe('preparing', () => {
  test('every planned write starts at once', () => {
    const it = writing();
    expect(it.state()).toBe('writing.placing');
    expect(it.log()).toEqual([
      'stop prepareShares',
      ...[0, 1, 2].map((n) => starts(`s${n}`, n, begins(v1.checkstring))),
    ]);
  });

  const failure = { kind: 'internal', detail: 'no key' };
  test.each([
    ['a failure', answered('prepareShares', { ok: false, failure })],
    ['a bug', rejected('prepareShares', new Error('no key'))],
  ])('%s: nothing is written', (_, event) => {
    const it = start().step(event);
    expect([it.state(), it.log()]).toEqual(['unprepared', ['stop prepareShares']]);
    expect(it.output()).toMatchObject({ kind: 'unprepared', failures: [failure] });
  });
});

describe('writing', () => {
  test('goes on until every write has its answer', () => {
    const it = writing().step(accepts(1));
    expect(it.state()).toBe('writing.placing');
    expect(it.log()).toEqual(['stop write:s1:1:0', tells(accepts(1))]);
    it.step(accepts(0));
    expect(it.state()).toBe('writing.placing');
    it.step(accepts(2));
    expect(it.state()).toBe('published');
    expect(it.output()).toMatchObject({
      kind: 'published',
      missing: [],
      version: versionOf(2, 'n'),
    });
  });

  test('a share whose server failed gets another one', () => {
    const it = writing().step(settles('s1', 1, 'refused'));
    expect(it.log()).toEqual([
      'stop write:s1:1:0',
      tells(settles('s1', 1, 'refused')),
      starts('s3', 1, '{"kind":"absent"}'),
    ]);
    it.step(accepts(0))
      .step(accepts(2))
      .step(settles('s3', 1, 'accepted'));
    expect(it.state()).toBe('published');
    expect(it.output().missing).toEqual([]);
  });

  test('a stale place is written again, by another child', () => {
    const older = versionOf(0).checkstring;
    const surprise = settles('s0', 0, 'surprised', [{ shnum: 0, checkstring: older }]);
    const it = writing().step(surprise);
    expect(it.log()).toEqual([
      'stop write:s0:0:0',
      tells(surprise),
      starts('s0', 0, begins(older), 1),
    ]);
    it.step(accepts(0));
    expect(it.log()).toEqual(['stop write:s0:0:1', tells(accepts(0))]);
  });

  test('a report stops its own child, whichever attempt other places are at', () => {
    const holdings = [goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s1', 1, v1)];
    const it = writing(mapOf(3, holdings, [v1]));
    const stopped = (...report: Parameters<typeof settles>) => it.step(settles(...report)).log()[0];
    expect(stopped('s0', 0, 'surprised')).toBe('stop write:s0:0:0');
    expect(stopped('s0', 1, 'surprised')).toBe('stop write:s0:1:0');
    expect(stopped('s1', 1, 'accepted')).toBe('stop write:s1:1:0');
    expect(stopped('s0', 1, 'accepted')).toBe('stop write:s0:1:1');
  });
});

const surprise = settles('s1', 1, 'surprised', [{ shnum: 1, checkstring: foreign }]);

describe('after a surprise', () => {
  test('what is under way is waited for, and nothing is placed elsewhere', () => {
    const it = writing().step(surprise);
    expect([it.state(), it.log()]).toEqual([
      'writing.yielding',
      ['stop write:s1:1:0', tells(surprise)],
    ]);
    const failure = settles('s0', 0, 'failed');
    it.step(failure);
    expect([it.state(), it.log()]).toEqual([
      'writing.yielding',
      ['stop write:s0:0:0', tells(failure)],
    ]);
    it.step(accepts(2));
    expect(it.state()).toBe('uncoordinated');
  });
});

describe('the end', () => {
  test.each([
    ['published', [accepts(0), accepts(1), settles('s2', 2, 'failed')]],
    ['uncoordinated', [accepts(0), surprise, accepts(2)]],
    ['indeterminate', [accepts(0), settles('s1', 1, 'unknown'), settles('s2', 2, 'failed')]],
    ['notEnoughServers', [accepts(0), settles('s1', 1, 'failed'), settles('s2', 2, 'failed')]],
  ] as const)('%s', (kind, events) => {
    const it = events.reduce((w, event) => w.step(event), writing(full, { wholeShares: false }));
    expect([it.state(), it.output().kind]).toEqual([kind, kind]);
  });

  test('the result names what landed where, and what surprised', () => {
    const it = writing().step(accepts(0)).step(surprise).step(accepts(2));
    const { writes, surprises, missing } = it.output();
    expect(writes.map(({ server, shnum, status }) => [server, shnum, status])).toEqual([
      ['s0', 0, 'accepted'],
      ['s1', 1, 'surprised'],
      ['s2', 2, 'accepted'],
    ]);
    expect(surprises).toEqual([{ server: 's1', shnum: 1, found: foreign }]);
    expect(missing).toEqual([1]);
  });
});

describe('cancel', () => {
  test.each([
    ['preparing', start, ['stop prepareShares']],
    ['writing.placing', writing, ['stop write:s0:0:0', 'stop write:s1:1:0', 'stop write:s2:2:0']],
    [
      'writing.yielding',
      () => writing().step(surprise),
      ['stop write:s0:0:0', 'stop write:s2:2:0'],
    ],
  ])('in %s ends it, and what is under way with it', (state, make, log) => {
    const it = make();
    expect(it.state()).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.output().kind, it.log()]).toEqual(['cancelled', 'cancelled', log]);
  });
});

describe('what does not belong changes nothing', () => {
  test('in preparing', () => {
    const it = start();
    const { context } = it.snapshot();
    it.step(accepts(0));
    expect([it.state(), it.context(), it.log()]).toEqual(['preparing', context, []]);
  });

  test('in writing: a report about a write that is not under way', () => {
    const it = writing().step(accepts(0));
    const { context } = it.snapshot();
    it.step(settles('s0', 0, 'failed')).step(settles('s9', 9, 'failed'));
    expect([it.state(), it.context()]).toEqual(['writing.placing', context]);
  });

  const ended = {
    published: [prepared, accepts(0), accepts(1), accepts(2)],
    unprepared: [rejected('prepareShares', 'x')],
    cancelled: [operationCancel()],
  };
  test.each(Object.entries(ended))('in %s', (state, events) => {
    const it = events.reduce<Walk<Machine>>((w, event) => w.step(event), start());
    const output = it.output();
    it.step(accepts(0)).step(operationCancel());
    expect([it.state(), it.output()]).toEqual([state, output]);
  });
});

test('traces and pictures show the goal, and where each write stands', () => {
  const goal = { seqnum: 2, quorum: 2, required: 2, total: 3, wholeShares: true, surprises: [] };
  expect(publishSummary(start().context())).toEqual({
    ...goal,
    checkstring: null,
    writes: { 's0:0': 'planned', 's1:1': 'planned', 's2:2': 'planned' },
  });
  expect(publishSummary(writing().step(accepts(0)).context())).toEqual({
    ...goal,
    checkstring: ours,
    writes: { 's0:0': 'accepted', 's1:1': 'writing', 's2:2': 'writing' },
  });
});

test('IO that nobody provides ends with an error that says its name', async () => {
  expect(await endsUnprovided(publishMachine)).toEqual([
    'publish: Error: actor prepareShares is named by a chart and not provided',
  ]);
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
