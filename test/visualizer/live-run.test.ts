/** A page's connection to a process, without a browser: with the receiver, over real sockets. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Broadcast } from '../../src/inspector/broadcast.ts';
import type { RunAbout } from '../../src/inspector/wire.ts';
import { LiveRun } from '../../visualizer/src/live.ts';
import type { Connection } from '../../visualizer/src/model/connection.ts';
import { records, type Told } from './told.ts';

beforeAll(() => {
  // Node 20 has none of its own.
  vi.stubGlobal('WebSocket', WebSocket);
});

afterAll(() => {
  vi.unstubAllGlobals();
});

/** A process with a run, at an address that stays the same when it is another one. */
class Process {
  readonly server: Server = createServer((_, response) => {
    response.writeHead(this.status).end();
  });
  /** For who asks why there is no socket. */
  status = 204;
  broadcast = new Broadcast('first', {});
  readonly #sockets = new Set<Socket>();
  port = 0;
  #count = 0;

  static async at(port = 0): Promise<Process> {
    const made = new Process();
    made.server.on('upgrade', (request, socket, head) => {
      if (made.status === 204) made.broadcast.accept(request, socket, head);
      else socket.destroy();
    });
    made.server.on('connection', (socket) => made.#sockets.add(socket));
    made.server.listen(port, '127.0.0.1');
    await once(made.server, 'listening');
    made.port = (made.server.address() as AddressInfo).port;
    return made;
  }

  tell(count: number): void {
    const clock: Told = ['clock', { now: 0 }];
    for (const record of records(Array<Told>(count).fill(clock), this.#count)) {
      this.broadcast.add(record);
    }
    this.#count += count;
  }

  become(run: string): void {
    this.broadcast = new Broadcast(run, {});
    this.#count = 0;
  }

  /** Hangs up without a word, as a network does, and a process that is killed. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async end(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut();
    await closed;
  }
}

interface Seen {
  readonly live: LiveRun;
  readonly states: Connection[];
  readonly runs: RunAbout[];
  readonly seqs: number[];
  readonly missing: number[];
  readonly problems: string[];
  readonly behind: boolean[];
}

function watch(port: number): Seen {
  const [states, runs, seqs]: [Connection[], RunAbout[], number[]] = [[], [], []];
  const [missing, problems, behind]: [number[], string[], boolean[]] = [[], [], []];
  const live = new LiveRun(`127.0.0.1:${port}/token`, {
    onState: (state) => {
      if (JSON.stringify(state) !== JSON.stringify(states.at(-1))) states.push(state);
    },
    onRun: (run) => runs.push(run),
    onRecords: ({ records: more, missing: left, isBehind }) => {
      seqs.push(...more.map(({ seq }) => seq));
      behind.push(isBehind);
      if (left > 0) missing.push(left);
    },
    onProblem: (problem) => problems.push(problem),
  });
  live.start();
  return { live, states, runs, seqs, missing, problems, behind };
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });

test('it waits, runs, is cut off, comes back, and no record is doubled or lost', async () => {
  const made = await Process.at();
  const seen = watch(made.port);
  await soon(() => expect(seen.states.at(-1)).toEqual({ kind: 'waiting' }));
  made.tell(500);
  await soon(() => expect(seen.seqs).toEqual(upTo(500)));
  made.cut();
  made.tell(500);
  await soon(() => expect(seen.seqs).toEqual(upTo(1000)));
  expect(seen.states).toEqual([
    { kind: 'connecting' },
    { kind: 'waiting' },
    { kind: 'running' },
    { kind: 'reconnecting', attempt: 1 },
    { kind: 'running' },
  ]);
  expect([seen.runs.map(({ id }) => id), seen.missing, seen.problems]).toEqual([['first'], [], []]);
  await made.broadcast.close();
  await soon(() => expect(seen.states.at(-1)).toEqual({ kind: 'over' }));
  await made.end();
});

test('a process that is killed is gone; another one at its address is told apart', async () => {
  const made = await Process.at();
  made.tell(3);
  const seen = watch(made.port);
  await soon(() => expect(seen.seqs).toEqual(upTo(3)));
  await made.end();
  await soon(() => expect(seen.states.at(-1)).toEqual({ kind: 'gone', attempt: 2 }));
  const other = await Process.at(made.port);
  other.become('second');
  other.tell(2);
  await soon(() => expect(seen.seqs).toEqual([...upTo(3), ...upTo(2)]));
  expect(seen.runs.map(({ id }) => id)).toEqual(['first', 'second']);
  expect(seen.states.at(-1)).toEqual({ kind: 'running' });
  seen.live.stop();
  await other.end();
});

test('a token that is refused is said to be, and not tried again', async () => {
  const made = await Process.at();
  made.status = 403;
  const seen = watch(made.port);
  await soon(() => expect(seen.states.at(-1)).toEqual({ kind: 'refused' }));
  await made.end();
  expect(seen.states).toEqual([{ kind: 'connecting' }, { kind: 'refused' }]);
  const none = watch(Number.NaN);
  await soon(() => expect(none.states.at(-1)).toEqual({ kind: 'refused' }));
});

test('who joins late is behind until it has what had happened, and then never again', async () => {
  const made = await Process.at();
  made.tell(2000);
  const seen = watch(made.port);
  await soon(() => expect(seen.seqs.length).toBe(2000));
  expect(seen.runs.map(({ next }) => next)).toEqual([2000]);
  expect(seen.behind.length).toBeGreaterThan(1);
  const caughtUp = seen.behind.map((_, frame, { length }) => frame < length - 1);
  expect(seen.behind).toEqual(caughtUp);
  const frames = seen.behind.length;
  made.tell(500);
  await soon(() => expect(seen.seqs).toEqual(upTo(2500)));
  expect(new Set(seen.behind.slice(frames))).toEqual(new Set([false]));
  seen.live.stop();
  await made.end();
});

test('who joins late is told how much is gone', async () => {
  const made = await Process.at();
  made.broadcast = new Broadcast('first', { records: 20 });
  const told = Array.from({ length: 15 }, (_, i): Told[] => [
    ['actor', { actor: `a~${i}`, chart: 'a', parent: null, input: null }],
    ['end', { actor: `a~${i}`, chart: 'a', status: 'done', output: null }],
  ]).flat();
  for (const record of records(told)) made.broadcast.add(record);
  const seen = watch(made.port);
  await soon(() => expect(seen.seqs.at(-1)).toBe(29));
  const [left = 0] = seen.missing;
  expect(left + seen.seqs.length).toBe(30);
  expect(seen.runs).toEqual([
    { id: 'first', keep: 20, next: 30, gone: { records: left, operations: left / 2 } },
  ]);
  expect(seen.seqs.length).toBeGreaterThan(15);
  seen.live.stop();
  await made.end();
});

test('who reads slowly costs no memory, and gets all that is kept', async () => {
  const made = await Process.at();
  const seen = watch(made.port);
  await soon(() => expect(seen.states.at(-1)).toEqual({ kind: 'waiting' }));
  made.tell(5000);
  await soon(() => expect(seen.seqs.length).toBe(5000));
  expect(seen.seqs).toEqual(upTo(5000));
  seen.live.stop();
  await made.end();
});

test('what is no record is refused by its name, and the others are taken', async () => {
  const hostile: readonly unknown[] = [
    'no JSON',
    '5',
    JSON.stringify([{ type: 'service.register', machine: '{', seq: 0 }]),
    JSON.stringify([
      { type: 'service.event', sessionId: '', event: '{"name":"x"}', seq: 0, at: 0 },
    ]),
    JSON.stringify(
      [
        ...[{ kind: 'clock', event: '{"data":{"data":{"now":"late"}}}', seq: 0, at: 0 }],
        ...[{ kind: 'clock', event: '{"data":{"data":{"now":7}}}', seq: 0, at: 0 }],
      ].map((message) => ({ ...message, type: 'service.event', sessionId: '' })),
    ),
  ];
  class Stranger {
    onmessage: ((event: { data: unknown }) => void) | undefined;
    constructor() {
      queueMicrotask(() => {
        for (const data of hostile) this.onmessage?.({ data });
      });
    }
    close() {}
  }
  vi.stubGlobal('WebSocket', Stranger);
  const seen = watch(1);
  await soon(() => expect(seen.seqs).toEqual([0]));
  vi.stubGlobal('WebSocket', WebSocket);
  expect(seen.problems).toEqual([
    ...Array(2).fill('What comes for record 0: it is no message of @xstate/inspect.'),
    expect.stringMatching(/^What comes for record 0: .* JSON at position 1\.$/),
    expect.stringMatching(/^What comes for record 0: Cannot read properties of undefined/),
    'What comes for record 0: is no clock record: field now is not as it should be.',
  ]);
});
