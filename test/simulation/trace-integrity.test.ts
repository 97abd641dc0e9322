/**
 * Nothing is said to hold of a trace that does not show it: one real trace, whole, and spoilt in
 * every way that a reader of it would not see.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { assign, createActor, createMachine } from 'xstate';
import { Grid } from '../../src/grid.ts';
import { recordRealRun } from '../../src/inspector/real-run.ts';
import type { RealRecord } from '../../src/runtime/run-records.ts';
import { judgeTrace } from '../../src/simulation/judge-trace.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { bytesOf, memoryServers, testKey } from '../support/client-grid.ts';

type Fields = Readonly<Record<string, unknown>>;
type Trace = readonly TraceRecord[];

let honest: Trace;
/** Ids of the properties that hold in it. */
let held: readonly string[];

beforeAll(async () => {
  const written: RealRecord[] = [];
  const inspect = recordRealRun({ version: '0.0.0', write: (record) => written.push(record) });
  const encoding = { required: 2, happy: 3, total: 4 };
  const leaseSecret = bytesOf(32);
  const grid = new Grid({ servers: memoryServers(4), encoding, inspect, leaseSecret });
  const file = await grid.create({ contents: bytesOf(10), key: testKey });
  // Somebody's own machine beside.
  const own = createMachine({
    ...{ id: 'own', type: 'parallel', context: { n: 0 } },
    states: {
      a: { on: { go: { actions: assign({ n: 1 }) } } },
      b: { initial: 'c', states: { c: {} } },
    },
  });
  const actor = createActor(own, { inspect }).start();
  await Promise.all([file.modify((old) => old.slice(1)), file.read()]);
  actor.send({ type: 'go' });
  actor.stop();
  await file.modify(() => Promise.reject(new Error('no'))).catch(() => undefined);
  const signal = AbortSignal.timeout(0);
  await Promise.allSettled([file.read({ signal }), file.verify()]);
  await file.renewLeases();
  honest = JSON.parse(JSON.stringify(written));
  held = of(judgeTrace(honest), 'holds');
});

function of(judged: ReturnType<typeof judgeTrace>, kind: string): readonly string[] {
  if (judged.kind === 'refused') return [judged.problem];
  return judged.properties.flatMap(({ id, verdict }) => (verdict.kind === kind ? [id] : []));
}

/** Why what held does so no more: the reasons, or the one why the whole trace is refused. */
function reasons(trace: Trace): readonly string[] {
  const judged = judgeTrace(trace);
  if (judged.kind === 'refused') return [`refused: ${judged.problem}`];
  return [
    ...new Set(
      judged.properties.flatMap(({ id, verdict }) => {
        if (!held.includes(id)) return [];
        return verdict.kind === 'undecided' ? [verdict.because] : [`${id} ${verdict.kind}`];
      }),
    ),
  ];
}

const numbered = (trace: Trace) => trace.map((record, seq) => ({ ...record, seq }));
const without = (gone: (record: TraceRecord) => boolean) => (trace: Trace) =>
  numbered(trace.filter((record) => !gone(record)));
const changed =
  (kind: string, change: (record: Fields & TraceRecord) => object) => (trace: Trace) =>
    trace.map((record) =>
      record.kind === kind ? ({ ...record, ...change(record as never) } as TraceRecord) : record,
    );
const isOfChart = ({ kind }: TraceRecord) => /^(actor|event|step|end)$/.test(kind);
const actorOf = (record: TraceRecord) => ('actor' in record ? record.actor : '');

const edits: readonly {
  readonly what: string;
  readonly edit: (trace: Trace) => Trace;
  readonly because: RegExp;
  /** What it breaks besides, so that it is seen as it is. */
  readonly violated?: string;
}[] = [
  {
    what: 'only operations and messages are left',
    edit: without(isOfChart),
    because: /^no chart of create is in the trace$/,
  },
  {
    what: 'only operations are left',
    edit: without((record) => isOfChart(record) || record.kind === 'message'),
    because: /^no chart of create is in the trace$/,
  },
  {
    what: 'every state is wonderland',
    edit: changed('step', () => ({ state: 'wonderland' })),
    because: /^refused: the step record \d+ is not .*: writeFile has no state "wonderland"$/,
  },
  {
    what: 'a state that is not reached',
    edit: (trace) => {
      const seq = trace.findIndex(({ kind, ...rest }) => {
        return kind === 'step' && (rest as unknown as Fields).state === 'collecting.verifying';
      });
      return trace.map((record) =>
        record.seq === seq ? ({ ...record, state: 'done' } as TraceRecord) : record,
      );
    },
    because: /^how \S+servermapUpdate came to done is not in the trace$/,
    violated: 'K1',
  },
  {
    what: 'a transition that the chart does not have',
    edit: changed('step', () => ({
      transitions: [{ source: 'done', event: 'x', index: 0, target: 'done' }],
    })),
    because: /^refused: the step record \d+ is not .*: writeFile has no such transition$/,
  },
  {
    what: 'a verify without its actors',
    edit: without((record) => actorOf(record).startsWith('verify/')),
    because: /^no chart of verify is in the trace$/,
  },
  {
    what: 'no chart of a single server',
    edit: without((record) => isOfChart(record) && actorOf(record).includes('/query:')),
    because: /^the beginning of create\/writeFile\/servermapUpdate\/query:s\d is not in the trace$/,
  },
  {
    what: 'no messages',
    edit: without(({ kind }) => kind === 'message'),
    because: /^the answer of s\d to create\/\S+ is not in the trace$/,
  },
  {
    what: 'all messages delivered, none sent',
    edit: changed('message', () => ({ event: 'delivered' })),
    because: /^the call that record \d+ ends is not in the trace$/,
  },
  {
    what: 'no charts are told',
    edit: without(({ kind }) => kind === 'chart'),
    because: /^what the chart writeFile looks like is not in the trace$/,
  },
  {
    what: 'no grid',
    edit: without(({ kind }) => kind === 'grid'),
    because: /^what grid create is on is not in the trace$/,
  },
  {
    what: 'a grid without servers',
    edit: changed('grid', () => ({ servers: [] })),
    because: /^refused: the grid record 1 is not .*: it has no servers$/,
  },
  {
    what: 'an encoding that cannot be',
    edit: changed('grid', () => ({ encoding: { required: 5, happy: 3, total: 4 } })),
    because: /^refused: the grid record 1 is not .*: 5 of 4 shares on 3 servers cannot be$/,
  },
  {
    what: 'an encoding that is not that of the charts',
    edit: changed('grid', () => ({ encoding: { required: 1, happy: 1, total: 1 } })),
    because: /^create\/writeFile\/servermapUpdate is of another encoding than its grid$/,
  },
  {
    what: 'deadlines that are none',
    edit: changed('grid', () => ({ deadlines: { queryMs: 'x' } })),
    because: /^refused: the grid record 1 is not .*: its deadlines are no numbers$/,
  },
  {
    what: 'servers of a grid with other names',
    edit: changed('grid', ({ servers }) => ({
      servers: (servers as readonly object[]).map((one, i) => ({ ...one, id: `x${i}` })),
    })),
    because: /^refused: the message record \d+ is not .*: grid has no server "s\d"$/,
  },
  {
    what: 'every server is sX',
    edit: (trace) => JSON.parse(JSON.stringify(trace).replace(/"s\d"/g, '"sX"')),
    because: /^refused: the grid record 1 is not .*: it has two servers of one id$/,
  },
  {
    what: 'time that runs backwards',
    edit: (trace) => trace.map((record, i) => ({ ...record, at: trace.length - i })),
    because: /^time runs backwards at record 1$/,
  },
  {
    what: 'fewer bytes than none',
    edit: changed('message', () => ({ detail: { bytes: -5 } })),
    because: /^refused: the message record \d+ is not .*: its bytes are no number$/,
  },
  {
    what: 'messages without detail',
    edit: changed('message', () => ({ detail: null })),
    because: /^refused: the message record \d+ is not .*: its bytes are no number$/,
  },
  {
    what: 'five records cut out of the middle',
    edit: (trace) => trace.filter(({ seq }) => seq < 200 || seq > 204),
    because: /^records 200–204 are missing$/,
  },
  {
    what: 'one record cut out',
    edit: (trace) => trace.filter(({ seq }) => seq !== 50),
    because: /^record 50 is missing$/,
  },
  {
    what: 'a forgotten beginning',
    edit: (trace) => trace.filter(({ seq }) => seq < 3 || (seq > 90 && seq !== 200)),
    because: /^records 3–90 and others are missing$/,
  },
  {
    what: 'a write that is said to have failed',
    edit: changed('operation', ({ operation, event }) =>
      operation === 'modify' && event === 'ended'
        ? { result: { ok: false, error: 'Error', message: 'no' } }
        : {},
    ),
    because: /^modify has failed, and its chart says that it is published$/,
  },
  {
    what: 'an operation whose chart never ends',
    edit: without((record) => record.kind === 'end' && record.actor === 'modify/writeFile'),
    because: /^modify has ended, and the end of modify\/writeFile is not in the trace$/,
    violated: 'M3',
  },
];

describe('a trace that does not show what holds', () => {
  test('as it was written it decides what charts decide', () => {
    expect([held.length, of(judgeTrace(honest), 'violated')]).toEqual([26, []]);
  });

  test('and also wherever it ends, but for what has not begun', () => {
    for (let end = 10; end < honest.length; end += 200) {
      const judged = judgeTrace(honest.slice(0, end));
      expect([end, of(judged, 'holds')]).toEqual([end, held]);
    }
  });

  test.each(edits)('$what: nothing holds', ({ edit, because, violated }) => {
    expect(reasons(edit(honest))).toEqual([
      expect.stringMatching(because),
      ...(violated === undefined ? [] : [`${violated} violated`]),
    ]);
  });
});
