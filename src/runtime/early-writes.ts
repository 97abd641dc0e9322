/**
 * @module early-writes: the first requests of a long publish, on their way while it is encoded.
 *
 * A request lands when all of it is there, and its last part makes a share one of the new version.
 * That part is held back until the chart decides to write just this. So nothing lands that it did not
 * send; what it does not want any more is dropped half way.
 */
import type { PlannedRequest } from '../../machines/reports.ts';
import type { ServerId } from '../../machines/servermap.ts';
import { type Deferred, deferred } from '../deferred.ts';
import type { ReadTestWriteAnswer } from '../storage/server.ts';

/** Begins a request of which the end waits for `decided`. */
type Begin = (decided: Promise<void>, signal: AbortSignal) => Promise<ReadTestWriteAnswer>;

interface EarlyWrite {
  readonly request: PlannedRequest;
  readonly decided: Deferred<void>;
  readonly dropped: AbortController;
  readonly answer: Promise<ReadTestWriteAnswer>;
}

export class EarlyWrites {
  readonly #writes = new Map<ServerId, EarlyWrite>();

  begin(request: PlannedRequest, begin: Begin): void {
    const decided = deferred<void>();
    const dropped = new AbortController();
    const answer = begin(decided.promise, dropped.signal);
    // Whoever wants it is told.
    answer.catch(() => {});
    this.#writes.set(request.server, { request, decided, dropped, answer });
  }

  /**
   * The rest of the request that was begun, if it is this one; another one to that server is dropped.
   */
  decide(request: PlannedRequest): ((signal: AbortSignal) => EarlyWrite['answer']) | undefined {
    const write = this.#writes.get(request.server);
    if (write === undefined) return undefined;
    this.#writes.delete(request.server);
    if (!isLike(write.request, request)) {
      write.dropped.abort();
      return undefined;
    }
    return (signal) => {
      signal.addEventListener('abort', () => write.dropped.abort(signal.reason), { once: true });
      if (signal.aborted) write.dropped.abort(signal.reason);
      write.decided.resolve();
      return write.answer;
    };
  }

  dropAll(): void {
    for (const { dropped } of this.#writes.values()) dropped.abort();
    this.#writes.clear();
  }
}

function isLike(one: PlannedRequest, other: PlannedRequest): boolean {
  const told = ({ shnums, tests }: PlannedRequest) => JSON.stringify([shnums, tests]);
  return told(one) === told(other);
}
