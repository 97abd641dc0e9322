/**
 * @module paths: paths on the command line. A cap in the place of one is a slip, and a file that
 * is called like a cap would give it away to everybody who lists the folder.
 */
import { InvalidArgumentError } from 'commander';
import { UsageError } from './complaint.ts';
import { holdsCap } from './redaction.ts';

/** @throws InvalidArgumentError, which commander completes with the argument's name */
export function pathArgument(text: string): string {
  if (holdsCap(text)) throw new InvalidArgumentError('It is a cap, not a path.');
  return text;
}

/** The same of a path among others. @throws UsageError */
export function requirePaths(name: string, paths: readonly string[]): void {
  if (paths.some(holdsCap)) throw new UsageError(`${name}: is a cap, not a path`);
  if (paths.includes('')) throw new UsageError(`${name}: one is empty`);
}
