/** What the page knows of a real run beside its charts. */
import { expect, test } from 'vitest';
import { markAt, TraceModel } from '../../visualizer/src/model/trace-model.ts';
import { records, type Told } from './told.ts';

const deadlines = { queryMs: 10_000, verifyMs: 20_000, readMs: 20_000, writeMs: 60_000 };
const about = { kind: 'read', file: 'abcd', grid: 'home' };
const message = (event: string, what: string, bytes: number, error?: string): Told => [
  'message',
  {
    ...{ event, id: `c1 ${what}`, operation: 'read~1', server: 's0', what },
    ...{ phase: event === 'sent' ? 'request' : 'answer' },
    detail: { bytes, ...(error !== undefined && { error }) },
  },
];

/** The time of each is its place, times ten. */
const told: readonly Told[] = [
  ['header', { format: 'tahoe-mutable-trace 2', about: { run: 'real', began: '', version: '1' } }],
  [
    'grid',
    {
      ...{ grid: 'home', encoding: { required: 3, happy: 7, total: 10 }, deadlines },
      servers: [
        { id: 's0', nickname: 'attic' },
        { id: 's1', nickname: null },
      ],
    },
  ],
  ['operation', { operation: 'read~1', event: 'started', spec: about, result: null }],
  ['actor', { actor: 'read~1/readFile', chart: 'readFile', parent: null, input: null }],
  message('sent', 'list', 10),
  message('delivered', 'list', 25),
  message('sent', 'read sh0 head', 11),
  message('lost', 'read sh0 head', 0, 'connection reset'),
  message('sent', 'read sh1 head', 12),
  [
    'step',
    {
      ...{ actor: 'read~1/readFile', chart: 'readFile', event: 'GO', state: 'mapping' },
      ...{ transitions: [], context: {} },
    },
  ],
  ['end', { actor: 'read~1/readFile', chart: 'readFile', status: 'error', output: null }],
  [
    'operation',
    {
      ...{ operation: 'read~1', event: 'ended', spec: about },
      result: { ok: false, error: 'NotEnoughSharesError', message: '2 of 3' },
    },
  ],
  ['actor', { actor: 'toggle', chart: 'toggle', parent: null, input: null }],
  ['end', { actor: 'toggle', chart: 'toggle', status: 'done', output: null }],
];

const moment = (index: number) => ({ position: index + 1, column: index, at: 10 * index });

function modelOf(list: readonly Told[]): TraceModel {
  const model = new TraceModel(false);
  model.add(records(list));
  return model;
}

test('an operation has its kind, file, times, outcome, error and calls; so has a machine of others', () => {
  const { run } = modelOf(told);
  const call = { operation: 'read~1', server: 's0' };
  const calls = [
    {
      ...{ ...call, id: 'c1 list', what: 'list', sent: moment(4), ended: moment(5) },
      ...{ fate: 'answered', bytesSent: 10, bytesReceived: 25, error: null },
    },
    {
      ...{ ...call, id: 'c1 read sh0 head', what: 'read sh0 head', sent: moment(6) },
      ...{ ended: moment(7), fate: 'lost', bytesSent: 11, bytesReceived: null },
      error: 'connection reset',
    },
    {
      ...{ ...call, id: 'c1 read sh1 head', what: 'read sh1 head', sent: moment(8), ended: null },
      ...{ fate: 'underway', bytesSent: 12, bytesReceived: null, error: null },
    },
  ];
  expect([...run.operations.values()]).toEqual([
    {
      ...{ name: 'read~1', ...about, started: moment(2), ended: moment(11), outcome: 'failed' },
      ...{ last: moment(11), isHeadless: false, isCut: false },
      ...{ error: { name: 'NotEnoughSharesError', message: '2 of 3' }, calls },
    },
    {
      ...{ name: 'toggle', kind: null, file: null, grid: null, started: moment(12) },
      ...{ ended: moment(13), outcome: 'done', error: null, calls: [] },
      ...{ last: moment(13), isHeadless: false, isCut: false },
    },
  ]);
  expect(run.calls).toEqual(calls);
});

test('a grid has its deadlines, a server its nickname, a mark its milliseconds', () => {
  const model = modelOf(told);
  expect(model.run.isReal).toBe(true);
  expect(model.run.grids.get('home')?.deadlines).toEqual(deadlines);
  expect([...model.run.nicknames]).toEqual([['s0', 'attic']]);
  expect([...model.servers]).toEqual(['s0', 's1']);
  const twins = ['v0-abcdefgh', 'v0-zyxwvuts'].map((id) => ({ id, nickname: 'attic' }));
  const [, [kind, grid] = ['grid', {}]] = told;
  const [first, second] = twins.map(({ id }) => id) as [string, string];
  expect([...modelOf([[kind, { ...grid, servers: twins }]]).run.nicknames]).toEqual([
    [first, 'attic (v0-abcde)'],
    [second, 'attic (v0-zyxwv)'],
  ]);
  const track = model.tracks.get('read~1/readFile')!;
  expect(markAt(track, 10)).toMatchObject({ ...moment(9), state: 'mapping' });
  expect(track.end).toEqual({ ...moment(10), status: 'error' });
});

test('what a killed process leaves runs to the end of the trace', () => {
  const { run } = modelOf(told.slice(0, 6));
  const [operation] = run.operations.values();
  expect(operation).toMatchObject({ outcome: 'running', ended: null, error: null });
});

test('names and JSON that mean something else to JavaScript are taken as they are', () => {
  const name = '__proto__';
  const { run, servers } = modelOf([
    ['header', { format: 'tahoe-mutable-trace 2', about: { servers: [null, 7, { id: 3 }] } }],
    ['operation', { operation: name, event: 'started', spec: 5, result: null }],
    ['operation', { operation: name, event: 'constructor', spec: [], result: 'x' }],
    ['actor', { actor: `${name}/a`, chart: 'valueOf', parent: null, input: null }],
    [
      'message',
      {
        ...{ event: 'sent', id: name, operation: name, server: name, what: name },
        ...{ phase: 'request', detail: null },
      },
    ],
    [
      'message',
      {
        ...{ event: 'toString', id: name, operation: name, server: name, what: name },
        ...{ phase: 'answer', detail: null },
      },
    ],
  ]);
  expect([...servers]).toEqual([]);
  const [operation] = run.operations.values();
  expect({ ...operation, calls: operation?.calls.map(({ fate }) => fate) }).toEqual({
    ...{ name, kind: null, file: null, grid: null, started: moment(1), ended: moment(2) },
    ...{ outcome: 'done', error: null, calls: ['underway'] },
    ...{ last: moment(5), isHeadless: false, isCut: false },
  });
});
