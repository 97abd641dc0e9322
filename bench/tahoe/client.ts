/**
 * @module client: what is measured of a client of the grid, ours and Tahoe's alike: a process that does
 * an action several times, and tells what each took.
 */
import type { Memory } from '../usage.ts';

/**
 * `times` of one thing; a file is opened anew each time, and nothing is remembered of it. `again`: by a
 * client that remembers what it wrote, if it can.
 */
export type Action =
  /** One file per key (PKCS#8 DER), none of which has a file yet. */
  | {
      readonly kind: 'create';
      readonly format: 'sdmf' | 'mdmf';
      readonly size: number;
      readonly keys: readonly Uint8Array[];
    }
  | { readonly kind: 'read'; readonly cap: string; readonly times: number }
  | {
      readonly kind: 'overwrite';
      readonly cap: string;
      readonly size: number;
      readonly times: number;
      readonly again?: boolean;
    }
  | {
      readonly kind: 'in place';
      readonly cap: string;
      readonly offset: number;
      readonly times: number;
      readonly again?: boolean;
    };

/** Of one time, on average. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Of the files that were made. */
  readonly caps: readonly string[];
}

export interface Client {
  readonly name: string;
  perform(action: Action): Promise<Sample>;
  memory(): Promise<Memory>;
  close(): Promise<void>;
}

export function timesOf(action: Action): number {
  return action.kind === 'create' ? action.keys.length : action.times;
}
