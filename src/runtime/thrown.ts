/**
 * @module thrown: what the caller's own code threw during an operation.
 *
 * The charts' records are JSON, and an error of the caller's is not: they name it by its place
 * here, and the caller gets the very object back.
 */
import type { Failure } from '../../machines/failure.ts';
import { reasonOf } from '../../machines/reason.ts';

export class Thrown {
  readonly #errors: unknown[] = [];

  /** `error` as the charts have it. */
  failureOf(error: unknown): Failure {
    const ref = this.#errors.push(error) - 1;
    return { kind: 'thrown', detail: reasonOf(error), ref };
  }

  /** What was thrown, if one of `failures` stands for it: the first. */
  errorIn(failures: readonly (Failure | null)[]): { readonly error: unknown } | undefined {
    for (const failure of failures) {
      if (failure?.kind === 'thrown') return { error: this.#errors[failure.ref] };
    }
    return undefined;
  }
}
