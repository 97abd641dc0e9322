/**
 * @module quorum-parts: what versions, requests and writers over a quorum are made of.
 */
import type { PublishRecord } from '../../machines/publish-kernel.ts';
import type { Version } from '../../machines/servermap.ts';

/** A version of the file, or a rotten share of one. */
export type Mark = number;

/** No version, no row, nobody. */
export const none = -1;

export interface Made {
  readonly version: Version;
  readonly base: Mark;
  /** Among versions of one number: the lower is the older. */
  readonly rank: number;
  /** The version that a rotten share was of; of a version itself. */
  readonly plain: Mark;
  readonly isNaming: boolean;
  /** Ascending with age; what has rotted comes after what it was. */
  readonly order: number;
}

/** On its way to a server. */
export interface Flight {
  readonly at: number;
  /** The row that it tests for, as heads show it. */
  readonly from: number;
  readonly mark: Mark;
  /** Bits: the shares that it writes. */
  readonly shnums: number;
  /** Of all but `at`. */
  readonly kind: number;
}

/** How the request to a server stands, where it is not on its way: landed, or the row it found. */
export const landed = -2;

/** What a server held before it came to hold something else. */
export interface Passed {
  readonly row: number;
  /** The newest that had been acknowledged by then. */
  readonly acked: Mark;
}

export interface Writer {
  readonly role: 'writer' | 'nameless' | 'reader' | 'repairer';
  /** Counts from 0. */
  readonly attempt: number;
  readonly phase: 'looking' | 'writing' | 'ended';
  /** The row of each server that was heard. */
  readonly heard: readonly number[];
  /** What each server has held since the look began, and holds no more: it may have been heard. */
  readonly passed: readonly (readonly Passed[])[];
  /** Whether that is what its last attempt left it with: it may begin with that, or look. */
  readonly isWarm: boolean;
  /** The newest of what had been acknowledged when the look began. */
  readonly acked: Mark;
  readonly mark: Mark;
  readonly record: PublishRecord | null;
  /** Of each server. */
  readonly pending: readonly number[];
}

/** What makes a writer what it is, in whole numbers: those below 0 stand for versions. */
export interface Tokens {
  readonly globals: readonly number[];
  readonly versions: readonly Mark[];
  /** Of each server. */
  readonly locals: readonly (readonly number[])[];
  /** Of each server what it has passed: a list of tokens each. */
  readonly past: readonly (readonly (readonly number[])[])[];
}

/** A writer, and what is asked of it again and again. */
export interface Known extends Tokens {
  readonly writer: Writer;
  readonly flights: readonly Flight[];
  /** What it has to do with now, and all: what it may have heard since its look began, too. */
  readonly own: readonly Mark[];
  readonly marks: readonly Mark[];
  /** Of each server, for one who writes with one share on each; null: nothing comes of it. */
  readonly slots: readonly (Slot | null)[];
  /** What it comes to, by what it is told. */
  readonly next: Map<number, number>;
  plan: Planned | null;
}

/** What a writer knows of one server that it has not won yet. */
export interface Slot {
  readonly isSent: boolean;
  readonly held: Mark;
}

/** What a look that is over leads to. */
export interface Planned {
  /** What it builds on, and what a reader would be given. */
  readonly base: Mark;
  readonly read: Mark;
  /** Null: nothing to build on, or to repair, or it can not succeed. */
  readonly record: PublishRecord | null;
  /** Whether it is a repair that writes more than it need. */
  readonly isNeedless: boolean;
}

/** Values by number: equal ones have one. */
export class Interned<T> {
  readonly items: T[] = [];
  readonly #ids = new Map<string, number>();

  idOf(key: string, make: () => T): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.items.length);
    return this.items.push(make()) - 1;
  }
}

/** A key for a list of whole numbers, each of 32 bits. */
export function keyOf(numbers: readonly number[]): string {
  let key = '';
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number;
    key += String.fromCharCode(value & 0xffff, value >>> 16);
  }
  return key;
}

/** The numbers of a key, each as what it is in 32 bits with a sign. */
export function numbersOf(key: string): readonly number[] {
  return Array.from(
    { length: key.length / 2 },
    (_, i) => key.charCodeAt(2 * i) | (key.charCodeAt(2 * i + 1) << 16),
  );
}

/** How many bits are set. */
export function bitsIn(bits: number): number {
  let count = 0;
  for (let rest = bits; rest > 0; rest &= rest - 1) count++;
  return count;
}
