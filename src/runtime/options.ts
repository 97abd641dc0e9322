/**
 * @module options: what a caller may say about any operation.
 */
import type { Rule } from '../../machines/rules.ts';

/** How far an operation is. An operation goes through several phases, some more than once. */
export interface Progress {
  /** `mapping`: servers; `reading`: bytes; `encoding`: segments; `writing`: shares. */
  readonly phase: 'mapping' | 'reading' | 'encoding' | 'writing';
  readonly done: number;
  /** An upper bound for `mapping`: not every server has to be asked. */
  readonly total: number;
}

export interface OperationOptions {
  /** Aborting rejects with `signal.reason`; a write under way may or may not have landed. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** The rule of the servermap update; anything but `ours` brings back Tahoe's ticket #2034. */
  readonly rule?: Rule | undefined;
}
