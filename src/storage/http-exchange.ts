/**
 * @module http-exchange: one HTTP request with its body on the way, and the answer to it.
 *
 * Rules: the body is sent as fast as the server takes it, one piece in memory at a time; a small one,
 * of up to {@link CHUNK} bytes, at once with its header. An answer beyond its limit is not read on. A
 * trickle is no progress: either way {@link CHUNK} bytes, or the end, have to move in their time, so
 * every call ends. What arrives comes in arrays of its own twice, from the socket and as a copy from
 * Node's parser, which hears of it first; both are let go of at once, since V8 looks for such only
 * when there are 32 MiB of them. Node's errors do not leave this file, since they can quote what was
 * on the wire, and a server may echo our secrets.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { reasonOf } from '../../machines/reason.ts';
import { onAbort } from '../abort.ts';
import { releaseOwn } from '../crypto/release.ts';
import {
  announced,
  CallFailedError,
  CHUNK,
  ConnectionClosedError,
  ERROR_BODY_MAX,
  GrowingBytes,
  type HttpAnswer,
  type HttpBody,
  type HttpCall,
  type Progress,
} from './http-call.ts';

/** An answer that nobody waits for any more may take so long, and {@link CHUNK} bytes, to end. */
const RUN_OUT_MS = 500;
const CLOSED_BY_PEER: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** One request, made once. */
export class Exchange {
  readonly #request: ClientRequest;
  readonly #call: HttpCall;
  readonly #silenceMs: number;
  readonly #failed: Promise<never>;
  #fail!: (problem: unknown) => void;
  #progress: Progress = 'unconnected';
  #answering = false;
  /** The caller has its answer, or why there is none. */
  #isOver = false;
  /** The body is being made, which is not the server's silence. */
  #isMaking = false;
  #silence: NodeJS.Timeout | undefined;
  #slowness: NodeJS.Timeout | undefined;

  /** @param request with all its headers, of which nothing has been sent */
  constructor(request: ClientRequest, call: HttpCall, silenceMs: number) {
    this.#request = request;
    this.#call = call;
    this.#silenceMs = silenceMs;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
  }

  /** @throws CallFailedError, what the body rejects with, or the reason of the call's signal */
  async run(): Promise<HttpAnswer> {
    const { signal } = this.#call;
    const letGo = signal && onAbort(signal, () => this.#fail(signal.reason));
    this.#request.on('error', (problem) => this.#fail(this.#failure(problem)));
    this.#expectProgress();
    try {
      return await Promise.race([this.#failed, this.#converse()]);
    } catch (problem) {
      if (signal?.aborted && this.#progress === 'delivered') this.#letRunOut();
      else this.#request.destroy();
      throw problem;
    } finally {
      this.#isOver = true;
      clearTimeout(this.#silence);
      clearTimeout(this.#slowness);
      letGo?.();
      // An answer that came before the request was whole leaves the connection in no usable state.
      if (this.#progress !== 'delivered') this.#request.destroy();
    }
  }

  /** Gives the call up; it fails. */
  close(): void {
    this.#fail(new ConnectionClosedError(this.#progress));
  }

  /** A connection costs more than a short answer. No process waits for either. */
  #letRunOut(): void {
    const timer = setTimeout(() => this.#request.destroy(), RUN_OUT_MS).unref();
    this.#request.once('close', () => clearTimeout(timer));
    this.#request.socket?.unref();
  }

  async #converse(): Promise<HttpAnswer> {
    // It may have been aborted between the call and here, and then no event comes.
    this.#call.signal?.throwIfAborted();
    const answered = new Promise<IncomingMessage>((resolve) => {
      this.#request.once('response', resolve);
    });
    const response = await Promise.race([answered, this.#send().then(() => answered)]);
    this.#answering = true;
    this.#expectProgress();
    return await this.#receive(response);
  }

  async #send(): Promise<void> {
    await new Promise((resolve) => this.#request.once('socket', resolve));
    this.#progress = 'partial';
    const { body } = this.#call;
    let whole: Uint8Array | undefined;
    if (body !== undefined && body.length <= CHUNK) whole = await this.#made(wholeOf(body));
    else if (body !== undefined) await this.#sendBody(body);
    if (this.#request.destroyed || this.#answering) return;
    this.#progress = 'delivered';
    this.#request.end(whole);
    this.#expectProgress();
  }

  /** What the caller makes. */
  async #made<T>(making: Promise<T>): Promise<T> {
    this.#isMaking = true;
    const made = await making;
    this.#isMaking = false;
    this.#expectProgress();
    return made;
  }

  /**
   * In chunks: on a slow line each one that has left is progress, and a share may take minutes. The
   * first piece goes with the headers: a server that wants no more can say so.
   */
  async #sendBody(body: HttpBody): Promise<void> {
    const pieces = body.pieces()[Symbol.asyncIterator]();
    let left = body.length;
    let chunk: Uint8Array | undefined;
    let filled = 0;
    for (let isFirst = true; ; isFirst = false) {
      const next = await this.#made(pieces.next());
      if (next.done) break;
      chunk ??= new Uint8Array(Math.min(CHUNK, next.value.length));
      for (let rest = next.value; rest.length > 0; ) {
        const fitting = rest.subarray(0, chunk.length - filled);
        chunk.set(fitting, filled);
        filled += fitting.length;
        rest = rest.subarray(fitting.length);
        if (!isFirst && filled < Math.min(chunk.length, left)) continue;
        if (this.#request.destroyed || this.#answering) return;
        left -= filled;
        if (left === 0) this.#progress = 'delivered';
        this.#expectProgress();
        const isTaken = this.#request.write(chunk.subarray(0, filled));
        if (!isTaken) await drained(this.#request);
        // What is not waited for stays in Node's queue as it is.
        if (isTaken || isFirst) chunk = new Uint8Array(Math.min(CHUNK, left));
        filled = 0;
      }
    }
    if (chunk !== undefined && !this.#request.destroyed) releaseOwn(chunk);
  }

  async #receive(response: IncomingMessage): Promise<HttpAnswer> {
    const status = response.statusCode ?? 0;
    const succeeded = status >= 200 && status < 300;
    const limit = succeeded ? this.#call.answerMax : ERROR_BODY_MAX;
    const { into = new Uint8Array(Math.min(limit, announced(response.headers))) } = this.#call;
    const body = new GrowingBytes(into);
    let expected = CHUNK;
    this.#expectChunk();
    const { socket } = response;
    socket.on('data', releaseOwn);
    await new Promise<void>((resolve, reject) => {
      response.on('data', (chunk: Uint8Array) => {
        if (body.length + chunk.length > limit || (this.#isOver && body.length > CHUNK)) {
          response.destroy();
          if (succeeded) reject(new Error(`it sent over ${limit} bytes`));
          return resolve();
        }
        body.add(chunk);
        releaseOwn(chunk);
        this.#expectProgress();
        if (body.length < expected) return;
        expected = body.length + CHUNK;
        this.#expectChunk();
      });
      response.once('end', resolve).once('error', reject);
      response.once('close', () => reject(new Error('Premature close')));
    })
      .catch((problem) => {
        throw this.#failure(problem);
      })
      .finally(() => socket.off('data', releaseOwn));
    return { status, headers: response.headers, body: body.whole() };
  }

  #expectProgress(): void {
    if (this.#isOver) return;
    // Cheaper than a new one: an answer may come in a great many pieces.
    if (this.#silence !== undefined) return void this.#silence.refresh();
    this.#silence = setTimeout(() => {
      if (this.#isMaking && !this.#answering) return void this.#silence?.refresh();
      this.#fail(this.#failure(new Error(`it was silent for ${this.#silenceMs} ms`)));
    }, this.#silenceMs);
  }

  #expectChunk(): void {
    if (this.#isOver) return;
    if (this.#slowness !== undefined) return void this.#slowness.refresh();
    const allowedMs = 2 * this.#silenceMs;
    this.#slowness = setTimeout(() => {
      const problem = `it sent less than ${CHUNK} bytes of its answer in ${allowedMs} ms`;
      this.#fail(this.#failure(new Error(problem)));
    }, allowedMs);
  }

  #failure(problem: unknown): CallFailedError {
    const { reusedSocket } = this.#request;
    const { code } = problem as NodeJS.ErrnoException;
    const stale = reusedSocket && !this.#answering && CLOSED_BY_PEER.has(code);
    // OpenSSL's messages span lines.
    const [line] = reasonOf(problem).split('\n', 1);
    return new CallFailedError(line!, this.#progress, { stale });
  }
}

/** A small body in one piece. */
async function wholeOf(body: HttpBody): Promise<Uint8Array> {
  const whole = new GrowingBytes(new Uint8Array(body.length));
  // At once: what made a piece may put the next one where it is.
  for await (const piece of body.pieces()) whole.add(piece);
  return whole.whole();
}

/** Resolves when the request takes more, or never will. */
function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('drain', done).off('close', done);
      resolve();
    };
    request.on('drain', done).on('close', done);
  });
}
