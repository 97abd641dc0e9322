/**
 * @module network: every storage call as a request in flight, and then an answer in flight.
 *
 * Nothing arrives by itself: the {@link Network} keeps messages until the world delivers, loses or
 * spoils them. {@link RemoteServer} is the other side's face, a {@link StorageServer} like any.
 */
import { bytesToHex, viewOf } from '../bytes.ts';
import { AnswerLostError, ServerUnavailableError } from '../errors.ts';
import { versionName } from '../runtime/trace.ts';
import { fieldAt } from '../share/field-at.ts';
import { headerLengthMax } from '../share/header.ts';
import { diskOf, type MemoryServer } from '../storage/memory.ts';
import type {
  ByteRange,
  CallOptions,
  ReadableShares,
  ReadTestWriteAnswer,
  ReadTestWriteRequest,
  ServerId,
  ShareWrite,
  StorageServer,
} from '../storage/server.ts';
import type { FaultKind } from './faults.ts';

/** A storage call under way, as the world and its visitors see it. */
export interface Message {
  /** `m1`, `m2`… in the order of sending. */
  readonly id: string;
  /** Whose call it is. */
  readonly operation: string;
  /** Who is asked. */
  readonly server: ServerId;
  /** What kind of call. */
  readonly call: 'list' | 'read' | 'write';
  /** Which share, if it is about one. */
  readonly shnum: number | null;
  /** `list`, `read sh2 signature`, `write sh2` */
  readonly what: string;
  /** `w1 s4 read sh2 signature`, with ` #2` behind it when such a one is in flight already. */
  readonly label: string;
  /** Whether the request or the answer is in flight. */
  readonly phase: 'request' | 'answer';
  /** Nobody waits for the answer any more. */
  readonly isAbandoned: boolean;
  /** Held up until time passes. */
  readonly isDelayed: boolean;
  /** Of a write: what the place must hold, and what is to be put there. */
  readonly write: { readonly test: string; readonly version: string } | null;
  /** Bytes of a share that the request carries. */
  readonly bytes: number;
  /** Whether it writes several shares, so that a part of it can be done. */
  readonly canTear: boolean;
}

/** How a call ended at the server. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** A {@link Message} and what becomes of it. */
export class Envelope implements Message {
  readonly id: string;
  readonly operation: string;
  readonly server: ServerId;
  readonly call: Message['call'];
  readonly shnum: number | null;
  readonly what: string;
  readonly label: string;
  readonly write: Message['write'];
  readonly bytes: number;
  phase: Message['phase'] = 'request';
  isAbandoned = false;
  isDelayed = false;
  answer: Answer | undefined;
  /** What was done to the answer on its way. */
  spoiltBy: FaultKind | undefined;
  /** What the server does when the request arrives. */
  readonly execute: () => Promise<unknown>;
  /** What it does when it fails half way. */
  readonly tear: (() => Promise<unknown>) | undefined;
  /** Tells the caller; a second telling has no effect. */
  readonly settle: (answer: Answer) => void;

  constructor(
    about: Pick<Message, 'id' | 'operation' | 'server' | 'label'> & Call,
    settle: (answer: Answer) => void,
  ) {
    this.id = about.id;
    this.operation = about.operation;
    this.server = about.server;
    this.call = about.call;
    this.shnum = about.shnum;
    this.what = about.what;
    this.label = about.label;
    this.write = about.write ?? null;
    this.bytes = about.bytes ?? 0;
    this.execute = about.execute;
    this.tear = about.tear;
    this.settle = settle;
  }

  get canTear(): boolean {
    return this.tear !== undefined;
  }
}

/** What a {@link RemoteServer} asks of the network. */
export interface Call {
  readonly call: Message['call'];
  readonly shnum: number | null;
  readonly what: string;
  readonly write?: Message['write'];
  readonly bytes?: number;
  readonly execute: () => Promise<unknown>;
  readonly tear?: (() => Promise<unknown>) | undefined;
}

export interface NetworkOptions {
  readonly onSent: (message: Message) => void;
  /** A call that fails at once, before anything is sent. */
  readonly onRefused: (operation: string, server: ServerId, what: string) => void;
  readonly onAbandoned: (message: Message) => void;
  readonly onAdvised: (operation: string, server: ServerId, shnum: number, reason: string) => void;
  readonly isDown: (server: ServerId) => boolean;
  /** Whether the operation's process is dead: it sends and hears nothing. */
  readonly isDead: (operation: string) => boolean;
  /** Answers come even to those who no longer wait: a backend that ignores its signal. */
  readonly isDeaf: boolean;
}

/** The messages in flight, oldest first. */
export class Network {
  readonly inFlight: Envelope[] = [];
  readonly #options: NetworkOptions;
  #count = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Advice to a server's operator takes no time, and may go nowhere. */
  advise(operation: string, server: ServerId, shnum: number, reason: string): void {
    const { isDown, isDead, onAdvised } = this.#options;
    if (isDead(operation) || isDown(server)) return;
    onAdvised(operation, server, shnum, reason);
  }

  send(operation: string, server: ServerId, call: Call, signal?: AbortSignal): Promise<unknown> {
    const { isDown, isDead, onRefused } = this.#options;
    if (isDead(operation)) return new Promise(() => {});
    if (isDown(server)) {
      onRefused(operation, server, call.what);
      return Promise.reject(new ServerUnavailableError(server, 'connection refused'));
    }
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer) =>
        answer.ok ? resolve(answer.value) : reject(answer.error as Error);
      const message = this.#post(operation, server, call, settle);
      signal?.addEventListener('abort', () => this.#abandon(message, signal.reason), {
        once: true,
      });
    });
  }

  /** Another copy of a request in flight, whose answer may come first. */
  duplicate(message: Envelope): void {
    const { operation, server } = message;
    this.#post(operation, server, message, message.settle);
  }

  remove(message: Envelope): void {
    const index = this.inFlight.indexOf(message);
    if (index >= 0) this.inFlight.splice(index, 1);
  }

  /** The caller hears that the connection broke; whether the request had its effect is not said. */
  breakOff(message: Envelope): void {
    const { server, call } = message;
    const isUnsure = call === 'write';
    const error = isUnsure
      ? new AnswerLostError(server, 'connection lost')
      : new ServerUnavailableError(server, 'connection lost');
    this.remove(message);
    message.settle({ ok: false, error });
  }

  #post(operation: string, server: ServerId, call: Call, settle: Envelope['settle']): Envelope {
    const id = `m${++this.#count}`;
    const plain = `${operation} ${server} ${call.what}`;
    const about = { ...call, id, operation, server, label: this.#unique(plain) };
    const message = new Envelope(about, settle);
    this.inFlight.push(message);
    this.#options.onSent(message);
    return message;
  }

  #unique(plain: string): string {
    let label = plain;
    for (let n = 2; this.inFlight.some((other) => other.label === label); n++) {
      label = `${plain} #${n}`;
    }
    return label;
  }

  #abandon(message: Envelope, reason: unknown): void {
    if (!this.inFlight.includes(message)) return;
    this.#options.onAbandoned(message);
    if (this.#options.isDeaf) return;
    message.isAbandoned = true;
    message.settle({ ok: false, error: reason });
    // A read that nobody waits for changes nothing any more; a write may still arrive.
    if (message.call !== 'write' || message.phase === 'answer') this.remove(message);
  }
}

/** A server at the other end of the {@link Network}. Advice and leases take no time. */
export class RemoteServer implements StorageServer {
  readonly id: ServerId;
  readonly nickname: string;
  readonly tubId: Uint8Array;
  readonly permutationSeed: Uint8Array;
  /** Immutable files. */
  readonly immutable: ReadableShares;
  readonly #server: MemoryServer;
  readonly #network: Network;
  readonly #operation: () => string;

  constructor(server: MemoryServer, network: Network, operation: () => string) {
    this.id = server.id;
    this.nickname = server.nickname;
    this.tubId = server.tubId;
    this.permutationSeed = server.permutationSeed;
    this.#server = server;
    this.#network = network;
    this.#operation = operation;
    const { immutable } = server;
    this.immutable = {
      listShares: async (index, { signal } = {}) => {
        signal?.throwIfAborted();
        const execute = () => immutable.listShares(index);
        const call = { call: 'list', shnum: null, what: 'list', execute } as const;
        return (await this.#send(call, signal)) as readonly number[];
      },
      readShare: async (index, shnum, range, { signal } = {}) => {
        signal?.throwIfAborted();
        const execute = () => immutable.readShare(index, shnum, range);
        const call = { call: 'read', shnum, what: `read sh${shnum}`, execute } as const;
        return (await this.#send(call, signal)) as Uint8Array;
      },
      adviseCorruptShare: (index, shnum, reason) => this.adviseCorruptShare(index, shnum, reason),
    };
  }

  async listShares(storageIndex: Uint8Array, { signal }: CallOptions = {}) {
    signal?.throwIfAborted();
    const execute = () => this.#server.listShares(storageIndex);
    const answer = await this.#send({ call: 'list', shnum: null, what: 'list', execute }, signal);
    return answer as readonly number[];
  }

  async readShare(
    storageIndex: Uint8Array,
    shnum: number,
    range: ByteRange,
    { signal }: CallOptions = {},
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const { offset } = range;
    const head = diskOf(this.#server).shareBytes(storageIndex, shnum, headerLengthMax);
    const field = fieldAt(head, offset);
    const what = `read sh${shnum} ${field}`;
    const execute = () => this.#server.readShare(storageIndex, shnum, range);
    return (await this.#send({ call: 'read', shnum, what, execute }, signal)) as Uint8Array;
  }

  async readTestWrite(
    storageIndex: Uint8Array,
    request: ReadTestWriteRequest,
    { signal }: CallOptions = {},
  ) {
    signal?.throwIfAborted();
    // What is sent is sent: the bytes are made now, not when the request arrives.
    const shares = new Map<number, ShareWrite>();
    for (const [shnum, write] of request.shares) shares.set(shnum, await withBytes(write));
    signal?.throwIfAborted();
    // Of the others it is only tested what is there.
    const written = [...shares].filter(([, { parts }]) => parts.length > 0);
    const [[shnum, write] = [0, undefined]] = written;
    const what = `write ${written.map(([n]) => `sh${n}`).join(' ')}`;
    const carryOut = (those: ReadTestWriteRequest['shares']) =>
      this.#server.readTestWrite(storageIndex, { ...request, shares: those });
    const [last] = written.at(-1) ?? [];
    const torn = new Map([...shares].map(([n, one]) => [n, n === last ? testOf(one) : one]));
    const call = {
      call: 'write',
      shnum,
      what,
      write: await describeWrite(write),
      bytes: written.flatMap(([, { parts }]) => parts).reduce((sum, { length }) => sum + length, 0),
      execute: () => carryOut(shares),
      tear: written.length > 1 ? () => carryOut(torn) : undefined,
    } as const;
    return (await this.#send(call, signal)) as ReadTestWriteAnswer;
  }

  async addLease(...[storageIndex, secrets]: Parameters<StorageServer['addLease']>) {
    return this.#server.addLease(storageIndex, secrets);
  }

  async adviseCorruptShare(_: Uint8Array, shnum: number, reason: string) {
    this.#network.advise(this.#operation(), this.id, shnum, reason);
  }

  #send(call: Call, signal: AbortSignal | undefined): Promise<unknown> {
    return this.#network.send(this.#operation(), this.id, call, signal);
  }
}

/** Only its tests are left of a share's write; what is absent is not made. */
function testOf({ tests }: ShareWrite): ShareWrite {
  const isAbsent = tests.every(({ specimen }) => specimen.length === 0);
  return { tests, parts: [], newLength: isAbsent ? 0 : null };
}

async function withBytes({ tests, parts, newLength }: ShareWrite): Promise<ShareWrite> {
  const made = await Promise.all(
    parts.map(async ({ offset, length, bytes: make }) => {
      const bytes = (await make()).slice();
      return { offset, length, bytes: async () => bytes };
    }),
  );
  return { tests, parts: made, newLength };
}

async function describeWrite(write: ShareWrite | undefined): Promise<Message['write']> {
  const specimen = write?.tests[0]?.specimen;
  const test =
    specimen === undefined || specimen.length === 0 ? 'absent' : versionName(bytesToHex(specimen));
  const head = await write?.parts.find(({ offset }) => offset === 0)?.bytes();
  if (head === undefined || head.length < 75) return { test, version: 'no head' };
  const prefix = head.subarray(0, viewOf(head).getUint8(0) === 0 ? 75 : 59);
  return { test, version: versionName(bytesToHex(prefix)) };
}
