import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createUnwire, receive } from '../../inspect-v4/src/index.ts';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { parseCap, readkeyOf } from '../../src/caps.ts';
import { TraceError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { History } from '../../src/inspector/history.ts';
import { createInspector, type Inspector } from '../../src/inspector/server.ts';
import type { WireMessage } from '../../src/inspector/wire.ts';
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
    expect(written.at(-1)).toMatchObject({ kind: 'end' });
  });
  const caps = [file.writeCap, file.readCap].map((cap) => parseCap(cap));
  secrets = caps.map((cap) => ('writekey' in cap ? cap.writekey : readkeyOf(cap)));
}, 60_000);

afterAll(async () => {
  await inspector.close();
  await rm(folder, { recursive: true });
});

/** What the real receiver of `@xstate/inspect` gives to someone who joins now. */
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
  const gaps: number[] = [];
  receive(inspector.url.replace(/^.*#live=/, ''), {
    onRecords: (more) => records.push(...more),
    onGap: (expected) => gaps.push(expected),
  });
  await vi.waitFor(() => expect(records.length).toBe(written.length), { timeout: 10_000 });
  for (const socket of sockets) socket.terminate();
  expect(complaints.mock.calls).toEqual([]);
  expect(gaps).toEqual([]);
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
      new Set(['actor', 'event', 'step', 'end']),
    );
    expect(first.map(({ seq }) => seq)).toEqual(first.map((_, i) => i));
  });

  test('holds no cap and no contents', () => {
    const text = JSON.stringify(written);
    expect(leaksIn(text, [...secrets, utf8('secret contents')])).toEqual([]);
    expect(leaksIn(`${text}${toBase32(secrets[0]!)}`, secrets)).toHaveLength(1);
    expect(text).not.toMatch(/URI:|[0-9a-f]{33}/);
  });

  test('tells of numbers that do not come', () => {
    const gaps: [number, number][] = [];
    const seen: number[] = [];
    const unwire = createUnwire({
      onRecords: (records) => seen.push(...records.map(({ seq }) => seq)),
      onGap: (expected, found) => gaps.push([expected, found]),
    });
    for (let seq = 1; seq <= 2001; seq++) {
      unwire({ type: 'service.stop', sessionId: 'x', status: 'done', output: null, seq, at: 0 });
    }
    expect(gaps).toEqual([[0, 1]]);
    expect(seen.length).toBe(2001);
  });
});

describe('the history', () => {
  const messageOf = (run: string, seq: number, text: string): WireMessage => {
    const sessionId = `${run}/query`;
    return { type: 'service.event', sessionId, event: JSON.stringify(text), seq, at: 0 };
  };
  const gone = (seq: number, until: number) => ({
    type: 'service.stop',
    sessionId: '',
    status: 'gone',
    output: null,
    seq,
    at: 0,
    until,
  });
  const parsed = (messages: readonly string[]) => messages.map((json) => JSON.parse(json));

  test('forgets whole runs, the oldest first, and says which numbers are gone', () => {
    const history = new History(1000);
    const long = 'x'.repeat(300);
    const told = [
      ...[messageOf('a', 0, long), messageOf('b', 1, long), messageOf('a', 2, '')],
      ...[messageOf('c', 3, long), messageOf('b', 4, ''), messageOf('c', 5, '')],
    ];
    for (const message of told) history.add(message);
    expect(parsed(history.messages())).toEqual([
      ...[gone(0, 1), gone(2, 3)],
      ...told.filter(({ sessionId }) => sessionId !== 'a/query'),
    ]);
    // What comes of a forgotten run afterwards is gone too.
    expect(parsed(history.add(messageOf('a', 6, 'late')))).toEqual([gone(6, 7)]);
    expect(parsed(history.messages())).not.toContainEqual(messageOf('a', 6, 'late'));
  });

  test('stays within its limit, whatever comes, in one run or in many', () => {
    const history = new History(10_000);
    for (let seq = 0; seq < 5000; seq++) {
      history.add(messageOf(seq < 2500 ? 'long' : `r${seq}`, seq, 'x'.repeat(seq % 700)));
    }
    const kept = history.messages().reduce((sum, { length }) => sum + length, 0);
    expect(kept).toBeGreaterThan(5000);
    expect(kept).toBeLessThan(11_000);
  });

  test('that is gone is told to a late page as such, and the rest is shown at once', () => {
    const gaps: [number, number][] = [];
    const seen: number[] = [];
    const unwire = createUnwire({
      onRecords: (records) => seen.push(...records.map(({ seq }) => seq)),
      onGap: (expected, found) => gaps.push([expected, found]),
    });
    for (const message of [gone(0, 7), gone(8, 9)]) unwire(message as never);
    for (const seq of [7, 9, 10]) {
      unwire({ type: 'service.stop', sessionId: 'x', status: 'done', output: null, seq, at: 0 });
    }
    expect({ gaps, seen }).toEqual({
      gaps: [
        [0, 7],
        [8, 9],
      ],
      seen: [7, 9, 10],
    });
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
    expect(records.at(-1)).toMatchObject({ kind: 'end', chart: 'readFile', status: 'done' });
  });

  test('inspect fails as the other command does', async () => {
    const { stderr, exit } = await runHere(['inspect', '--no-wait', '--', 'get', 'URI:nonsense']);
    expect(exit).toBe(2);
    expect(stderr).toContain('tahoe-mutable: ');
  });
});
