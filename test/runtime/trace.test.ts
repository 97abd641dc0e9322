import { describe, expect, test } from 'vitest';
import { assign, createActor, fromPromise, sendTo, setup, toPromise } from 'xstate';
import { type ChartRecord, createRecorder, toJson, versionName } from '../../src/runtime/trace.ts';

const prefix = `00${'3'.padStart(16, '0')}${'ab12cd34'.padEnd(64, '0')}${'f'.repeat(68)}`;

const child = setup({
  types: { events: {} as { type: 'go' } },
  actors: { work: fromPromise(async () => 7) },
  guards: { never: () => false },
}).createMachine({
  id: 'child',
  initial: 'idle',
  states: {
    idle: { on: { go: [{ guard: 'never', target: 'over' }, { target: 'busy' }] } },
    busy: { invoke: { id: 'work', src: 'work', onDone: 'over' } },
    over: { type: 'final' },
  },
});

const parent = setup({
  types: { events: {} as { type: 'start'; head: string }, context: {} as { head: string } },
  actors: { child },
  actions: { keep: assign((_, head: string) => ({ head })) },
}).createMachine({
  id: 'parent',
  context: { head: '' },
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        start: {
          target: 'watching.closely',
          actions: { type: 'keep', params: ({ event }: { event: { head: string } }) => event.head },
        },
      },
    },
    watching: {
      initial: 'closely',
      states: { closely: {} },
      invoke: { id: 'kid', src: 'child', onDone: 'ended' },
      entry: sendTo('kid', { type: 'go' }),
      on: {},
    },
    ended: { type: 'final' },
  },
  output: ({ context }: { context: { head: string } }) => context.head,
} as never);

async function record(name?: () => string): Promise<ChartRecord[]> {
  const records: ChartRecord[] = [];
  const inspect = createRecorder({ write: (r) => records.push(r), prefix: name });
  const actor = createActor(parent, {
    id: 'parent',
    inspect,
    input: { key: 'f'.repeat(64) },
  } as never);
  const done = toPromise(actor);
  actor.start();
  actor.send({ type: 'start', head: prefix } as never);
  await done;
  return records;
}

describe('a recorder', () => {
  test('tells causes before effects, states as paths, and which alternative was taken', async () => {
    const records = await record();
    const told = records.map((r) => {
      if (r.kind === 'actor') return `${r.actor} begins`;
      if (r.kind === 'event') return `${r.source ?? 'caller'} → ${r.actor}: ${r.type}`;
      if (r.kind === 'end') return `${r.actor} is ${r.status}`;
      const taken = r.transitions.map((t) => `${t.source || 'root'}#${t.index}→${t.target}`);
      return `${r.actor} in ${r.state} by ${taken.join() || 'nothing'}`;
    });
    expect(told).toEqual([
      'parent begins',
      'parent in waiting by nothing',
      'caller → parent: start',
      'parent/kid begins',
      'parent in watching.closely by waiting#0→watching.closely',
      // XState delivers what is sent to a newborn before it tells where the newborn begins.
      'parent → parent/kid: go',
      'parent/kid in idle by nothing',
      'parent/kid in busy by idle#1→busy',
      'parent/kid/work → parent/kid: xstate.done.actor.work',
      'parent/kid in over by busy#0→over',
      'parent/kid is done',
      'parent/kid → parent: xstate.done.actor.kid',
      'parent in ended by watching#0→ended',
      'parent is done',
    ]);
  });

  test('tells versions by name, and no long bytes', async () => {
    const records = await record();
    expect(records[0]).toEqual({
      ...{ kind: 'actor', actor: 'parent', chart: 'parent', parent: null },
      input: { key: 'ffffffff…' },
    });
    expect(records[2]).toMatchObject({ data: { head: 'v3-ab12cd34' } });
    expect(records.at(-1)).toMatchObject({ output: 'v3-ab12cd34' });
  });

  test('two recordings of one run are equal', async () => {
    expect(await record()).toEqual(await record());
  });

  test('puts whose run it is in front, and counts runs of one name', async () => {
    const records: ChartRecord[] = [];
    const names = ['w1', 'w1', 'w2'];
    const inspect = createRecorder({
      write: (r) => records.push(r),
      prefix: () => names.shift() ?? '',
    });
    for (let i = 0; i < 3; i++) createActor(child, { id: 'child', inspect }).start();
    expect(records.flatMap((r) => (r.kind === 'actor' ? [r.actor] : []))).toEqual([
      ...['w1/child', 'w1/child~2', 'w2/child'],
    ]);
  });
});

describe('to JSON', () => {
  test.each([
    [undefined, null],
    [null, null],
    ['text', 'text'],
    ['a'.repeat(31), 'a'.repeat(31)],
    ['a'.repeat(32), 'aaaaaaaa…'],
    [prefix, 'v3-ab12cd34'],
    [new Uint8Array(5), '5 bytes'],
    [new RangeError('no'), { error: 'RangeError', message: 'no' }],
    [() => 1, 'function'],
    [
      [1, [true]],
      [1, [true]],
    ],
    [
      { a: { [prefix]: 1 }, parent: {}, deadlines: {}, gone: undefined },
      { a: { 'v3-ab12cd34': 1 } },
    ],
  ])('%j', (value, json) => {
    expect(toJson(value)).toEqual(json);
  });

  test.each([
    ['', 'nothing'],
    ['0011223344', 'bytes 00112233'],
    [prefix.slice(0, 82), 'v3-ab12cd34'],
    [`02${prefix.slice(2)}`, 'bytes 02000000'],
  ])('a version of %j is %s', (hex, name) => {
    expect(versionName(hex)).toBe(name);
  });
});
