/**
 * @module broadcast: a run, told to every page that asks for it, from the beginning or from where
 * it had come to.
 *
 * A page is sent the next records when it has taken the last ones, so one that reads slowly costs
 * the program little memory: what it has not read yet is in the history, which keeps some more for
 * it; when that has forgotten it, the page sees numbers left out.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { TraceRecord } from '../simulation/world-types.ts';
import { History, type HistoryLimits } from './history.ts';
import { createWire, helloOf } from './wire.ts';

/** A page has nothing to tell but that it is there, in bytes. */
const frameMax = 64 * 1024;
/** Of messages that go together, in characters: a page draws between two of them. */
const batchMax = 128 * 1024;
/** For those who are told that it is over, in milliseconds. */
const farewellMs = 500;
/** How a socket is closed when the program ends the inspector. */
const goingAway = 1001;

interface Reader {
  readonly socket: WebSocket;
  /** Whether a frame may hold many messages, as a JSON array. */
  readonly isBatched: boolean;
  /** The number of the record that is told next. */
  next: number;
  isBusy: boolean;
}

export class Broadcast {
  readonly #run: string;
  readonly #history: History;
  readonly #wire = createWire();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: frameMax });
  readonly #readers = new Set<Reader>();
  #isDue = false;

  /** @param run tells it from all others */
  constructor(run: string, limits: Partial<HistoryLimits>) {
    this.#run = run;
    this.#history = new History(limits, () =>
      Math.min(...[...this.#readers].map(({ next }) => next)),
    );
  }

  /** Takes the next record; their numbers count up from 0. */
  add(record: TraceRecord): void {
    this.#history.add(record, JSON.stringify(this.#wire(record)));
    if (this.#isDue || this.#readers.size === 0) return;
    this.#isDue = true;
    // What happens at once goes together.
    setImmediate(() => {
      this.#isDue = false;
      for (const reader of this.#readers) this.#tell(reader);
    });
  }

  /**
   * Takes a socket of ours. Its query may be `run` and `next`, of a page that had come so far in
   * this run; without a query it is any receiver of `@xstate/inspect`, and gets one message at a
   * time.
   */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const query = new URLSearchParams(request.url?.split('?')[1] ?? '');
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      const asked = query.get('run') === this.#run ? Number(query.get('next')) : 0;
      const next = Number.isSafeInteger(asked) && asked > 0 ? asked : 0;
      const reader = { socket: client, isBatched: query.has('run'), next, isBusy: false };
      this.#readers.add(reader);
      client.on('close', () => this.#readers.delete(reader));
      const { limits, next: newest, gone } = this.#history;
      const about = { id: this.#run, keep: limits.records, next: newest, gone };
      const hello = JSON.stringify(helloOf(about));
      client.send(reader.isBatched ? `[${hello}]` : hello);
      this.#tell(reader);
    });
  }

  /** Tells the rest to everybody, and that it is over. */
  async close(): Promise<void> {
    const closed = [...this.#readers].map(
      ({ socket }) => new Promise((resolve) => socket.once('close', resolve)),
    );
    for (const reader of this.#readers) {
      while (this.#send(reader));
      reader.socket.close(goingAway, 'the run is over');
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, farewellMs);
    });
    await Promise.race([Promise.all(closed), late]);
    clearTimeout(timer);
    for (const { socket } of this.#readers) socket.terminate();
    this.#sockets.close();
  }

  #tell(reader: Reader): void {
    if (reader.isBusy) return;
    reader.isBusy = this.#send(reader, () => {
      reader.isBusy = false;
      this.#tell(reader);
    });
  }

  /** @returns whether there was something to send */
  #send(reader: Reader, onSent: () => void = () => {}): boolean {
    if (reader.socket.readyState !== reader.socket.OPEN) return false;
    const { messages, next } = this.#history.read(reader.next, reader.isBatched ? batchMax : 0);
    reader.next = next;
    const [first] = messages;
    if (first === undefined) return false;
    reader.socket.send(reader.isBatched ? `[${messages.join(',')}]` : first, onSent);
    return true;
  }
}
