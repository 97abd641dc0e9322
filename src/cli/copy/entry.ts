/**
 * @module entry: what `cp` copies, whether it is here or on a grid.
 */
import type { Plaintext } from '../../share/plaintext.ts';

/** What every operation of a run is told. */
export interface Signalled {
  readonly signal: AbortSignal;
}

interface Named {
  /** Undefined for what is only known by its cap. */
  readonly name: string | undefined;
  /** For people. */
  readonly where: string;
}

export interface FileEntry extends Named {
  readonly kind: 'file';
  /** A mutable file on a grid is known by this. */
  readonly id?: string | undefined;
  /** The cap of an immutable file, which can be linked as it is. */
  readonly immutableCap?: string | undefined;
  pieces(options: Signalled): AsyncIterable<Uint8Array>;
  /** Runs `work` with the contents, readable at any place. */
  withContents<T>(options: Signalled, work: (c: Plaintext) => Promise<T>): Promise<T>;
}

export interface FolderEntry extends Named {
  readonly kind: 'directory';
  /** Two folders of one id are one folder. */
  readonly id: string;
  entries(options: Signalled): Promise<readonly Entry[]>;
}

/** What is there, and cannot be copied. */
export interface RefusedEntry extends Named {
  readonly kind: 'refused';
  readonly problem: Error;
}

export type Entry = FileEntry | FolderEntry | RefusedEntry;

/** An entry that the copying has got to: it has a name there. */
export type Arrival = (FileEntry | FolderEntry) & { readonly name: string };
