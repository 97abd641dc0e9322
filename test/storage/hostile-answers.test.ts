/**
 * Whatever an HTTPS server answers, each call of the client ends in time, in little memory, with
 * what the protocol allows or with a typed error, and no error holds a secret.
 *
 * 200 answers; `npm run hostile` has 5,000. What fails says its seed: `SEED=S ANSWERS=1 npm run
 * hostile` plays that one again.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import {
  AnswerLostError,
  BadWriteEnablerError,
  NoSuchShareError,
  ServerUnavailableError,
} from '../../src/errors.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { ReadTestWriteAnswer, ReadTestWriteRequest } from '../../src/storage/server.ts';
import { makeCertificate } from '../support/certificates.ts';
import { SWISSNUM } from '../support/http-storage.ts';
import { misbehaviourOf, type Step } from '../support/misbehaving-answers.ts';
import { leaksIn, shown } from '../support/secret-search.ts';
import { part, random, randomSecrets, write } from '../support/test-slot.ts';

const answers = Number(process.env.ANSWERS ?? 200);
const firstSeed = Number(process.env.SEED ?? 1);

/** The default; here it passes when the server hangs or trickles. */
const silenceMs = 60_000;
/** Of real time, for one call: on a loaded machine. */
const callMsMax = 10_000;
/** Of one call, beyond what there was before it, in bytes; the largest answer has some 10^5. */
const memoryMax = 32 * 2 ** 20;
/** What all calls may leave behind, in bytes. When garbage is collected is not theirs to say. */
const leftMax = 32 * 2 ** 20;
/** The client's timers are not the real ones; these are. */
const { setTimeout: later } = globalThis;

const secrets = randomSecrets();
const { writeEnabler, renewSecret, cancelSecret } = secrets;
const allSecrets = [utf8(SWISSNUM), writeEnabler, renewSecret, cancelSecret];
const storageIndex = random(16);
const range = { offset: 0, length: 10 };
const change: ReadTestWriteRequest = {
  secrets,
  shares: new Map([[0, write({ parts: [part(0, 'new')] })]]),
  reads: [{ offset: 0, length: 5 }],
};

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** Every call, and whether what it gives is what its type says. */
const calls: readonly {
  readonly name: string;
  readonly make: (server: HttpServer) => Promise<unknown>;
  readonly isRight: (answer: never) => boolean;
}[] = [
  {
    name: 'version',
    make: (server) => server.version(),
    isRight: ({ application, availableSpace }: Awaited<ReturnType<HttpServer['version']>>) =>
      typeof application === 'string' && typeof availableSpace === 'bigint',
  },
  {
    name: 'list',
    make: (server) => server.listShares(storageIndex),
    isRight: (shnums: readonly number[]) => shnums.every(isCount),
  },
  {
    name: 'read',
    make: (server) => server.readShare(storageIndex, 3, range),
    isRight: (bytes: Uint8Array) => bytes instanceof Uint8Array && bytes.length <= 10,
  },
  {
    name: 'read-test-write',
    make: (server) => server.readTestWrite(storageIndex, change),
    isRight: ({ wrote, reads }: ReadTestWriteAnswer) =>
      typeof wrote === 'boolean' &&
      [...reads].every(
        ([shnum, [bytes, ...more]]) =>
          isCount(shnum) && bytes instanceof Uint8Array && bytes.length <= 5 && more.length === 0,
      ),
  },
  {
    name: 'lease',
    make: (server) => server.addLease(storageIndex, secrets),
    isRight: (isThere: unknown) => typeof isThere === 'boolean',
  },
  {
    name: 'advise',
    make: (server) => server.adviseCorruptShare(storageIndex, 3, 'rotten'),
    isRight: (nothing: unknown) => nothing === undefined,
  },
];

const typed = [AnswerLostError, BadWriteEnablerError, NoSuchShareError, ServerUnavailableError];

/** A server that answers by the seed of the moment, whatever it is asked. */
class HostileServer {
  seed = 0;
  readonly #server;
  readonly #open = new Set<Socket>();
  nurl = '';

  constructor({ cert, key }: { readonly cert: string; readonly key: string }) {
    this.#server = createServer({ cert, key }, (socket) => this.#hear(socket));
    this.#server.on('tlsClientError', () => {});
  }

  async start(spkiHash: string): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    this.nurl = `pb://${spkiHash}@127.0.0.1:${port}/${SWISSNUM}#v=1`;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #hear(socket: TLSSocket): void {
    this.#open.add(socket);
    socket.on('error', () => {}).on('close', () => this.#open.delete(socket));
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      // At times before the body is there.
      if (!heard.includes('\r\n\r\n')) return;
      const echo = heard.replaceAll('\r\n', '\n');
      heard = '';
      play(socket, [...misbehaviourOf(this.seed, echo)]);
    });
  }
}

function play(socket: TLSSocket, [step, ...more]: readonly Step[]): void {
  if (step === undefined || socket.destroyed) return;
  if (step.kind === 'send') return void socket.write(step.bytes, () => play(socket, more));
  if (step.kind === 'trickle') {
    trickle(socket, step.bytes, () => play(socket, more));
    return;
  }
  if (step.kind === 'end') socket.end();
  if (step.kind === 'reset') socket.destroy();
  // Whoever still waits for something waits in vain.
  trickle(socket, new Uint8Array(0), () => {});
}

/** A byte each 20 seconds of the client's time, then nothing, until it has enough. */
function trickle(socket: TLSSocket, bytes: Uint8Array, then: () => void): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    vi.advanceTimersByTime(silenceMs / 3);
    if (sent < bytes.length) socket.write(bytes.subarray(sent, sent + 1));
    else if (sent++ === bytes.length) then();
    sent += 1;
  }, 1);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memoryUsed(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let hostile: HostileServer;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const certificate = await makeCertificate();
  hostile = await new HostileServer(certificate).start(certificate.spkiHash);
});
afterAll(async () => {
  await hostile.stop();
  vi.useRealTimers();
});

/** What is wrong with how the client takes the answer of this seed, if anything. */
async function judge(seed: number): Promise<string | undefined> {
  const { name, make, isRight } = calls[seed % calls.length]!;
  const where = `seed ${seed} (${name})`;
  hostile.seed = seed;
  const seeds = { tubId: new Uint8Array(20), permutationSeed: utf8('h') };
  const nurls = [parseNurl(hostile.nurl)];
  const client = new HttpServer({ id: 'h', ...seeds, nurls, silenceMs });
  const late = new Error('hangs');
  const hangs = new Promise((_, reject) => later(() => reject(late), callMsMax).unref());
  try {
    const answer = await Promise.race([make(client), hangs]);
    count('answer');
    if (!isRight(answer as never)) return `${where} gave ${shown(answer).slice(0, 1000)}`;
  } catch (error) {
    count((error as Error).name);
    if (!typed.some((kind) => error instanceof kind)) return `${where} threw ${shown(error)}`;
    const leaks = leaksIn([error, client.status].map(shown).join('\n'), allSecrets);
    if (leaks.length > 0) return `${where} leaks: ${shown(error)}`;
  } finally {
    client.close();
  }
  return undefined;
}

const outcomes = new Map<string, number>();
function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

test(`${answers} misbehaving answers, from seed ${firstSeed}, are survived by every call`, async () => {
  const problems: string[] = [];
  const uncaught: string[] = [];
  const hear = (error: unknown) => uncaught.push(shown(error));
  process.on('uncaughtExceptionMonitor', hear);
  collectGarbage();
  const atFirst = memoryUsed();
  let memoryMost = 0;
  for (let seed = firstSeed; seed < firstSeed + answers; seed++) {
    const before = memoryUsed();
    const problem = await judge(seed);
    if (problem !== undefined) problems.push(problem);
    memoryMost = Math.max(memoryMost, memoryUsed() - before);
  }
  collectGarbage();
  process.off('uncaughtExceptionMonitor', hear);
  expect(problems).toEqual([]);
  expect(uncaught).toEqual([]);
  expect(memoryMost).toBeLessThan(memoryMax);
  expect(memoryUsed() - atFirst).toBeLessThan(leftMax);
  // Not everything is nonsense: some answers are right, and every kind of error occurs.
  if (answers < 5000) return;
  const kinds = ['answer', ...typed.map(({ code }) => code)];
  expect([...outcomes.keys()].sort()).toEqual(kinds.sort());
}, 600_000);
