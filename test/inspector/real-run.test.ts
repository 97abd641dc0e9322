import { expect, test } from 'vitest';
import { assign, createActor, setup } from 'xstate';
import { utf8 } from '../../src/bytes.ts';
import { formatCap, readkeyOf } from '../../src/caps.ts';
import { ServerUnavailableError } from '../../src/errors.ts';
import type { GridOptions } from '../../src/grid.ts';
import { recordRealRun } from '../../src/inspector/real-run.ts';
import type { RealRecord } from '../../src/runtime/run-records.ts';
import type { MemoryServer } from '../../src/storage/memory.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, atRest, testGrid, testKey } from '../support/client-grid.ts';
import { vectorKey } from '../support/directories.ts';
import { leaksIn } from '../support/secret-search.ts';

const one = { required: 1, happy: 1, total: 1 };
const contents = utf8('the secret contents');

/** A run on one server, and its records. */
function watched(wrap: (server: MemoryServer) => StorageServer = (server) => server) {
  const records: RealRecord[] = [];
  const inspect = recordRealRun({ version: '1.2.3', write: (record) => records.push(record) });
  return { records, inspect, ...gridOn({ inspect }, wrap) };
}

function gridOn(
  options: Partial<GridOptions>,
  wrap: (server: MemoryServer) => StorageServer = (server) => server,
) {
  const { grid } = testGrid({ count: 1, encoding: one, random: () => 0.5, wrap, ...options });
  return { grid, create: () => grid.create({ format: 'sdmf', contents, key: testKey }) };
}

type Kind = RealRecord['kind'];
type Of<K extends Kind> = Extract<RealRecord, { kind: K }>;

const of = <K extends Kind>(records: readonly RealRecord[], kind: K) =>
  records.filter((record): record is Of<K> => record.kind === kind);

/** Without what differs from run to run. */
const told = (records: readonly RealRecord[], ...kinds: Kind[]) =>
  records
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ seq: _, at: __, step: ___, ...record }) => record);

const lineOf = (record: RealRecord): string => {
  switch (record.kind) {
    case 'header':
      return record.format;
    case 'grid':
      return record.grid;
    case 'chart':
      return `what ${record.chart.id} looks like`;
    case 'operation':
      return `${record.operation} ${record.event}`;
    case 'message':
      return `${record.operation} ${record.server} ${record.what} ${record.event}`;
    case 'advice':
      return `${record.server} is told of sh${record.shnum}`;
    case 'actor':
      return `${record.actor} begins`;
    case 'end':
      return `${record.actor} is ${record.status}`;
    case 'event':
    case 'step':
      return '';
  }
};

const linesOf = (records: readonly RealRecord[]) => records.map(lineOf).filter(Boolean);

test('a run is grids, operations, charts before their actors, and storage calls, in order', async () => {
  const { records, create } = watched();
  const file = await create();
  await file.read();
  expect(linesOf(records)).toEqual([
    'tahoe-mutable-trace 2',
    'grid',
    'create started',
    'what writeFile looks like',
    'create/writeFile begins',
    'what servermapUpdate looks like',
    'create/writeFile/servermapUpdate begins',
    'what serverQuery looks like',
    'create/writeFile/servermapUpdate/query:s0 begins',
    'create s0 list sent',
    'create s0 list delivered',
    'create/writeFile/servermapUpdate is done',
    'what publish looks like',
    'create/writeFile/publish begins',
    'create/writeFile/servermapUpdate/query:s0 is stopped',
    'what shareWrite looks like',
    'create/writeFile/publish/write:s0:0 begins',
    'create s0 write sh0 sent',
    'create s0 write sh0 delivered',
    'create/writeFile/publish is done',
    'create/writeFile is done',
    'create/writeFile/publish/write:s0:0 is stopped',
    'create ended',
    'read started',
    'what readFile looks like',
    'read/readFile begins',
    'read/readFile/servermapUpdate begins',
    'read/readFile/servermapUpdate/query:s0 begins',
    'read s0 list sent',
    'read s0 list delivered',
    'read s0 read sh0 head sent',
    'read s0 read sh0 head delivered',
    'read/readFile/servermapUpdate is done',
    'what readVersion looks like',
    'read/readFile/readVersion begins',
    'what retrieve looks like',
    'read/readFile/readVersion/retrieve begins',
    'what blockRead looks like',
    'read/readFile/readVersion/retrieve/read:s0:0:0 begins',
    'read/readFile/servermapUpdate/query:s0 is stopped',
    'read/readFile/readVersion/retrieve/read:s0:0:0 is stopped',
    'read/readFile/readVersion/retrieve is done',
    'read/readFile/readVersion is done',
    'read/readFile is done',
    'read ended',
  ]);
  expect(records.map(({ seq, step }) => [seq, step])).toEqual(records.map((_, i) => [i, 0]));
  const times = records.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('a record says what there is to say, and of storage calls how many bytes they take', async () => {
  const { records, create } = watched();
  const file = await create();
  await file.read();
  const index = expect.stringMatching(/^[a-z2-7]{26}$/);
  const [header] = told(records, 'header');
  expect(header).toEqual({
    ...{ kind: 'header', format: 'tahoe-mutable-trace 2' },
    about: { run: 'real', began: expect.stringMatching(/^\d{4}-.*Z$/), version: '1.2.3' },
  });
  const deadlines = { queryMs: 15_000, verifyMs: 15_000, readMs: 30_000, writeMs: 60_000 };
  expect(told(records, 'grid')).toEqual([
    {
      ...{ kind: 'grid', grid: 'grid', encoding: one, deadlines },
      servers: [{ id: 's0', nickname: 's0' }],
    },
  ]);
  const [create0, read0] = ['create', 'read'].map((kind) => ({ kind, file: index, grid: 'grid' }));
  const operation = { kind: 'operation', result: null };
  expect(told(records, 'operation')).toEqual([
    { ...operation, operation: 'create', event: 'started', spec: { ...create0, file: null } },
    { ...operation, operation: 'create', event: 'ended', spec: create0, result: { ok: true } },
    { ...operation, operation: 'read', event: 'started', spec: read0 },
    { ...operation, operation: 'read', event: 'ended', spec: read0, result: { ok: true } },
  ]);
  const call = (id: string, operation: string, what: string, asked: number, answered: number) => {
    const about = { kind: 'message', id, operation, server: 's0', what };
    return [
      { ...about, event: 'sent', phase: 'request', detail: { bytes: asked } },
      { ...about, event: 'delivered', phase: 'answer', detail: { bytes: answered } },
    ];
  };
  expect(told(records, 'message')).toEqual([
    ...call('m1', 'create', 'list', 0, 0),
    ...call('m2', 'create', 'write sh0', 1925, 0),
    ...call('m3', 'read', 'list', 0, 0),
    ...call('m4', 'read', 'read sh0 head', 0, 1925),
  ]);
});

test('no record holds a secret or a byte of the contents', async () => {
  const { records, grid, create } = watched();
  const file = await create();
  const cap = formatCap(file.cap);
  const told = new Error(`cannot do with ${cap}`);
  const telling = () => {
    throw told;
  };
  await expect(file.modify(telling)).rejects.toBe(told);
  const directory = await grid.createDirectory({
    ...{ key: await vectorKey(0), isNewKey: true },
    children: [{ name: 'a', child: cap }],
  });
  await directory.rename('a', 'b');
  for await (const _ of grid.deepCheck(directory.writeCap, { addLease: true }));
  const text = JSON.stringify(records);
  const [one, other] = [file.cap, directory.file!.cap];
  const keys = [one, other].flatMap((cap) => [
    ...('writekey' in cap ? [cap.writekey] : []),
    readkeyOf(cap),
    cap.fingerprint,
  ]);
  expect(leaksIn(text, [...keys, testKey.pkcs8, utf8('secret contents')])).toEqual([]);
  expect(text).not.toMatch(/URI:[^…]/);
  expect(text).toContain('"message":"cannot do with URI:…"');
});

test('each method is an operation of its name, whatever it calls', async () => {
  const { records, grid, create } = watched();
  const file = await create();
  await file.stat();
  await file.readVersion();
  await new Response(file.stream()).arrayBuffer();
  await new Response((await file.streamVersion()).contents).arrayBuffer();
  await file.servermap();
  await file.verify();
  await file.overwrite(contents);
  await file.update(utf8('x'), 0);
  await file.append(utf8('x'));
  await file.modify(() => undefined);
  await file.repair();
  await file.renewLeases();
  const directory = await grid.createDirectory({ key: await vectorKey(0) });
  const target = await grid.createDirectory({ key: await vectorKey(1) });
  await directory.addAll([{ name: 'sub', child: target }]);
  await directory.add('a', file);
  await directory.setMetadata('a', {});
  await directory.rename('a', 'b');
  await directory.find('sub').then(() => directory.get('b'));
  await directory.openDirectory('sub');
  await directory.move('b', target);
  await directory.unlink('sub');
  await directory.list();
  await grid.deepStats(directory.writeCap);
  const [first, ...started] = of(records, 'operation').filter(({ event }) => event === 'started');
  expect(first?.operation).toBe('create');
  const within = ({ spec }: Of<'operation'>) => (spec as { within?: string }).within;
  expect(started.map((it) => `${it.operation}${within(it) ? ` in ${within(it)}` : ''}`)).toEqual([
    ...['stat', 'readVersion', 'stream', 'streamVersion', 'servermap', 'verify', 'overwrite'],
    ...['update', 'append', 'modify', 'repair', 'renewLeases'],
    ...['createDirectory', 'createDirectory~2', 'addAll', 'add', 'setMetadata', 'rename'],
    ...['find', 'get', 'openDirectory', 'move', 'unlink', 'list', 'deepStats'],
    'listing in deepStats',
  ]);
  const roots = of(records, 'actor').filter(({ parent }) => parent === null);
  const moved = roots.filter(({ actor }) => actor.startsWith('move/')).map(({ actor }) => actor);
  expect(moved).toEqual(['move/readFile', 'move/writeFile', 'move/writeFile~2']);
  const ended = of(records, 'operation').filter(({ event }) => event === 'ended');
  expect(ended.map(({ result }) => result)).toEqual(ended.map(() => ({ ok: true })));
  expect(ended.length).toBe(started.length + 1);
});

test('an operation that fails says so, and server and reason are in its records', async () => {
  const { records, create } = watched((server) =>
    altered(server, {
      readTestWrite: async () => {
        throw new ServerUnavailableError('s0', 'no space left on device');
      },
    }),
  );
  const failure = await create().catch((error) => error);
  expect(of(records, 'operation').at(-1)?.result).toEqual({
    ok: false,
    error: failure.name,
    message: failure.message,
  });
  const reason = 'server s0: no space left on device';
  expect(failure.message).toContain(reason);
  expect(of(records, 'message').at(-1)).toMatchObject({
    ...{ event: 'lost', server: 's0', what: 'write sh0' },
    detail: { bytes: 0, error: reason },
  });
  const steps = of(records, 'step').filter(({ chart }) => chart === 'shareWrite');
  expect(steps.at(-1)?.context).toMatchObject({
    server: 's0',
    failure: { kind: 'unreachable', detail: reason },
  });
});

test('an operation that is cancelled ends with the reason, and nobody waits for its calls', async () => {
  const { records, grid, create } = watched((server) =>
    altered(server, { listShares: () => new Promise(() => {}) }),
  );
  const other = await gridOn({}).create();
  const abort = new AbortController();
  const read = grid.open(other.cap).read({ signal: abort.signal });
  await atRest();
  abort.abort(new DOMException('seen enough', 'AbortError'));
  await expect(read).rejects.toThrow('seen enough');
  const closed = create().catch(({ name }) => name);
  await atRest();
  grid.close();
  expect(await closed).toBe('GridClosedError');
  const ends = of(records, 'operation').filter(({ event }) => event !== 'started');
  expect(ends.map(({ operation, event, result }) => ({ operation, event, result }))).toEqual([
    { operation: 'read', event: 'cancelled', result: null },
    {
      ...{ operation: 'read', event: 'ended' },
      result: { ok: false, error: 'AbortError', message: 'seen enough' },
    },
    {
      ...{ operation: 'create', event: 'ended' },
      result: { ok: false, error: 'GridClosedError', message: 'the grid was closed meanwhile' },
    },
  ]);
  expect(of(records, 'message').map(({ id, event }) => [id, event])).toEqual([
    ...[
      ['m1', 'sent'],
      ['m1', 'abandoned'],
      ['m2', 'sent'],
      ['m2', 'abandoned'],
    ],
  ]);
});

test('a machine of the embedder is drawn beside ours, whatever it is called, and holds', async () => {
  const { records, inspect, create } = watched();
  const circular: { self?: unknown; me?: unknown } = {};
  circular.me = circular;
  const shop = setup({
    types: { context: {} as { cap: string; thing: unknown } },
  }).createMachine({
    id: 'publish',
    context: {
      cap: 'URI:SSK:aaaaaaaaaaaaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbbbbbbbbbbbb',
      thing: circular,
    },
    initial: 'idle',
    states: { idle: { on: { order: { guard: () => true, target: 'sold' } } }, sold: {} },
  });
  const actor = createActor(shop, { id: 'create', inspect });
  actor.start();
  actor.send({ type: 'order' });
  await create();
  const charts = of(records, 'chart').map(({ chart }) => chart.id);
  expect(charts).toEqual([
    ...['publish~2', 'writeFile', 'servermapUpdate', 'serverQuery', 'publish', 'shareWrite'],
  ]);
  expect(linesOf(records).slice(2, 5)).toEqual([
    'what publish~2 looks like',
    'create begins',
    'create~2 started',
  ]);
  const steps = of(records, 'step').filter(({ chart }) => chart === 'publish~2');
  expect(steps.map(({ actor, state, context }) => ({ actor, state, context }))).toEqual(
    ['idle', 'sold'].map((state) => ({
      ...{ actor: 'create', state },
      context: { cap: 'URI:…', thing: { me: 'what it is in' } },
    })),
  );
});

test('whatever a context holds, the machine that is watched goes on', () => {
  const { records, inspect } = watched();
  const mean = {
    get nothing() {
      throw new Error('not yours');
    },
  };
  const machine = setup({ types: { context: {} as { held: unknown } } }).createMachine({
    id: 'mean',
    context: { held: null },
    on: { hold: { actions: assign({ held: ({ event }) => event.what }) } },
  });
  const actor = createActor(machine, { id: 'mean', inspect });
  actor.start();
  for (const what of [mean, actor, new Date(0), 1n]) actor.send({ type: 'hold', what });
  expect(of(records, 'step').map(({ context }) => context)).toEqual([
    ...[{ held: null }, 'not to be told: not yours'],
    ...[{ held: 'Actor' }, { held: 'Date' }, { held: 'bigint' }],
  ]);
});

test('a recorder that cannot write changes nothing for the operation', async () => {
  const inspect = recordRealRun({
    version: '1.2.3',
    write: () => {
      throw new Error('no room');
    },
  });
  const file = await gridOn({ inspect }).create();
  expect(await file.read()).toEqual(contents);
});

test('an inspect within another one is told of charts, as XState tells it', async () => {
  const records: RealRecord[] = [];
  const inspect = recordRealRun({ version: '1.2.3', write: (record) => records.push(record) });
  await gridOn({ inspect: (event) => inspect(event) }).create();
  expect(new Set(records.map(({ kind }) => kind))).toEqual(
    new Set(['header', 'chart', 'actor', 'event', 'step', 'end']),
  );
  expect(of(records, 'actor')[0]?.actor).toBe('writeFile');
});

test('the operator of a server is told of a corrupt share in the name of the operation', async () => {
  const reasons: string[] = [];
  const { records, create, grid } = watched((server) =>
    altered(server, {
      readShare: async (...asked) => {
        const bytes = (await server.readShare(...asked)).slice();
        bytes[120] = (bytes[120] as number) ^ 1;
        return bytes;
      },
      adviseCorruptShare: async (_, __, reason) => {
        reasons.push(reason);
      },
    }),
  );
  const { cap } = await create();
  await grid.open(cap).servermap();
  expect(told(records, 'advice')).toEqual([
    { kind: 'advice', operation: 'servermap', server: 's0', shnum: 0, reason: reasons[0] },
  ]);
});
