/**
 * @module falsehoods: for each property a run with a lie in its record. The record is that of a run in
 * which everything holds; one or two facts of it are changed.
 */
import type { Task } from '../../src/simulation/operations.ts';
import { runToEnd } from '../../src/simulation/run-to-end.ts';
import { type TraceRecord, World, type WorldOptions } from '../../src/simulation/world.ts';

/** What becomes of one record: the first (or last) of which all of `where` is true. */
export interface Lie {
  readonly where: Readonly<Record<string, unknown>>;
  readonly isLast?: true;
  /** By path: `output.servers.0.status`. Undefined removes. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** The record is missing. */
  readonly isDropped?: true;
  /** A record behind it. */
  readonly added?: Readonly<Record<string, unknown>>;
}

export interface Falsehood {
  readonly id: string;
  readonly of: keyof typeof runs;
  readonly lies: readonly Lie[];
  readonly because: string;
  /** Of a real run, where other words, or a doubt, come of it; null: of the lie nothing is left. */
  readonly inReal?: string | null;
}

const world = (task: Task, ...more: readonly Task[]): WorldOptions => ({
  servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}, {}],
  operations: [
    ...[task, ...more].map((one, i) => ({ name: `w${i + 1}`, task: one })),
    { name: 'last', task: { kind: 'read' } },
  ],
});

/** One operation after the other, and a reader. Below, A is the first version, B w1's, C w2's. */
export const runs = {
  overwrite: world({ kind: 'overwrite' }),
  overwrites: world({ kind: 'overwrite' }, { kind: 'overwrite' }),
  modifies: world({ kind: 'modify' }, { kind: 'modify' }),
  updates: world({ kind: 'append' }, { kind: 'update', offset: 0 }),
  repairs: {
    ...world({ kind: 'repair' }, { kind: 'repair' }),
    servers: [{ shares: [0] }, { shares: [1] }, {}, {}, {}],
  },
  links: { ...world({ kind: 'link' }, { kind: 'link' }), isDirectory: true },
};

const map = { actor: 'w1/writeFile/servermapUpdate' };
const mapEnd = { ...map, kind: 'end' };
const publish = { actor: 'w1/writeFile/publish' };
const planned = { ...publish, kind: 'step', event: 'xstate.init' };
const published = { ...publish, kind: 'end' };
const settled = { ...map, type: 'server.settled', 'data.report.server': 's0' };
const verdict = 'data.report.holdings.0.verdict';
const written = { ...publish, type: 'write.settled', 'data.report.server': 's0' };
const begun = { kind: 'actor', actor: 'w1/writeFile/servermapUpdate/query:s4' };
const mended = { kind: 'place', operation: 'w1' };
const mending = { actor: 'w1/repairFile/publish', event: 'xstate.init' };
const late = (at: number) => ({ kind: 'clock', now: at, at });

export const falsehoods: readonly Falsehood[] = [
  {
    ...{ id: 'U1', of: 'overwrite', because: 'done while the shares of s4 are being verified' },
    lies: [{ where: mapEnd, set: { 'output.servers.4.status': 'verifying' } }],
  },
  {
    ...{ id: 'U1', of: 'overwrite' },
    because: 'done while w1/writeFile/servermapUpdate/query:s0 is verifying',
    lies: [
      {
        where: { kind: 'step', actor: 'w1/writeFile/servermapUpdate/query:s0', state: 'weighing' },
        isDropped: true,
      },
      {
        where: { kind: 'step', actor: 'w1/writeFile/servermapUpdate/query:s0', state: 'good' },
        isDropped: true,
      },
      { where: { kind: 'end', actor: 'w1/writeFile/servermapUpdate/query:s0' }, isDropped: true },
    ],
  },
  {
    ...{ id: 'U2', of: 'overwrite', because: 'done with enough, and there is not enough' },
    lies: [{ where: mapEnd, set: { 'output.servers.1.status': 'asked' } }],
  },
  {
    ...{ id: 'U3', of: 'overwrite', because: 'w1/writeFile/servermapUpdate waits for nothing' },
    lies: [{ where: mapEnd, isDropped: true }],
  },
  {
    ...{ id: 'U4', of: 'overwrite', because: 'exhausted, and s3 is asked' },
    lies: [
      { where: mapEnd, set: { 'output.outcome': 'exhausted', 'output.servers.3.status': 'asked' } },
    ],
  },
  {
    ...{ id: 'U5', of: 'overwrite' },
    because: 'the map is not what the answers say, in order of place and share number',
    lies: [
      { where: mapEnd, set: { 'output.holdings.0.verdict': { kind: 'unverified', reason: '' } } },
    ],
  },
  {
    ...{ id: 'U5', of: 'overwrite' },
    because: 'the versions in the map are not those that the answers tell of',
    lies: [{ where: mapEnd, set: { 'output.versions.v9-00000000': {} } }],
  },
  {
    ...{ id: 'U6', of: 'overwrite', because: 'share 0 on s0 is in the map 0 times' },
    lies: [{ where: mapEnd, set: { 'output.holdings.0.shnum': 2 } }],
  },
  {
    ...{ id: 'U6', of: 'overwrite', because: 'w1/writeFile/servermapUpdate goes on' },
    lies: [
      {
        where: mapEnd,
        added: {
          ...{ ...map, kind: 'step', chart: 'servermapUpdate', event: 'server.settled' },
          ...{ state: 'done', transitions: [], context: { statuses: {} } },
        },
      },
    ],
  },
  {
    ...{ id: 'U7', of: 'overwrite', because: 'share 0 on s0 is called corrupt and was not' },
    lies: [{ where: settled, set: { [verdict]: { kind: 'bad', reason: '', head: '' } } }],
  },
  {
    ...{ id: 'U7', of: 'overwrite', because: 'share 1 on s1 is called corrupt and was not' },
    lies: [{ where: begun, added: { kind: 'advice', operation: 'w1', server: 's1', shnum: 1 } }],
  },
  {
    ...{ id: 'U8', of: 'overwrite', because: 's3 is asked after its report' },
    lies: [
      {
        where: { ...map, kind: 'step', event: 'server.settled' },
        set: { 'context.statuses.s3': 'asked' },
      },
    ],
  },
  {
    ...{ id: 'U9', of: 'overwrite' },
    because: 'w1/writeFile/servermapUpdate/query:s0 has waited 99999 ms',
    inReal: null,
    lies: [{ where: { kind: 'step', actor: begun.actor }, added: late(99_999) }],
  },
  {
    ...{ id: 'U9', of: 'overwrite', because: 'w1/writeFile/servermapUpdate has taken 10000000 ms' },
    inReal: null,
    lies: [
      { where: mapEnd, isDropped: true },
      { where: { kind: 'choice' }, isLast: true, added: late(1e7) },
    ],
  },
  {
    ...{ id: 'U10', of: 'overwrite' },
    because:
      'w1/writeFile/servermapUpdate/query:s4 is a second query after w1/writeFile/servermapUpdate/query:s0',
    lies: [{ where: { kind: 'step', actor: begun.actor }, set: { 'context.server': 's0' } }],
  },
  {
    ...{ id: 'U11', of: 'overwrite', because: 'share 0 on s0 is sound and called unverified' },
    lies: [{ where: settled, set: { [verdict]: { kind: 'unverified', reason: '' } } }],
  },
  {
    ...{ id: 'U11', of: 'overwrite', because: 'share 0 on s0 is called good and is not' },
    lies: [
      {
        where: begun,
        added: { kind: 'server', server: 's0', event: 'rot', shnum: 0, field: 'signature' },
      },
    ],
  },
  {
    ...{ id: 'U12', of: 'overwrite', because: 'w1 goes on' },
    inReal: null,
    lies: [{ where: begun, added: { kind: 'operation', operation: 'w1', event: 'cancelled' } }],
  },
  {
    ...{ id: 'Q1', of: 'overwrite', because: 's0 has no writer' },
    lies: [{ where: planned, set: { 'context.writes.s0:0': undefined } }],
  },
  {
    ...{
      id: 'Q1',
      of: 'overwrite',
      because: 'w1/writeFile/publish/write:s0:0 is not the only one',
    },
    lies: [
      {
        where: { kind: 'step', actor: 'w1/writeFile/publish/write:s0:0' },
        added: { kind: 'actor', actor: 'w1/writeFile/publish/write:s0:1', chart: 'shareWrite' },
      },
    ],
  },
  {
    ...{ id: 'Q2', of: 'overwrite', because: 'share 1 has no writer' },
    lies: [{ where: planned, set: { 'context.writes.s1:1': undefined } }],
  },
  {
    ...{ id: 'Q3', of: 'overwrite' },
    because: 'the write to s0:0 tests for v9-00000000, and A was seen',
    lies: [
      {
        where: { kind: 'step', actor: 'w1/writeFile/publish/write:s0:0' },
        set: { 'context.tests.0.head': 'v9-00000000' },
      },
    ],
  },
  {
    ...{ id: 'Q4', of: 'overwrite', because: 'uncoordinated, and nothing was surprising' },
    lies: [{ where: published, set: { 'output.kind': 'uncoordinated' } }],
  },
  {
    ...{ id: 'Q4', of: 'overwrite', because: 'w1 is the only writer' },
    inReal: 'w1 met shares of v2-00000000, which a disk may have brought back',
    lies: [
      {
        where: published,
        set: {
          'output.kind': 'uncoordinated',
          'output.surprises': [{ server: 's0', shnum: 0, found: 'v2-00000000' }],
        },
      },
    ],
  },
  {
    ...{ id: 'Q4', of: 'overwrite' },
    because: 'v2-00000000 was in s0:0, and version 2 is called notEnoughServers',
    lies: [
      {
        where: written,
        set: {
          'data.report.seen.0.checkstring': 'v2-00000000',
          'data.report.proven': [{ shnum: 0 }],
        },
      },
      { where: published, set: { 'output.kind': 'notEnoughServers' } },
    ],
  },
  {
    ...{ id: 'Q5', of: 'overwrite', because: 'published on 2 of 3 servers' },
    lies: [{ where: published, set: { 'output.writes.0.status': 'failed' } }],
  },
  {
    ...{ id: 'Q5', of: 'overwrite', because: 'share 0 never came to s4' },
    lies: [{ where: published, set: { 'output.writes.0.server': 's4' } }],
  },
  {
    ...{ id: 'Q5', of: 'overwrite', because: 'what is missing is not named' },
    lies: [{ where: published, set: { 'output.missing': [1] } }],
  },
  {
    ...{
      id: 'Q5',
      of: 'overwrite',
      because: '3 shares on 3 of 3 servers are called indeterminate',
    },
    lies: [{ where: published, set: { 'output.kind': 'indeterminate' } }],
  },
  {
    ...{ id: 'Q6', of: 'overwrite', because: 's0:0 holds the version, and counts as failed' },
    lies: [{ where: written, set: { 'data.report.status': 'failed' } }],
  },
  {
    ...{ id: 'Q6', of: 'overwrite', because: 'our own share 0 on s0 is a surprise' },
    lies: [
      {
        where: published,
        set: {
          'output.version.checkstring': 'v2-00000000',
          'output.surprises': [{ server: 's0', shnum: 0, found: 'v2-00000000' }],
        },
      },
    ],
  },
  {
    ...{ id: 'Q7', of: 'overwrite', because: 'version 3 after 1' },
    lies: [{ where: planned, set: { 'context.seqnum': 3 } }],
  },
  {
    ...{ id: 'Q8', of: 'overwrite', because: 'w1 replaces v2-ffffffff by B' },
    inReal: null,
    lies: [{ where: { kind: 'place' }, set: { before: 'v2-ffffffff' } }],
  },
  {
    ...{ id: 'Q8', of: 'overwrite', because: 'w1 makes unreadable of share 0' },
    inReal: null,
    lies: [{ where: { kind: 'place' }, set: { after: 'unreadable' } }],
  },
  {
    ...{ id: 'G1', of: 'repairs', because: 'A could be read before s1:1 was written' },
    lies: [{ where: mended, set: { server: 's1', shnum: 1, before: 'A', after: 'v2-00000000' } }],
  },
  {
    ...{ id: 'G2', of: 'repairs', because: '1 shares are missing, and s0 could have one' },
    lies: [{ where: mended, isDropped: true }],
  },
  {
    ...{ id: 'G2', of: 'repairs', because: 's2:2 holds A damaged, and could be written' },
    lies: [{ where: mended, set: { after: 'A damaged' } }],
  },
  {
    ...{ id: 'G2', of: 'repairs', because: 'the file is healthy, and is not called so' },
    lies: [
      { where: { event: 'ended', operation: 'w1' }, set: { 'result.value.isHealthy': false } },
    ],
  },
  {
    ...{ id: 'G2', of: 'repairs', because: 'NotEnoughServersError, and A could be repaired' },
    lies: [
      {
        where: { event: 'ended', operation: 'w1' },
        set: { result: { ok: false, error: 'NotEnoughServersError', message: '', seen: null } },
      },
    ],
  },
  {
    ...{ id: 'G3', of: 'repairs', because: 's0:0 is good, and is written' },
    lies: [{ where: mending, set: { 'context.writes.s0:0': 'planned' } }],
  },
  {
    ...{ id: 'G3', of: 'repairs', because: 's3:0: copies that give 0 servers a share' },
    lies: [{ where: mending, set: { 'context.writes.s3:0': 'planned' } }],
  },
  {
    ...{ id: 'G3', of: 'repairs', because: 'a new version, and only shares of A are there' },
    lies: [
      { where: { kind: 'actor', actor: 'w1/repairFile/publish' }, set: { 'input.isAgain': false } },
    ],
  },
  {
    ...{ id: 'G3', of: 'repairs', because: 's2:2 is written, and nothing has changed' },
    // Somebody has repaired it just before.
    lies: [
      {
        kind: 'operation',
        event: 'ended',
        operation: 'w0',
        result: { ok: true, value: { way: 'again' } },
      },
      {
        ...{ kind: 'actor', actor: 'w0/repairFile/servermapUpdate', chart: 'servermapUpdate' },
        input: { servers: ['s0', 's1', 's2', 's3', 's4'] },
      },
      { kind: 'operation', event: 'started', operation: 'w0', spec: { task: { kind: 'repair' } } },
    ].map((added) => ({ where: { kind: 'header' }, added })),
  },
  ...['A1', 'A2'].map(
    (id): Falsehood => ({
      ...{ id, of: 'overwrite', because: 'the best version has 1 of 2 shares' },
      lies: [{ where: { kind: 'place', server: 's1' }, set: { after: null } }],
    }),
  ),
  {
    ...{ id: 'A3', of: 'overwrite', because: 'nothing that contains A has 2 shares' },
    lies: [{ where: { kind: 'place', server: 's1' }, set: { after: 'v2-00000000' } }],
  },
  {
    ...{ id: 'A3', of: 'overwrites', because: 'nothing that contains B has 2 shares' },
    lies: [
      { where: { kind: 'actor', actor: 'w2/writeFile/publish' }, set: { 'input.base': null } },
    ],
  },
  {
    ...{ id: 'X1', of: 'overwrites', because: 'B is one of two acknowledged versions 2' },
    inReal: 'v2-ffffffff and B are acknowledged as versions 2',
    lies: [
      {
        where: { kind: 'end', actor: 'w2/writeFile/publish' },
        set: { 'output.seqnum': 2, 'output.version.checkstring': 'v2-ffffffff' },
      },
    ],
  },
  {
    ...{ id: 'X2', of: 'overwrites', because: 'v2-ffffffff ignores B' },
    lies: [
      {
        where: { kind: 'end', actor: 'w2/writeFile/publish' },
        set: { 'output.seqnum': 2, 'output.version.checkstring': 'v2-ffffffff' },
      },
    ],
  },
  {
    ...{ id: 'X3', of: 'overwrite', because: 'A was read after B was acknowledged' },
    lies: [{ where: { kind: 'actor', chart: 'retrieve' }, set: { 'input.version.id': 'A' } }],
  },
  {
    ...{ id: 'X4', of: 'modifies' },
    because: 'no order explains w1 0 after v1, w2 0 after v1',
    lies: [{ where: { kind: 'contents', operation: 'w2' }, set: { seen: ['v1'] } }],
  },
  {
    ...{ id: 'X4', of: 'modifies' },
    because: 'no order explains w1 0 after v1, w2 0 after v1+w1',
    lies: [
      { where: { actor: 'w2/writeFile/readVersion/retrieve' }, set: { 'input.version.id': 'A' } },
    ],
  },
  {
    ...{
      id: 'X4',
      of: 'updates',
      because: 'no order explains w1 after ?, w2 after ?, last after v1+w1',
    },
    lies: [{ where: { event: 'ended', operation: 'last' }, set: { 'result.seen': ['v1', 'w1'] } }],
  },
  {
    ...{ id: 'M1', of: 'modifies', because: 'A was changed, and the base is B' },
    lies: [
      { where: { actor: 'w2/writeFile/readVersion/retrieve' }, set: { 'input.version.id': 'A' } },
    ],
  },
  {
    ...{ id: 'M2', of: 'overwrite' },
    because: 'B has taken a place of A, which has been on 3 servers',
    lies: [{ where: { ...publish, kind: 'actor' }, set: { 'input.base': null } }],
  },
  {
    ...{ id: 'M2', of: 'overwrites', because: 'C has taken a place of B, which is acknowledged' },
    lies: [
      { where: { kind: 'end', actor: 'w1/writeFile/publish' }, isDropped: true },
      { where: { kind: 'place', operation: 'w1', server: 's0' }, isDropped: true },
      { where: { kind: 'actor', actor: 'w2/writeFile/publish' }, set: { 'input.base': null } },
      {
        where: { kind: 'end', actor: 'w2/writeFile/publish' },
        set: { 'output.version.checkstring': 'B' },
      },
    ],
  },
  {
    ...{ id: 'M3', of: 'overwrite' },
    because: 'version 9 was named, and the publish ended as published',
    inReal: null,
    lies: [{ where: { event: 'ended', operation: 'w1' }, set: { 'result.value.seqnum': 9 } }],
  },
  {
    ...{ id: 'M4', of: 'modifies', because: 'attempt 1 of 0' },
    inReal: null,
    lies: [{ where: { event: 'started', operation: 'w1' }, set: { 'spec.task.attempts': 0 } }],
  },
  {
    ...{ id: 'M5', of: 'links', because: 'C is without w1' },
    lies: [{ where: { kind: 'contents', operation: 'w2' }, set: { made: ['v1', 'w2'] } }],
  },
  {
    ...{ id: 'T1', of: 'modifies', because: 'B holds v1+w1 and was read as v1' },
    lies: [{ where: { kind: 'contents', operation: 'w2' }, set: { seen: ['v1'] } }],
  },
  {
    ...{ id: 'T1', of: 'updates', because: 'C holds w2+w1 and was read as w1' },
    lies: [{ where: { event: 'ended', operation: 'last' }, set: { 'result.seen': ['w1'] } }],
  },
  {
    ...{ id: 'T2', of: 'overwrite', because: 'B was within reach, and the read failed' },
    lies: [
      {
        where: { event: 'ended', operation: 'last' },
        set: { result: { ok: false, error: 'NotEnoughSharesError', message: '', seen: null } },
      },
    ],
  },
  {
    ...{ id: 'T3', of: 'overwrite', because: 'v1+w1 is no version' },
    lies: [{ where: { event: 'ended', operation: 'last' }, set: { 'result.seen': ['v1', 'w1'] } }],
  },
  {
    ...{ id: 'V1', of: 'overwrite', because: 'v2-00000000 on s0 counts, and has no proof' },
    lies: [
      {
        where: published,
        set: { 'output.surprises': [{ server: 's0', shnum: 0, found: 'v2-00000000' }] },
      },
    ],
  },
  {
    ...{ id: 'V2', of: 'overwrite' },
    because: 'v2-00000000 was in s0:0, and the write counts as done',
    lies: [{ where: written, set: { 'data.report.seen.0.checkstring': 'v2-00000000' } }],
  },
  {
    ...{ id: 'V3', of: 'overwrite' },
    because: 'w1 failed, and s0 s1 s2 s3 s4 were enough: NotEnoughServersError',
    lies: [
      {
        where: { event: 'ended', operation: 'w1' },
        set: { result: { ok: false, error: 'NotEnoughServersError', message: '', seen: null } },
      },
    ],
  },
  {
    ...{ id: 'V4', of: 'overwrite', because: 'A was confirmed after B was acknowledged' },
    lies: [
      { where: { kind: 'actor', chart: 'retrieve' }, set: { 'input.version.id': 'A' } },
      {
        where: { kind: 'end', actor: 'last/readFile/servermapUpdate' },
        set: {
          'output.holdings.0.verdict.version': 'A',
          'output.holdings.1.verdict.version': 'A',
          'output.holdings.2.verdict.version': 'A',
        },
      },
    ],
  },
  {
    ...{ id: 'K1', of: 'overwrite' },
    because: 'asked,asked,asked,asked,asked is not verifying,asked,asked,asked,asked',
    lies: [
      {
        where: { ...map, kind: 'step', event: 'server.answered' },
        set: { 'context.statuses.s0': 'asked' },
      },
    ],
  },
  {
    ...{
      id: 'K1',
      of: 'overwrite',
      because: 'w1/writeFile/servermapUpdate goes on, and the kernel is done',
    },
    lies: [
      { where: mapEnd, isDropped: true },
      { where: { ...map, state: 'done' }, isDropped: true },
    ],
  },
];

const records = new Map<string, ReturnType<typeof play>>();

export function recordOf(of: string): ReturnType<typeof play> {
  const record = records.get(of) ?? play(of);
  records.set(of, record);
  return record;
}

/** The whole run, and what the versions in it are called, from the first to the last. */
async function play(of: string) {
  const run = await World.create(runs[of as keyof typeof runs]);
  for (const { spec } of run.operations) {
    await run.choose(`start ${spec.name}`);
    await runToEnd(run);
  }
  const names = new Set(JSON.stringify(run.trace).match(/v\d+-[0-9a-f]{8}/g));
  return { trace: run.trace, names: [...names].sort() };
}

/** `A` is the first version, and so on. */
export function withNames(text: string, names: readonly string[]): string {
  return text.replace(/\b[A-C]\b/g, (letter) => names['ABC'.indexOf(letter)] as string);
}

/** The record as the lie has it. */
export function told(
  trace: readonly TraceRecord[],
  { where, isLast, set = {}, isDropped, added }: Lie,
  names: readonly string[],
): readonly TraceRecord[] {
  const isIt = (record: TraceRecord) =>
    Object.entries(where).every(([path, value]) => valueAt(record, path) === value);
  const place = isLast ? trace.findLastIndex(isIt) : trace.findIndex(isIt);
  const found = trace[place];
  if (found === undefined) throw new Error(`nothing is like ${JSON.stringify(where)}`);
  const changed = structuredClone(found);
  for (const [path, value] of Object.entries(set)) {
    const keys = path.split('.');
    const holder = valueAt(changed, keys.slice(0, -1).join('.')) as Record<string, unknown>;
    const key = keys.at(-1) as string;
    if (value === undefined) delete holder[key];
    else holder[key] = typeof value === 'string' ? withNames(value, names) : value;
  }
  const { seq, at, step } = found;
  const behind = added === undefined ? [] : [{ seq, at, step, ...added } as unknown as TraceRecord];
  return [
    ...trace.slice(0, place),
    ...(isDropped ? [] : [changed]),
    ...behind,
    ...trace.slice(place + 1),
  ];
}

function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], value);
}
