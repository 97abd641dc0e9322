/**
 * @module blocks-ahead: the blocks of the next windows of a share, asked for while those before them
 * are checked, decoded and handed over. They are checked when it is their turn.
 */
import type { ReadBlocksInput } from '../../machines/io.ts';
import { longestWindowOf } from '../../machines/read-version-kernel.ts';
import { windowAfter } from '../../machines/retrieve-kernel.ts';
import type { Entry } from '../share/reader.ts';
import { readerOf, type Session } from './session.ts';

/** Bytes of contents that are under way, or here, beyond the window that is wanted; or one window. */
const aheadBytes = 7 << 20;

/** Of one share. */
interface Ahead {
  readonly dropped: AbortController;
  /** By first segment and number of segments. */
  readonly windows: Map<string, Promise<readonly Entry[]>>;
}

export class BlocksAhead {
  readonly #session: Session;
  readonly #shares = new Map<string, Ahead>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** The entries of a window, as the server gives them; the next ones are asked for, too. */
  entries(input: ReadBlocksInput): Promise<readonly Entry[]> {
    const windows = this.#ask(input);
    const name = windowName(input.firstSegment, input.segmentCount);
    const entries = windows.get(name) as Promise<readonly Entry[]>;
    windows.delete(name);
    return entries;
  }

  /** Asks for a window, and the next ones, before anybody wants them. */
  expect(input: ReadBlocksInput): void {
    this.#ask(input);
  }

  #ask(input: ReadBlocksInput): Ahead['windows'] {
    const { version, firstSegment, segmentCount, endSegment } = input;
    const { dropped, windows } = this.#of(input);
    const reader = readerOf(this.#session, input, dropped.signal, 'blocks');
    const windowMax = longestWindowOf(version);
    const next = firstSegment + segmentCount;
    const enough = next + Math.floor(aheadBytes / version.segmentSize);
    let window = segmentCount;
    for (let first = firstSegment; first < endSegment; ) {
      const count = Math.min(window, endSegment - first);
      if (first > next && first + count > enough) break;
      const name = windowName(first, count);
      if (!windows.has(name)) {
        const entries = reader.blocks(first, count);
        // Whether that is a failure is said when it is wanted.
        entries.catch(() => {});
        windows.set(name, entries);
      }
      first += count;
      window = windowAfter(window, windowMax);
    }
    return windows;
  }

  /** Nothing more of this share is wanted. */
  drop(input: ReadBlocksInput): void {
    const name = nameOf(input);
    this.#shares.get(name)?.dropped.abort();
    this.#shares.delete(name);
  }

  dropAll(): void {
    for (const { dropped } of this.#shares.values()) dropped.abort();
    this.#shares.clear();
  }

  #of(input: ReadBlocksInput): Ahead {
    const name = nameOf(input);
    const ahead = this.#shares.get(name) ?? { dropped: new AbortController(), windows: new Map() };
    this.#shares.set(name, ahead);
    return ahead;
  }
}

function windowName(firstSegment: number, segmentCount: number): string {
  return `${firstSegment}+${segmentCount}`;
}

function nameOf({ server, shnum, version }: ReadBlocksInput): string {
  return `${version.id} ${shnum}@${server}`;
}
