/**
 * @module live: a run in Node as it happens. A socket of our own, since that of `@xstate/inspect`
 * does not tell when it has ended; the receiver, which is loaded only for this, is the real one.
 *
 * Nothing is doubled: records are numbered, and who comes back says how far it had come. What comes
 * may be of anybody who listens there, so every record is checked before it is handed on.
 */
import type { Told } from '@tahoe-mutable/inspect-v4';
import { recordProblem } from '../../src/inspector/read-trace.ts';
import type { RunAbout } from '../../src/inspector/wire.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import { attemptsMax, type Connection, pauseBefore } from './model/connection.ts';

export interface Records {
  /** In the order of their numbers. */
  readonly records: readonly TraceRecord[];
  /** How many were left out before or among them. */
  readonly missing: number;
  /** Whether more had happened before this page connected, and is yet to come. */
  readonly isBehind: boolean;
}

/** What becomes of what is received. */
export interface Viewer {
  readonly onState: (state: Connection) => void;
  /** Another run than before, or the first one: its records begin anew. */
  readonly onRun: (run: RunAbout) => void;
  readonly onRecords: (records: Records) => void;
  /** Something was no record. */
  readonly onProblem: (problem: string) => void;
}

/** How a socket is closed when the process ends the inspector. */
const goingAway = 1001;

const preparations = new Set<TraceRecord['kind']>(['header', 'grid', 'chart']);

type Receive = (message: unknown) => Told;

export class LiveRun {
  readonly #address: string;
  readonly #viewer: Viewer;
  #run = '';
  /** The number of the record that comes next. */
  #next = 0;
  /** The number of the first record that happened after the page connected. */
  #present = 0;
  /** Whether anything has run: a header, grids and charts are only what things run on. */
  #isBegun = false;
  #attempt = 0;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  #createReceiver: (() => Receive) | undefined;
  /** It knows the charts of the actors of this run. */
  #receive: Receive | undefined;

  /** @param address `127.0.0.1:PORT/TOKEN` */
  constructor(address: string, viewer: Viewer) {
    this.#address = address;
    this.#viewer = viewer;
  }

  /** Connects, or looks for the process again, from now on. */
  start(): void {
    clearTimeout(this.#timer);
    this.#attempt = 0;
    this.#isStopped = false;
    this.#viewer.onState({ kind: 'connecting' });
    void this.#connect();
  }

  /** Hears nothing more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  async #connect(): Promise<void> {
    this.#createReceiver ??= (await import('@tahoe-mutable/inspect-v4')).createReceiver;
    this.#receive ??= this.#createReceiver();
    if (this.#isStopped) return;
    const query = new URLSearchParams({ run: this.#run, next: String(this.#next) });
    const socket = openSocket(`ws://${this.#address}?${query}`);
    // What is no address is no whole link.
    if (socket === undefined) return this.#viewer.onState({ kind: 'refused' });
    this.#socket = socket;
    const isOurs = () => !this.#isStopped && this.#socket === socket;
    socket.onmessage = ({ data }) => {
      if (isOurs()) this.#takeFrame(String(data));
    };
    // The close that follows tells it.
    socket.onerror = () => {};
    socket.onclose = ({ code }) => {
      if (!isOurs()) return;
      if (code === goingAway) this.#viewer.onState({ kind: 'over' });
      else void this.#look();
    };
  }

  #takeFrame(frame: string): void {
    this.#attempt = 0;
    const records: TraceRecord[] = [];
    let missing = 0;
    for (const message of messagesIn(frame)) {
      try {
        const record = this.#take(message);
        if (record === undefined) continue;
        missing += record.seq - this.#next;
        this.#next = record.seq + 1;
        records.push(record);
      } catch (problem) {
        this.#viewer.onProblem(
          `What comes for record ${this.#next}: ${(problem as Error).message}.`,
        );
      }
    }
    if (records.length === 0) return;
    this.#isBegun ||= records.some(({ kind }) => !preparations.has(kind));
    this.#tellState();
    this.#viewer.onRecords({ records, missing, isBehind: this.#next < this.#present });
  }

  /**
   * @returns the record, unless it is known
   * @throws TypeError and others when there is none in it
   */
  #take(message: unknown): TraceRecord | undefined {
    const told = (this.#receive as Receive)(message);
    if ('run' in told) {
      this.#greet(told.run);
      return undefined;
    }
    const problem = recordProblem(told.record, -1);
    if (problem !== undefined) throw new TypeError(problem);
    return told.record.seq < this.#next ? undefined : told.record;
  }

  #greet(run: RunAbout): void {
    if (run.id !== this.#run) {
      this.#receive = this.#createReceiver?.();
      this.#run = run.id;
      this.#next = 0;
      this.#isBegun = false;
      this.#viewer.onRun(run);
    }
    this.#present = run.next;
    this.#tellState();
  }

  #tellState(): void {
    this.#viewer.onState({ kind: this.#isBegun ? 'running' : 'waiting' });
  }

  /** Asks why there is no connection, and tries again where that has sense. */
  async #look(): Promise<void> {
    const found = await whoIsAt(this.#address);
    if (this.#isStopped) return;
    if (found === 'stranger') return this.#viewer.onState({ kind: 'refused' });
    if (found === 'unknown') return this.#viewer.onState({ kind: 'unreached' });
    const attempt = ++this.#attempt;
    const isGone = found === 'nobody';
    this.#viewer.onState({ kind: isGone ? 'gone' : 'reconnecting', attempt });
    if (isGone && attempt >= attemptsMax) return;
    this.#timer = setTimeout(() => {
      void (isGone ? this.#look() : this.#connect());
    }, pauseBefore(attempt));
  }
}

function openSocket(url: string): WebSocket | undefined {
  try {
    return new WebSocket(url);
  } catch {
    return undefined;
  }
}

/** Who listens there, since a socket does not say why it is refused. */
async function whoIsAt(
  address: string,
): Promise<'the process' | 'stranger' | 'nobody' | 'unknown'> {
  // Only the page of a process may ask it.
  const [host] = address.split('/');
  if (globalThis.location !== undefined && location.host !== host) return 'unknown';
  try {
    const { ok } = await fetch(`http://${address}`, { method: 'HEAD', cache: 'no-store' });
    return ok ? 'the process' : 'stranger';
  } catch {
    return 'nobody';
  }
}

function messagesIn(frame: string): readonly unknown[] {
  try {
    const messages = JSON.parse(frame);
    return Array.isArray(messages) ? messages : [messages];
  } catch {
    return [undefined];
  }
}
