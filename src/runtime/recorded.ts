/**
 * @module recorded: what a grid tells of its operations, to an `inspect` that wants more than charts.
 *
 * XState's inspection knows actors; it knows neither whose call they belong to nor what goes to a
 * server. So an `inspect` may have a method besides, {@link recordsGrids}: a grid gives itself to
 * it, and what it gets back is told of every operation and every storage call. Any other `inspect`
 * is handed to XState as it is. A recorder never throws, and nobody waits for it.
 */
import type { InspectionEvent } from 'xstate';
import type { Deadlines } from '../../machines/io.ts';
import { onAbort } from '../abort.ts';
import { toBase32 } from '../bytes.ts';
import type { Encoding } from '../encoding.ts';
import type { ServerId, StorageServer } from '../storage/server.ts';
import type { OperationOptions } from './options.ts';

export const recordsGrids = Symbol('recordsGrids');

/** An `inspect` that wants to know of operations and storage calls, too. */
export interface RunRecorder {
  (event: InspectionEvent): void;
  readonly [recordsGrids]: (grid: GridAbout) => GridRecorder;
}

/** What there is to say of a grid. */
export interface GridAbout {
  readonly servers: readonly Pick<StorageServer, 'id' | 'nickname'>[];
  readonly encoding: Encoding;
  readonly gridSize: number;
  readonly losableServers: number;
  readonly deadlines: Deadlines;
}

export interface GridRecorder {
  /**
   * An operation begins.
   * @param method what the caller called: `modify`
   * @param file its storage index, base32, if there is one already
   * @param within the operation that it is a step of
   */
  begin(method: string, file: string | null, within?: OperationRecorder): OperationRecorder;
}

export interface OperationRecorder {
  /** `modify~3` */
  readonly name: string;
  /** For the actors of this operation. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Says which file it is about, when that is known. @param file its storage index, base32 */
  found(file: string): void;
  /** A storage call is sent. @param bytes of the request */
  sent(server: ServerId, what: string, bytes: number): CallRecorder;
  /** The operator of a server is told that a share is corrupt. */
  advised(server: ServerId, shnum: number, reason: string): void;
  /** The caller has lost interest. */
  cancelled(): void;
  /** The first end counts. */
  succeeded(): void;
  failed(error: unknown): void;
}

/** Of one storage call; the first end counts. */
export interface CallRecorder {
  /** @param bytes of the answer */
  delivered(bytes: number): void;
  lost(error: unknown): void;
  /** Nobody waits for the answer any more. */
  abandoned(reason: unknown): void;
}

/** Whether an `inspect` wants to be told of a grid beside its charts. */
export function isRecorder(inspect: unknown): inspect is RunRecorder {
  return typeof inspect === 'function' && recordsGrids in inspect;
}

/** Who is told of the operations of a grid: each of these. Undefined: nobody. */
export function recorderOf(
  ...recorders: readonly (GridRecorder | undefined)[]
): GridRecorder | undefined {
  const all = recorders.filter((recorder) => recorder !== undefined);
  if (all.length < 2) return all[0];
  /** What each of them has of an operation. */
  const parts = new WeakMap<OperationRecorder, readonly OperationRecorder[]>();
  return {
    begin: (method, file, within) => {
      const outer = within && parts.get(within);
      const own = all.map((recorder, i) => recorder.begin(method, file, outer?.[i]));
      const together = togetherOf(own);
      parts.set(together, own);
      return together;
    },
  };
}

function togetherOf(all: readonly OperationRecorder[]): OperationRecorder {
  const tell = (say: (one: OperationRecorder) => void) => {
    for (const one of all) say(one);
  };
  return {
    name: all[0]?.name ?? '',
    inspect: (event) => tell((one) => one.inspect(event)),
    found: (file) => tell((one) => one.found(file)),
    sent: (...call) => {
      const calls = all.map((one) => one.sent(...call));
      const end = (say: (one: CallRecorder) => void) => {
        for (const one of calls) say(one);
      };
      return {
        delivered: (bytes) => end((one) => one.delivered(bytes)),
        lost: (error) => end((one) => one.lost(error)),
        abandoned: (reason) => end((one) => one.abandoned(reason)),
      };
    },
    advised: (...advice) => tell((one) => one.advised(...advice)),
    cancelled: () => tell((one) => one.cancelled()),
    succeeded: () => tell((one) => one.succeeded()),
    failed: (error) => tell((one) => one.failed(error)),
  };
}

/** The operation that a call is, or is a part of. */
const part = Symbol('part');
/** The operation that a call is a step of, which is an operation itself. */
const step = Symbol('step');

interface Recorded {
  readonly [part]?: OperationRecorder | undefined;
  readonly [step]?: OperationRecorder | undefined;
}

/** For the options of a call that is a step of `operation`. */
export function stepOf(operation: OperationRecorder | undefined): object {
  return operation === undefined ? {} : ({ [step]: operation } satisfies Recorded);
}

/** For the options of a call that is a part of `operation`. */
export function partOf(operation: OperationRecorder | undefined): object {
  return operation === undefined ? {} : ({ [part]: operation } satisfies Recorded);
}

/** The operation that a call with these options belongs to, if anybody records it. */
export function operationOf(options: OperationOptions): OperationRecorder | undefined {
  return (options as Recorded)[part];
}

/** What a call is called, and which file it is about. */
interface RecordedCall {
  readonly method: string;
  /** The storage index, if there is one already; asked when somebody records. */
  readonly file: () => Uint8Array | null;
}

/**
 * Runs `work` as an operation of its own, unless it is a part of one.
 * @param work is given options that say so: whatever it calls with them is a part of this one
 */
export async function recorded<Options extends OperationOptions, T>(
  recorder: GridRecorder | undefined,
  { method, file }: RecordedCall,
  options: Options,
  work: (options: Options) => Promise<T>,
): Promise<T> {
  if (recorder === undefined || operationOf(options) !== undefined) return work(options);
  const index = file();
  const within = (options as Recorded)[step];
  const operation = recorder.begin(method, index && toBase32(index), within);
  const letGo = options.signal && onAbort(options.signal, () => operation.cancelled());
  try {
    const value = await work({ ...options, [part]: operation });
    operation.succeeded();
    return value;
  } catch (error) {
    operation.failed(error);
    throw error;
  } finally {
    letGo?.();
  }
}
