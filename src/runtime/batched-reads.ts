/**
 * @module batched-reads: several small reads of one far server, as one request.
 *
 * A read-test-write that names no share reads up to 30 ranges of every share that the server has of
 * the slot (docs/format.md §7.3). It needs the write enabler, so only writers can.
 */
import { unlessAborted } from '../abort.ts';
import { BadWriteEnablerError, NoSuchShareError, ServerUnavailableError } from '../errors.ts';
import type { ByteRange, ReadTestWriteAnswer, StorageServer } from '../storage/server.ts';
import { nextTurn } from '../turn.ts';

/** Of a longer one, what the server's other shares have there would be too much. */
const rangeMax = 2 ** 16;
/** As many as a server takes at once. */
const rangesMax = 30;

interface Wish {
  readonly shnum: number;
  readonly range: ByteRange;
  readonly signal: AbortSignal;
  readonly settle: (bytes: Promise<Uint8Array>) => void;
}

/** How the calls are made. */
export interface Calls {
  one(server: StorageServer, wish: Wish, signal: AbortSignal): Promise<Uint8Array>;
  all(
    server: StorageServer,
    reads: readonly ByteRange[],
    signal: AbortSignal,
  ): Promise<ReadTestWriteAnswer>;
}

export class BatchedReads {
  readonly #calls: Calls;
  readonly #wishes = new Map<StorageServer, Wish[]>();

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  static suits({ length }: ByteRange): boolean {
    return length <= rangeMax;
  }

  /** Waits for what else is asked of the server in this turn. */
  read(
    server: StorageServer,
    shnum: number,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    return new Promise((resolve) => {
      const wish = { shnum, range, signal, settle: resolve };
      const wishes = this.#wishes.get(server);
      if (wishes !== undefined) {
        wishes.push(wish);
        return;
      }
      this.#wishes.set(server, [wish]);
      void nextTurn().then(() => this.#send(server));
    });
  }

  #send(server: StorageServer): void {
    const wishes = this.#wishes.get(server) ?? [];
    this.#wishes.delete(server);
    for (let i = 0; i < wishes.length; i += rangesMax) {
      this.#sendOne(server, wishes.slice(i, i + rangesMax));
    }
  }

  #sendOne(server: StorageServer, wishes: readonly Wish[]): void {
    const single = (wish: Wish) => this.#calls.one(server, wish, wish.signal);
    const [first] = wishes;
    if (first !== undefined && wishes.length === 1) {
      first.settle(single(first));
      return;
    }
    const reads = wishes.map(({ range }) => range);
    const answer = this.#calls.all(server, reads, allAborted(wishes));
    // Each is told by what it waits for.
    answer.catch(() => {});
    wishes.forEach((wish, i) => {
      const { shnum, signal, settle } = wish;
      const read = async () => {
        try {
          const found = (await unlessAborted(answer, signal)).reads.get(shnum);
          if (found === undefined) throw new NoSuchShareError(server.id, shnum);
          return found[i] as Uint8Array;
        } catch (error) {
          if (isReadableOtherwise(error)) return single(wish);
          throw error;
        }
      };
      settle(read());
    });
  }
}

/**
 * Whether a server may well give by plain reads what it refuses to a read-test-write: some share
 * there is not ours to write to, or its disk is full. One that is too slow is not asked again.
 */
export function isReadableOtherwise(error: unknown): boolean {
  return error instanceof BadWriteEnablerError || error instanceof ServerUnavailableError;
}

/** Aborted when nobody wants the answer any more. */
function allAborted(wishes: readonly Wish[]): AbortSignal {
  const all = new AbortController();
  let waiting = 0;
  for (const { signal } of wishes) {
    if (signal.aborted) continue;
    waiting++;
    signal.addEventListener('abort', () => --waiting === 0 && all.abort(signal.reason), {
      once: true,
    });
  }
  return all.signal;
}
