/**
 * @module equivalents: mutants that behave as the shipped code does, by a stated reason.
 *
 * An equivalent is listed as an edit of the source. Its words must be there exactly once, so the
 * list cannot outlive the code (`equivalents.test.ts`).
 */
import { readFileSync } from 'node:fs';

/** One mutant that no test can tell from the shipped code. */
export interface Equivalent {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Why nobody can tell. */
  readonly reason: string;
}

/** The list, `equivalents.json`. */
export function readEquivalents(): readonly Equivalent[] {
  return JSON.parse(readFileSync('test/mutation/equivalents.json', 'utf8'));
}

/**
 * `source` with the edit made.
 * @throws Error when the words are not there exactly once
 */
export function mutantOf(source: string, { file, from, to }: Equivalent): string {
  const pieces = source.split(from);
  if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} times: ${from}`);
  return pieces.join(to);
}
