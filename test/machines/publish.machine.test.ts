import { describe, expect, test } from 'vitest';
import { operationCancel, writeSettled } from '../../machines/events.ts';
import {
  type PublishInput,
  publishMachine,
  publishSummary,
} from '../../machines/publish.machine.ts';
import type { WriteTest } from '../../machines/reports.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { chartCoverage } from '../support/coverage.ts';
import { deadlines, goodAt, mapOf, versionOf, writeReport } from '../support/facts.ts';
import { planOf } from '../support/publishing.ts';
import { endsUnprovided } from '../support/unprovided.ts';
import { answered, rejected, type Walk, walk } from '../support/walk.ts';

type Machine = typeof publishMachine;

const coverage = chartCoverage(publishMachine);
const v1 = versionOf(1);
const v2 = versionOf(2);
const ours = versionOf(2, 'n', { parent: v1 });
const newer = versionOf(2, 'x', { parent: v1 });

/** Of four servers three make a quorum. */
const full = mapOf(4, [goodAt('s0', 0, v1), goodAt('s1', 1, v1), goodAt('s2', 2, v1)], [v1]);

const recipe = { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] } as const;

function start(map: Servermap = full, more: Partial<PublishInput> = {}): Walk<Machine> {
  const input = { ...planOf(map, more), recipe, deadlines };
  return walk(publishMachine, input, coverage.onMicrostep);
}

const prepared = answered('prepareShares', { ok: true, version: ours });
const writing = (map: Servermap = full, more: Partial<PublishInput> = {}) =>
  start(map, more).step(prepared);

const settles = (...report: Parameters<typeof writeReport>) => writeSettled(writeReport(...report));
const accepts = (n: number) => settles(`s${n}`, 'accepted');
/** The server held another share of this version than was tested for. */
const shows = (n: number, version: Version) =>
  settles(`s${n}`, 'surprised', [{ shnum: n, version }]);

const absent = { kind: 'absent' } as WriteTest;
/** A request for `shnum`, where nothing else is there. */
const planned = (server: string, shnum: number, held: Version | null) => {
  const test: WriteTest = held === null ? absent : { kind: 'begins', head: held.checkstring };
  return { server, shnums: [shnum], tests: [absent, absent, absent].with(shnum, test) };
};
const starts = (server: string, shnum: number, held: Version | null, attempt = 0) => {
  const request = { ...planned(server, shnum, held), checkstring: ours.checkstring };
  return `start write:${server}:${attempt} ${JSON.stringify(request)}`;
};
/** With what will be sent first. */
const prepares = (seqnum: number, base: Version | null, requests: readonly object[]) =>
  `start prepareShares ${JSON.stringify({ seqnum, base: base?.id ?? null, recipe, requests })}`;
const tells = (event: object) => `emit ${JSON.stringify(event)}`;

describe('choosing targets', () => {
  test('a plan that can succeed is prepared: encoded and signed under the next seqnum', () => {
    const it = start();
    expect(it.state()).toBe('preparing');
    expect(it.log()).toEqual([
      prepares(
        2,
        v1,
        [0, 1, 2].map((n) => planned(`s${n}`, n, v1)),
      ),
    ]);
  });

  test('also on nothing, where nothing is to be built on', () => {
    const it = start(mapOf(4, [goodAt('s0', 0, v2)], [v2]), { base: null });
    expect(it.log()).toEqual([
      prepares(
        3,
        null,
        [0, 1, 2].map((n) => planned(`s${n + 1}`, n, null)),
      ),
    ]);
  });

  test('a plan that cannot reach the quorum writes nothing', () => {
    const it = start(mapOf(3, [], [], { s0: 'failed', s1: 'failed' }));
    expect([it.state(), it.log()]).toEqual(['notEnoughServers', []]);
    expect(it.output()).toMatchObject({ kind: 'notEnoughServers', quorum: 2, missing: [0, 1, 2] });
  });
});

describe('preparing', () => {
  test('everything that may be sent is sent at once', () => {
    const it = writing();
    expect(it.state()).toBe('writing');
    expect(it.log()).toEqual([
      'stop prepareShares',
      ...[0, 1, 2].map((n) => starts(`s${n}`, n, v1)),
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
  test('goes on until every request has its answer', () => {
    const it = writing().step(accepts(1));
    expect(it.state()).toBe('writing');
    expect(it.log()).toEqual(['stop write:s1:0', tells(accepts(1))]);
    it.step(accepts(0));
    expect(it.state()).toBe('writing');
    it.step(accepts(2));
    expect(it.state()).toBe('published');
    expect(it.output()).toMatchObject({ kind: 'published', missing: [], version: ours });
  });

  test('a share whose server failed gets another one', () => {
    const refusal = settles('s1', 'refused');
    const it = writing().step(refusal);
    expect(it.log()).toEqual(['stop write:s1:0', tells(refusal), starts('s3', 1, null)]);
    it.step(accepts(0)).step(accepts(2)).step(accepts(3));
    expect(it.state()).toBe('published');
    expect(it.output().missing).toEqual([]);
  });

  test('a server that held something else is asked again, by another child', () => {
    const gone = settles('s0', 'surprised');
    const it = writing().step(gone);
    expect(it.log()).toEqual(['stop write:s0:0', tells(gone), starts('s0', 0, null, 1)]);
    // A report stops its own child, whichever attempt others are at.
    it.step(accepts(1));
    expect(it.log()).toEqual(['stop write:s1:0', tells(accepts(1))]);
    it.step(accepts(0));
    expect(it.log()).toEqual(['stop write:s0:1', tells(accepts(0))]);
  });

  test('what is in the way is written over once its version is dead, also after the quorum', () => {
    const rival = versionOf(2, 'b', { parent: v1 });
    const it = writing().step(shows(0, rival));
    // Nothing is spread before it is known how it stands; B is 2.
    expect(it.log().at(-1)).toBe(tells(shows(0, rival)));
    it.step(accepts(1));
    expect(it.log()).toEqual(['stop write:s1:0', tells(accepts(1))]);
    it.step(accepts(2));
    expect(it.log()).toEqual(['stop write:s2:0', tells(accepts(2)), starts('s0', 0, rival, 1)]);
    it.step(accepts(0));
    expect([it.state(), it.output().surprises]).toEqual([
      'published',
      [{ server: 's0', shnum: 0, found: rival.checkstring }],
    ]);
  });
});

describe('the end', () => {
  test.each([
    ['published', [accepts(0), accepts(1), accepts(2)]],
    ['uncoordinated', [accepts(0), shows(1, newer), accepts(2)]],
    ['indeterminate', [accepts(0), settles('s1', 'unknown'), accepts(2)]],
    ['notEnoughServers', [accepts(0), settles('s1', 'failed'), accepts(2)]],
  ] as const)('%s', (kind, events) => {
    const it = events.reduce((w, event) => w.step(event), writing(full, { wholeShares: false }));
    expect([it.state(), it.output().kind]).toEqual([kind, kind]);
  });

  test('the result names what landed where, and what surprised', () => {
    const it = writing(full, { wholeShares: false });
    it.step(accepts(0)).step(shows(1, newer)).step(accepts(2));
    const { writes, surprises, missing } = it.output();
    expect(writes.map(({ server, shnum, status }) => [server, shnum, status])).toEqual([
      ['s0', 0, 'accepted'],
      ['s1', 1, 'surprised'],
      ['s2', 2, 'accepted'],
    ]);
    expect(surprises).toEqual([{ server: 's1', shnum: 1, found: newer.checkstring }]);
    expect(missing).toEqual([1]);
  });
});

describe('cancel', () => {
  test.each([
    ['preparing', start, ['stop prepareShares']],
    ['writing', writing, ['stop write:s0:0', 'stop write:s1:0', 'stop write:s2:0']],
    ['writing', () => writing().step(accepts(1)), ['stop write:s0:0', 'stop write:s2:0']],
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

  test('in writing: a report about a request that is not under way', () => {
    const it = writing().step(accepts(0));
    const { context } = it.snapshot();
    it.step(settles('s0', 'failed')).step(settles('s9', 'failed'));
    expect([it.state(), it.context()]).toEqual(['writing', context]);
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
  const goal = { seqnum: 2, quorum: 3, required: 2, total: 3, wholeShares: true, surprises: [] };
  expect(publishSummary(start().context())).toEqual({
    ...goal,
    checkstring: null,
    writes: { 's0:0': 'planned', 's1:1': 'planned', 's2:2': 'planned' },
  });
  expect(publishSummary(writing().step(accepts(0)).context())).toEqual({
    ...goal,
    checkstring: ours.checkstring,
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
