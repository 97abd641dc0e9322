/**
 * @module failure: why something that was asked for did not come, as a value.
 *
 * Everything else in this folder may import it.
 */
import { reasonOf } from './reason.ts';

/** `detail` is for people and holds no secret. */
export type Failure =
  | {
      readonly kind:
        | 'timeout'
        | 'unreachable'
        /** The server said no. */
        | 'refused'
        | 'corrupt'
        /** A share whose contents are good, and that does not hold the private key. */
        | 'keyless'
        /** Another writer was there in the meantime. */
        | 'replaced'
        /** What the server says at one time does not go with what it says at another. */
        | 'contradictory'
        | 'cancelled'
        | 'internal';
      readonly detail: string;
    }
  /**
   * The caller's own code threw, or something that the caller shall have as it is. That is no JSON:
   * the runtime keeps it under `ref`.
   */
  | { readonly kind: 'thrown'; readonly detail: string; readonly ref: number };

/** What was asked for, or why it did not come. */
export type Result<Value> =
  | ({ readonly ok: true } & Value)
  | { readonly ok: false; readonly failure: Failure };

/** A result that is a failure. */
export function failed(kind: Exclude<Failure['kind'], 'thrown'>, detail: string): Result<never> {
  return { ok: false, failure: { kind, detail } };
}

/** What a rejected actor leaves in an `onError` event: a bug, told in one line. */
export function internalFailure(error: unknown): Failure {
  return { kind: 'internal', detail: reasonOf(error) };
}

/** What a chart with books does with such an event: they learn of the bug. */
export const recordBug = {
  type: 'record',
  params: ({ event }: { readonly event: { readonly error: unknown } }) => ({
    type: 'failed' as const,
    failure: internalFailure(event.error),
  }),
} as const;
