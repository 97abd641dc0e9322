/**
 * @module walk-options: what is told to a walk, checked before anything is loaded for it.
 */
import { checkOptions, type Names, ofAnyCall, requireCount } from '../arguments.ts';
import { OutOfRangeError } from '../errors.ts';
import { refuse } from '../refusal.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Examining } from './examine.ts';
import type { WalkRecord } from './record.ts';

/** How far a walk is. */
export interface WalkProgress {
  /** Objects that were met; nobody knows how many there are. */
  readonly met: number;
  /** Of these, those that the walk is through with. */
  readonly done: number;
  /** Of these, directories that could not be read, and what could not be looked at. */
  readonly failed: number;
}

/** For walks. */
export interface WalkOptions {
  /** Aborting ends the walk with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** It only looks on: what it throws goes to the grid's `log`, or is a warning of the process. */
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined;
  /** Of each call, instead of the grid's. */
  readonly deadlines?: OperationOptions['deadlines'];
  /** How many files and directories are asked for at once; 4 by default, 64 at most. */
  readonly concurrency?: number | undefined;
  /**
   * What a walk that was cut off has kept (`recordOf`), all of it and in order: this one goes on
   * behind it. Links that were made meanwhile in front of that place are not met.
   */
  readonly after?: Iterable<WalkRecord> | AsyncIterable<WalkRecord> | undefined;
}

/** For deep checks. */
export interface DeepCheckOptions extends WalkOptions, Examining {}

export const concurrencyUsual = 4;
const concurrencyMax = 64;

const ofWalk: Names<WalkOptions> = { ...ofAnyCall, concurrency: true, after: true };
const ofDeepCheck: Names<DeepCheckOptions> = {
  ...{ ...ofWalk, verify: true, repair: true, addLease: true },
};

/** @throws BadArgumentError, OutOfRangeError */
export function checkWalk(options: WalkOptions, names: Names<WalkOptions> = ofWalk): void {
  checkOptions(options as OperationOptions, names);
  const { concurrency = concurrencyUsual, after = [] } = options;
  requireCount('concurrency', concurrency);
  if (concurrency < 1 || concurrency > concurrencyMax) {
    const problem = `must be from 1 to ${concurrencyMax}`;
    throw new OutOfRangeError('concurrency', concurrency, problem);
  }
  const isIterable = (it: object) => Symbol.iterator in it || Symbol.asyncIterator in it;
  if (typeof after !== 'object' || after === null || !isIterable(after)) {
    refuse('after', after, 'a sequence of records');
  }
}

/** @throws as {@link checkWalk} */
export function checkDeepCheck(options: DeepCheckOptions): void {
  checkWalk(options, ofDeepCheck);
  const { verify, repair, addLease } = options;
  for (const [name, value] of Object.entries({ verify, repair, addLease })) {
    if (value !== undefined && typeof value !== 'boolean') refuse(name, value, 'true or false');
  }
}
