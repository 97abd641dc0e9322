/**
 * @module advisories: tells the operators of servers which of their shares are corrupt.
 *
 * A courtesy: nobody waits for it and nothing depends on it, so it must cost next to nothing. A
 * server is told one thing at a time, with the deadline of a query. Only a few more may wait; what
 * comes beyond is dropped, and so is what waits for a server that did not answer.
 */
import type { ReadableShares } from '../storage/server.ts';
import { type Engine, withDeadline } from './run.ts';
import { unwatched } from './unwatched.ts';

/** For one server. */
export const waitingMax = 16;
/** In characters: a reason may quote bytes of the share, of any length. */
export const reasonMax = 1000;

interface Advisory {
  readonly server: ReadableShares;
  readonly storageIndex: Uint8Array;
  readonly shnum: number;
  readonly reason: string;
}

/** What one server is being told. */
interface Talk {
  readonly waiting: Advisory[];
  readonly hangUp: AbortController;
}

/** The advisories of one grid. */
export class Advisories {
  readonly #engine: Engine;
  readonly #talks = new Map<ReadableShares, Talk>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  tell(server: ReadableShares, storageIndex: Uint8Array, shnum: number, reason: string): void {
    const advisory = { server, storageIndex, shnum, reason: reason.slice(0, reasonMax) };
    const one = unwatched(server);
    const talk = this.#talks.get(one);
    if (talk === undefined) void this.#talk(one, advisory);
    else if (talk.waiting.length < waitingMax) talk.waiting.push(advisory);
  }

  /** Hangs up, and forgets what waits. */
  close(): void {
    for (const { hangUp } of this.#talks.values()) hangUp.abort();
    this.#talks.clear();
  }

  async #talk(one: ReadableShares, first: Advisory): Promise<void> {
    const talk: Talk = { waiting: [first], hangUp: new AbortController() };
    const { signal } = talk.hangUp;
    const { queryMs } = this.#engine.deadlines;
    this.#talks.set(one, talk);
    try {
      for (let next = talk.waiting.shift(); next !== undefined; next = talk.waiting.shift()) {
        const { server, storageIndex, shnum, reason } = next;
        await withDeadline(this.#engine, queryMs, signal, async (deadline) =>
          server.adviseCorruptShare(storageIndex, shnum, reason, { signal: deadline }),
        );
      }
    } catch {
      // Whether it was told or refused makes no difference.
    }
    if (this.#talks.get(one) === talk) this.#talks.delete(one);
  }
}
