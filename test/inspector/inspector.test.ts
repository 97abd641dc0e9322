import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createUnwire, createWebSocketReceiver } from '../../inspect-v4/src/index.ts';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { parseCap, readkeyOf } from '../../src/caps.ts';
import { BadArgumentError, OutOfRangeError, TraceError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { createInspector, type Inspector } from '../../src/inspector/server.ts';
import { createGridFolder } from '../../src/node.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { runHere } from '../support/cli.ts';
import { testKey } from '../support/client-grid.ts';
import { leaksIn } from '../support/secret-search.ts';

let folder: string;
let inspector: Inspector;
let origin: string;
let written: readonly TraceRecord[];
let secrets: readonly Uint8Array[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inspector-'));
  await writeFile(join(folder, 'index.html'), '<title>page</title>');
  await writeFile(join(folder, 'notes.txt'), 'no page');
  const trace = join(folder, 'run.jsonl');
  inspector = await createInspector({ page: folder, trace });
  origin = new URL(inspector.explorerUrl).origin;
  const servers = Array.from({ length: 13 }, (_, i) => new MemoryServer({ id: `s${i}` }));
  const grid = new Grid({ servers, inspect: inspector.inspect });
  const contents = new TextEncoder().encode('the secret contents');
  const file = await grid.create({ contents });
  await file.modify((old) => Uint8Array.of(...old, 33));
  await file.read();
  await vi.waitFor(async () => {
    const lines = (await readFile(trace, 'utf8')).trimEnd().split('\n');
    written = lines.map((line) => JSON.parse(line));
    expect(written.at(-1)).toMatchObject({ kind: 'operation', operation: 'read', event: 'ended' });
  });
  const caps = [file.writeCap, file.readCap].map((cap) => parseCap(cap));
  secrets = caps.map((cap) => ('writekey' in cap ? cap.writekey : readkeyOf(cap)));
}, 60_000);

afterAll(async () => {
  await inspector.close();
  await rm(folder, { recursive: true });
});

/** What the receiver for sockets of `@xstate/inspect` gives to someone who joins now. */
async function received(): Promise<readonly TraceRecord[]> {
  class PageSocket extends WebSocket {
    constructor(url: string) {
      super(url, { origin });
      sockets.push(this);
    }
  }
  const sockets: WebSocket[] = [];
  vi.stubGlobal('WebSocket', PageSocket);
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {});
  const records: TraceRecord[] = [];
  const server = inspector.url.replace(/^.*#live=/, '');
  const unwire = createUnwire();
  createWebSocketReceiver({ server, serialize: undefined }).subscribe((event) => {
    // The first message is of no record.
    if (!('run' in event)) records.push(unwire(event as never));
  });
  await vi.waitFor(() => expect(records.length).toBe(written.length), { timeout: 10_000 });
  for (const socket of sockets) socket.terminate();
  expect(complaints.mock.calls).toEqual([]);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  return records;
}

describe('a run of 13 servers through the receiver of @xstate/inspect', () => {
  test('comes back record by record, and the same to everyone who joins late', async () => {
    const first = await received();
    expect(first).toEqual(written);
    expect(await received()).toEqual(first);
    expect(new Set(first.map(({ kind }) => kind))).toEqual(
      new Set([
        ...['header', 'grid', 'chart', 'operation', 'message', 'actor', 'event', 'step', 'end'],
      ]),
    );
    expect(first.map(({ seq }) => seq)).toEqual(first.map((_, i) => i));
  });

  test('holds no cap and no contents', () => {
    const text = JSON.stringify(written);
    expect(leaksIn(text, [...secrets, utf8('secret contents')])).toEqual([]);
    expect(leaksIn(`${text}${toBase32(secrets[0]!)}`, secrets)).toHaveLength(1);
    expect(text).not.toMatch(/URI:|[0-9a-f]{33}/);
  });
});

describe('a trace', () => {
  test('that cannot be opened fails at once, and nothing listens', async () => {
    const trace = join(folder, 'none', 'run.jsonl');
    const problem = 'cannot be written: no such file or directory';
    await expect(createInspector({ page: folder, trace })).rejects.toEqual(
      new TraceError(trace, problem),
    );
    const args = ['inspect', '--no-wait', '--trace', trace, '--', 'create', '-'];
    const { stdout, stderr, exit } = await runHere(args, 'words');
    expect({ stdout: stdout.toString(), stderr, exit }).toEqual({
      stdout: '',
      stderr: `tahoe-mutable: ${trace}: ${problem}\n`,
      exit: 1,
    });
  });

  test('that fails half way is said once; what is written is written, and reported', async () => {
    const grid = join(folder, 'full-grid');
    await createGridFolder(grid);
    const cap = join(folder, 'full.cap');
    await writeFile(cap, (await runHere(['--grid', grid, 'create', '-'], 'old')).stdout);
    const args = ['inspect', '--no-wait', '--trace', '/dev/full', '--grid', grid, '--'];
    const put = await runHere([...args, 'put', `@${cap}`, '-', '--json'], 'new words');
    expect(put.exit).toBe(0);
    expect(JSON.parse(put.stdout.toString())).toMatchObject({ seqnum: 2 });
    const complaint = 'tahoe-mutable: /dev/full: the trace is incomplete: no space left on device';
    expect(put.stderr.split('\n').filter((line) => line.includes('trace'))).toEqual([complaint]);
    const { stdout } = await runHere(['--grid', grid, 'get', `@${cap}`]);
    expect(stdout.toString()).toBe('new words');
  });

  test('that fails is told to the program, and who is told may throw', async () => {
    const told: string[] = [];
    const onTraceProblem = ({ message }: TraceError) => {
      told.push(message);
      throw new Error('not interested');
    };
    const made = await createInspector({ page: folder, trace: '/dev/full', onTraceProblem });
    const servers = [new MemoryServer({ id: 's0' })];
    const encoding = { required: 1, happy: 1, total: 1 };
    const grid = new Grid({ servers, encoding, inspect: made.inspect });
    const file = await grid.create({ key: testKey });
    await made.close();
    expect(told).toEqual(['/dev/full: the trace is incomplete: no space left on device']);
    expect(file.created?.seqnum).toBe(1);
  });
});

describe('the server', () => {
  test.each([-1, 1.5, Number.NaN])('keeps no %s records', async (keep) => {
    await expect(createInspector({ page: folder, keep })).rejects.toEqual(
      new OutOfRangeError('keep', keep, 'must be a whole number from 0 to 2^53-1'),
    );
  });

  test('says which port is taken', async () => {
    const port = Number(new URL(inspector.explorerUrl).port);
    await expect(createInspector({ page: folder, port })).rejects.toEqual(
      new BadArgumentError('port', `${port} is taken by another program`),
    );
  });

  test('tells a page with the token that it is there, and any other that it is not', async () => {
    const token = new URL(`http://${inspector.url.replace(/^.*#live=/, '')}`).pathname;
    expect((await status(token)).statusCode).toBe(204);
    expect((await status(`/${'0'.repeat(32)}`)).statusCode).toBe(403);
  });

  const status = (path: string, headers: Record<string, string> = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${origin}${path}`, { headers }, resolve).on('error', reject);
    }).then((response) => {
      response.resume();
      return response;
    });

  test('serves the page under a strict policy, and nothing else', async () => {
    const page = await status('/');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    const others = ['/none.html', '/notes.txt', '/..%2f..%2fpackage.json', '/%2e%2e/index.html.js'];
    for (const path of others) expect((await status(path)).statusCode).toBe(404);
  });

  test('answers to its address only', async () => {
    expect((await status('/', { host: 'evil.example' })).statusCode).toBe(404);
  });

  test.each([
    ['a wrong token', '/0123', {}],
    ['no token', '/', {}],
    ['another origin', undefined, { origin: 'http://evil.example' }],
    ['no origin', undefined, { origin: undefined }],
    ['another host', undefined, { host: 'evil.example' }],
  ])('refuses a socket with %s', async (_, path, headers) => {
    const right = new URL(`ws://${inspector.url.replace(/^.*#live=/, '')}`);
    const url = new URL(path ?? right.pathname, right);
    const given = 'origin' in headers ? headers.origin : origin;
    const socket = new WebSocket(url, {
      ...(given !== undefined && { origin: given }),
      ...('host' in headers && { headers: { host: headers.host } }),
    });
    const refusal = new Promise((resolve) => {
      socket.on('open', () => resolve('open'));
      socket.on('error', (error) => resolve(error.message));
    });
    expect(await refusal).toBe('Unexpected server response: 403');
  });
});

describe('the command', () => {
  test('inspect runs another one, prints where to look, and writes its trace', async () => {
    const grid = join(folder, 'grid');
    await createGridFolder(grid);
    const cap = join(folder, 'cap');
    const created = await runHere(['--grid', grid, 'create', '-'], 'some words');
    await writeFile(cap, created.stdout);
    const trace = join(folder, 'get.jsonl');
    const args = ['inspect', '--no-wait', '--trace', trace, '--grid', grid, '--', 'get', `@${cap}`];
    const { stdout, stderr, exit } = await runHere(args);
    expect({ stdout: stdout.toString(), exit }).toEqual({ stdout: 'some words', exit: 0 });
    expect(stderr).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#live=127\.0\.0\.1:\d+\/[0-9a-f]{32}\n$/);
    const records = (await readFile(trace, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l));
    const charts = records.filter(({ kind }) => kind === 'actor').map(({ chart }) => chart);
    expect([...new Set(charts)].sort()).toEqual([
      'blockRead',
      'readFile',
      'readVersion',
      'retrieve',
      'serverQuery',
      'servermapUpdate',
    ]);
    expect(records.at(-1)).toMatchObject({
      kind: 'operation',
      operation: 'stream',
      event: 'ended',
    });
  });

  test('inspect fails as the other command does, at once if that has tried nothing', async () => {
    const { stderr, exit } = await runHere(['inspect', '--', 'get', 'URI:nonsense']);
    expect(exit).toBe(2);
    expect(stderr).toContain('tahoe-mutable: ');
  });
});
