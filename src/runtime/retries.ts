/**
 * @module retries: how often a write tries, of what its caller says.
 */
import type { Retry } from './options.ts';

/** How often a write tries, and how long it waits. */
export interface Retries {
  readonly attempts: number;
  /** The first wait after a collision, in milliseconds; each one is longer. */
  readonly backoffMs: number;
}

/** @param usually how often it tries by default */
export function retriesOf(retry: Retry | undefined, usually: number): Retries {
  const { attempts = usually, backoffMs = 250 } = retry === false ? { attempts: 1 } : (retry ?? {});
  return { attempts, backoffMs };
}
