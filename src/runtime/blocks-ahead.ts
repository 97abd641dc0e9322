/**
 * @module blocks-ahead: the blocks of the next windows of a share, asked for while those before them
 * are checked, decoded and handed over. They are checked when it is their turn.
 *
 * Windows are read into the memory of those that are done with, and that is given back at the end:
 * what is let go of is taken back only when there are tens of MiB of it. What a server that was given
 * up may still write to is left to it.
 */
import type { ReadBlocksInput, Window } from '../../machines/io.ts';
import type { Place } from '../../machines/servermap.ts';
import { cancelled } from '../abort.ts';
import { release } from '../crypto/release.ts';
import type { BlockReader, Entry } from '../share/block-reader.ts';
import { placeName } from './place-name.ts';

/** Of one share. */
interface Ahead {
  readonly dropped: AbortController;
  /** By first segment and number of segments. */
  readonly windows: Map<string, Promise<readonly Entry[]>>;
}

/** Reads the blocks of a share; the signal is aborted when nobody wants them. */
type ReaderOf = (place: Place, signal: AbortSignal) => Pick<BlockReader, 'blocks'>;

export class BlocksAhead {
  readonly #readerOf: ReaderOf;
  readonly #shares = new Map<string, Ahead>();
  /** The memory of windows that are here, by their names. */
  readonly #filled = new Map<string, Uint8Array[]>();
  readonly #free: Uint8Array[] = [];

  constructor(readerOf: ReaderOf) {
    this.#readerOf = readerOf;
  }

  /** The entries of a window, as the server gives them; the next ones are asked for, too. */
  entries(input: ReadBlocksInput): Promise<readonly Entry[]> {
    const windows = this.#ask(input);
    const name = windowName(input);
    const entries = windows.get(name) as Promise<readonly Entry[]>;
    windows.delete(name);
    return entries;
  }

  /** Asks for a window, and the next ones, before anybody wants them. */
  expect(input: ReadBlocksInput): void {
    this.#ask(input);
  }

  /** The blocks of a window are not looked at any more. */
  release(window: Window): void {
    const name = windowName(window);
    this.#free.push(...(this.#filled.get(name) ?? []));
    this.#filled.delete(name);
  }

  #ask(input: ReadBlocksInput): Ahead['windows'] {
    const { dropped, windows } = this.#of(input);
    const reader = this.#readerOf(input, dropped.signal);
    for (const window of [input, ...input.ahead]) {
      const name = windowName(window);
      if (windows.has(name)) continue;
      const rooms: Uint8Array[] = [];
      const roomFor = (length: number) => {
        const room = this.#roomFor(length);
        rooms.push(room);
        return room;
      };
      const entries = reader.blocks(window.firstSegment, window.segmentCount, roomFor);
      const note = () => this.#filled.set(name, [...(this.#filled.get(name) ?? []), ...rooms]);
      // Whether there is a failure is said when the window is wanted.
      entries.then(note, () => {});
      windows.set(name, entries);
    }
    return windows;
  }

  /** Nothing more of this share is wanted. */
  drop(input: ReadBlocksInput): void {
    const name = nameOf(input);
    this.#shares.get(name)?.dropped.abort(cancelled);
    this.#shares.delete(name);
  }

  dropAll(): void {
    for (const { dropped } of this.#shares.values()) dropped.abort(cancelled);
    this.#shares.clear();
    for (const room of this.#free.splice(0)) release(room);
  }

  /** Windows become longer: what is too short now stays so. */
  #roomFor(length: number): Uint8Array {
    for (let room = this.#free.pop(); room !== undefined; room = this.#free.pop()) {
      if (room.length >= length) return room;
      release(room);
    }
    return new Uint8Array(length);
  }

  #of(input: ReadBlocksInput): Ahead {
    const name = nameOf(input);
    const ahead = this.#shares.get(name) ?? { dropped: new AbortController(), windows: new Map() };
    this.#shares.set(name, ahead);
    return ahead;
  }
}

function windowName({ firstSegment, segmentCount }: Window): string {
  return `${firstSegment}+${segmentCount}`;
}

function nameOf(input: ReadBlocksInput): string {
  return `${input.version.id} ${placeName(input)}`;
}
