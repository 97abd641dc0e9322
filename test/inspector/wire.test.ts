/** Every kind of record through the receiver of `@xstate/inspect`, which parses with XState 4. */
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { createReceiver } from '../../inspect-v4/src/index.ts';
import { servermapUpdateMachine } from '../../machines/index.ts';
import { chartOf } from '../../src/inspector/chart.ts';
import { createWire, helloOf } from '../../src/inspector/wire.ts';
import type { Json } from '../../src/runtime/trace.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { records, type Told } from '../visualizer/told.ts';

/** A machine that this project knows nothing of. */
const kettle = createMachine({
  id: 'kettle',
  description: 'boils',
  initial: 'cold',
  states: {
    cold: { on: { HEAT: [{ guard: 'isFull', target: 'hot.boiling' }, { target: '#kettle' }] } },
    hot: { initial: 'warm', states: { warm: { always: 'boiling' }, boiling: { type: 'final' } } },
  },
}).provide({ guards: { isFull: () => true } });

const about = { kind: 'modify', file: 'abcd', grid: 'home' };
const actor = 'modify~3/kettle';
const chart = 'kettle';
/** JSON as it may be, with names that mean something to JavaScript. */
const json: Json = JSON.parse(
  '{"__proto__": {"constructor": 1}, "list": [null, true, "ü\\u2028"]}',
);

const told: readonly Told[] = [
  ['header', { format: 'tahoe-mutable-trace 2', about: { run: 'real', began: 'x', version: '1' } }],
  [
    'grid',
    {
      ...{ grid: 'home', encoding: { required: 3, happy: 7, total: 10 } },
      servers: [{ id: 's0', nickname: null }],
      deadlines: { queryMs: 1, verifyMs: 2, readMs: 3, writeMs: 4 },
    },
  ],
  ['chart', { chart: chartOf(kettle) }],
  ['chart', { chart: chartOf(servermapUpdateMachine) }],
  ['operation', { operation: 'modify~3', event: 'started', spec: about, result: null }],
  ['actor', { actor, chart, parent: null, input: json }],
  ['actor', { actor: `${actor}/query:s0`, chart: 'unheardOf', parent: actor, input: null }],
  ['event', { actor, source: null, type: 'HEAT', data: json }],
  ['event', { actor, source: `${actor}/query:s0`, type: 'xstate.done', data: null }],
  [
    'step',
    {
      ...{ actor, chart, event: 'HEAT', state: 'hot.boiling', context: json },
      transitions: [
        { source: 'cold', event: 'HEAT', index: 0, target: 'hot.boiling' },
        { source: '', event: '', index: 1, target: null },
      ],
    },
  ],
  ...['list', 'read sh0 head'].map(
    (what): Told => [
      'message',
      {
        ...{ event: 'sent', id: 'c7', operation: 'modify~3', server: 's0', what },
        ...{ phase: 'request', detail: { bytes: 40, error: 'none' } },
      },
    ],
  ),
  ['advice', { operation: 'modify~3', server: 's0', shnum: 2, reason: 'bad signature' }],
  ['end', { actor: `${actor}/query:s0`, chart: 'unheardOf', status: 'stopped', output: null }],
  ['end', { actor, chart, status: 'done', output: json }],
  [
    'operation',
    {
      ...{ operation: 'modify~3', event: 'ended', spec: about },
      result: { ok: false, error: 'ReadError', message: 'no' },
    },
  ],
  // Those of simulated runs, too.
  ['choice', { index: 3, label: 'deliver w1 s0 list' }],
  ['place', { server: 's0', shnum: 1, before: null, after: 'v1', operation: null }],
  ['server', { server: 's0', event: 'crash', shnum: null, field: null }],
  ['contents', { operation: 'w1', seen: null, made: ['a'] }],
  ['clock', { now: 5000 }],
];

/** Over the socket, and through the receiver. */
function roundTrip(list: readonly TraceRecord[]): readonly unknown[] {
  const wire = createWire();
  const receive = createReceiver();
  return list.map((record) => receive(JSON.parse(JSON.stringify(wire(record)))));
}

test('every kind of record comes back whole', () => {
  const sent = records(told);
  expect(roundTrip(sent)).toEqual(sent.map((record) => ({ record })));
  const text = (value: unknown) => JSON.stringify(value);
  expect(text(roundTrip(sent)).match(/__proto__/g)?.length).toBe(
    text(sent).match(/__proto__/g)?.length,
  );
});

test('a machine that only its program knows is one of XState 4 on the way', () => {
  const wire = createWire();
  const [record] = records([['chart', { chart: chartOf(kettle) }]]);
  const message = wire(record as TraceRecord);
  if (message.type !== 'service.register') throw new Error(message.type);
  expect(JSON.parse(message.machine)).toEqual({
    ...{ id: 'kettle', description: 'boils', predictableActionArguments: true, initial: 'cold' },
    states: {
      cold: {
        on: { HEAT: [{ target: '#kettle.hot.boiling', cond: 'isFull' }, { target: '#kettle' }] },
      },
      hot: {
        initial: 'warm',
        states: {
          warm: { always: [{ target: '#kettle.hot.boiling' }] },
          boiling: { type: 'final' },
        },
      },
    },
  });
  expect(JSON.parse(message.state).value).toBe('cold');
});

test('of parallel states every region goes and comes back', () => {
  const radio = createMachine({
    id: 'radio',
    type: 'parallel',
    states: {
      up: { initial: 'idle', states: { idle: {}, busy: {} } },
      down: { initial: 'busy', states: { busy: { type: 'parallel', states: { a: {}, b: {} } } } },
      power: {},
    },
  });
  const wire = createWire();
  const step = (state: string): Told => [
    'step',
    { actor: 'radio', chart: 'radio', event: 'GO', state, transitions: [], context: null },
  ];
  const state = 'up.idle & down.busy.a & down.busy.b & power';
  const sent = records([
    ['chart', { chart: chartOf(radio) }],
    ['actor', { actor: 'radio', chart: 'radio', parent: null, input: null }],
    ...[state, '', 'x.y', 'up & down.__proto__'].map(step),
  ]);
  const [machine, actor, first] = sent.map(wire);
  expect(machine?.type === 'service.register' && JSON.parse(machine.machine)).toMatchObject({
    type: 'parallel',
    states: { down: { initial: 'busy', states: { busy: { type: 'parallel' } } } },
  });
  const value = { up: 'idle', down: { busy: { a: {}, b: {} } }, power: {} };
  expect(actor?.type === 'service.register' && JSON.parse(actor.state).value).toEqual(value);
  expect(first?.type === 'service.state' && JSON.parse(first.state).value).toEqual(value);
  expect(roundTrip(sent)).toEqual(sent.map((record) => ({ record })));
});

test('the machine is sent once; its actors are registered in the state that it begins in', () => {
  const wire = createWire();
  const actors = Array.from(
    { length: 100 },
    (_, i): Told => ['actor', { actor: `a~${i}`, chart: 'kettle', parent: null, input: null }],
  );
  const messages = records([['chart', { chart: chartOf(kettle) }], ...actors]).map(wire);
  const machines = messages.map((it) => (it.type === 'service.register' ? it.machine : ''));
  expect(new Set(machines.slice(1))).toEqual(
    new Set(['{"id":"kettle","predictableActionArguments":true}']),
  );
  const [, first] = messages;
  expect(first?.type === 'service.register' && JSON.parse(first.state).value).toBe('cold');
});

describe('the receiver', () => {
  test('says whose run it is', () => {
    const run = { id: '0123', keep: 10, next: 5, gone: { records: 3, operations: 1 } };
    expect(createReceiver()(JSON.parse(JSON.stringify(helloOf(run))))).toEqual({ run });
  });

  test.each([
    ['nothing', undefined],
    ['a number', 5],
    ['another protocol', { type: 'xstate.event' }],
    ['no machine', { type: 'service.register', machine: '{' }],
    ['no state', { type: 'service.state', state: 'null' }],
    ['no event', { type: 'service.event', event: '"x"' }],
  ])('throws at %s, and goes on', (_, message) => {
    const receive = createReceiver();
    expect(() => receive(message)).toThrow(Error);
    const [sent] = records([['clock', { now: 1 }]]);
    expect(receive(createWire()(sent as TraceRecord))).toEqual({ record: sent });
  });
});
