/**
 * @module output: what is printed has been taken by whoever reads it, or it is an error.
 */
import type { Writable } from 'node:stream';
import { errnoOf } from '../storage/atomic-file.ts';
import { OutputError } from './complaint.ts';

/** @throws OutputError; what the system says when the reader has gone away (`EPIPE`) */
export function print(stream: Writable, text = '', name = 'stdout'): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(outputProblem(name, error));
      else resolve();
    });
  });
}

/** A write that the system refused, as an {@link OutputError}; other errors as they are. */
export function outputProblem(where: string, error: unknown): unknown {
  const errno = errnoOf(error);
  return errno === undefined || errno === 'EPIPE' ? error : new OutputError(where, error);
}
