/**
 * @module once: contents that can be read only once: streams, generators, and whatever gives pieces.
 *
 * Whoever has one reads it to its end or releases it. A release ends what the source has open, also
 * while it is waited for.
 */
import { unlessAborted } from '../abort.ts';
import { BadSourceError } from '../errors.ts';
import { kindOf } from '../refusal.ts';
import { bytesFrom, type Piece, tagOf } from './piece.ts';

/** The part of a Node stream that is looked at; no type of Node's is known here. */
interface NodeReadable extends AsyncIterable<unknown> {
  readonly readableDidRead?: boolean;
  readonly readableFlowing?: boolean | null;
  readonly readableEnded?: boolean;
  readonly destroyed?: boolean;
  readonly errored?: unknown;
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

/** One who reads. */
interface Tap {
  next(): Promise<IteratorResult<unknown, unknown>> | IteratorResult<unknown, unknown>;
  /** Nothing more is wanted. */
  stop(reason: unknown): unknown;
}

/** Bytes: a million lines of a log are not written to a disk one by one. */
const blockLength = 2 ** 16;

/** What can only be iterated once, and is. */
const taken = new WeakSet<object>();

export class Once {
  readonly #tap: Tap;
  #isOver = false;
  #length = 0;

  constructor(tap: Tap) {
    this.#tap = tap;
  }

  /** Bytes that it had, all of them; undefined as long as it is not at its end. */
  get length(): number | undefined {
    return this.#isOver ? this.#length : undefined;
  }

  /**
   * Its bytes, the short pieces of them together; each is good until the next one is asked for.
   * @throws what the source throws, BadSourceError for what is no {@link Piece}, and the signal's
   * reason as soon as it is aborted
   */
  async *pieces(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const block = new Uint8Array(blockLength);
    let filled = 0;
    for await (const piece of this.#each(signal)) {
      if (filled > 0 && filled + piece.length > block.length) {
        yield block.subarray(0, filled);
        filled = 0;
      }
      if (piece.length > block.length) {
        yield piece;
      } else {
        block.set(piece, filled);
        filled += piece.length;
      }
    }
    if (filled > 0) yield block.subarray(0, filled);
    this.#isOver = true;
  }

  async *#each(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    // The first half of a character whose second one the next piece begins with.
    let half = '';
    for (let n = 0; ; n++) {
      const { done, value } = await unlessAborted(this.#next(), signal);
      const wrong = (problem: string) => new BadSourceError('contents', `piece ${n} ${problem}`);
      if (half !== '' && typeof value !== 'string') throw wrong('should go on with a character');
      if (done) break;
      const text: unknown = typeof value === 'string' ? half + value : value;
      half = typeof text === 'string' ? (/[\ud800-\udbff]$/.exec(text)?.[0] ?? '') : '';
      const bytes = bytesFrom(half === '' ? text : (text as string).slice(0, -1), wrong);
      if (bytes === undefined) throw wrong(`is ${kindOf(value)}, not bytes or a string`);
      this.#length += bytes.length;
      yield bytes;
    }
  }

  /** Nothing more is wanted. That a source minds that is nobody's concern any more. */
  release(reason: unknown): void {
    if (this.#isOver) return;
    const stop = async () => this.#tap.stop(reason);
    stop().catch(() => {});
  }

  async #next(): Promise<{ readonly done: boolean; readonly value: unknown }> {
    const result: unknown = await this.#tap.next();
    if (!isObject(result)) throw used(`is an iterator that gave ${kindOf(result)}, not a result`);
    const { done, value } = result as unknown as IteratorResult<unknown, unknown>;
    return { done: Boolean(done), value: done ? undefined : await value };
  }
}

/** Undefined for what gives no pieces. @throws BadSourceError for what somebody else has read */
export function onceFrom(value: object): Once | undefined {
  if (tagOf(value) === 'ReadableStream') return new Once(webTap(value as ReadableStream));
  const given = value as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  const key = Symbol.asyncIterator in given ? Symbol.asyncIterator : Symbol.iterator;
  if (typeof given[key] !== 'function') return undefined;
  if (isNodeReadable(value)) return new Once(nodeTap(value));
  const iterator: unknown = given[key]();
  if (!isObject(iterator) || typeof (iterator as Partial<AnyIterator>).next !== 'function') {
    throw used('is an iterable whose iterator is none: it has no method `next`');
  }
  return new Once(iteratorTap(value, iterator as AnyIterator));
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function webTap(stream: ReadableStream<unknown>): Tap {
  if (stream.locked) throw used('is a stream that somebody else reads');
  if (isDisturbed(stream)) throw used('is a stream that was read already');
  const reader = stream.getReader();
  return {
    async next() {
      const result = await reader.read();
      if (result.done) reader.releaseLock();
      return result;
    },
    stop(reason) {
      const gone = reader.cancel(reason);
      reader.releaseLock();
      return gone;
    },
  };
}

/** A stream that was read to its end would pass for an empty one; only a body can tell. */
function isDisturbed(stream: ReadableStream): boolean {
  if (typeof Response === 'undefined') return false;
  try {
    new Response(stream);
    return false;
  } catch {
    return true;
  }
}

function isNodeReadable(value: object): value is NodeReadable {
  const { destroy, on } = value as Partial<NodeReadable>;
  return 'pipe' in value && typeof destroy === 'function' && typeof on === 'function';
}

function nodeTap(stream: NodeReadable): Tap {
  const { readableFlowing, readableDidRead, readableEnded, destroyed, errored } = stream;
  if (readableFlowing === true) throw used('is a stream that somebody else reads');
  // One that has failed says why when it is read.
  const isGone = readableDidRead || readableEnded || destroyed;
  if (isGone && !errored) throw used('is a stream that was read already, or destroyed');
  take(stream);
  // Its error may come before anybody reads it, and would end the process.
  stream.on('error', () => {});
  const iterator = stream[Symbol.asyncIterator]();
  return { next: () => iterator.next(), stop: () => stream.destroy() };
}

type AnyIterator = AsyncIterator<unknown, unknown> | Iterator<unknown, unknown>;

function iteratorTap(source: object, iterator: AnyIterator): Tap {
  // An array begins anew each time; a generator is its own iterator.
  if (source === iterator) take(source);
  return { next: () => iterator.next(), stop: () => iterator.return?.() };
}

function take(source: object): void {
  if (taken.has(source)) throw used('was given as contents before, and can be read only once');
  taken.add(source);
}

function used(problem: string): BadSourceError {
  return new BadSourceError('contents', problem);
}
