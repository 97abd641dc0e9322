/**
 * @module walk-options: what is told to a walk, checked before anything is loaded for it.
 */
import { checkOperation, refuse, requireCount } from '../arguments.ts';
import { OutOfRangeError } from '../errors.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { DeepCheckOptions, WalkOptions } from './tree.ts';

export const concurrencyUsual = 4;
const concurrencyMax = 64;

/** @throws BadArgumentError, OutOfRangeError */
export function checkWalk(options: WalkOptions): void {
  checkOperation(options as OperationOptions);
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
  checkWalk(options);
  const { verify, repair, addLease } = options;
  for (const [name, value] of Object.entries({ verify, repair, addLease })) {
    if (value !== undefined && typeof value !== 'boolean') refuse(name, value, 'true or false');
  }
}
