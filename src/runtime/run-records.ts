/**
 * @module run-records: what a run records beside what its charts do, whether it is real or
 * simulated: the lines of a trace.
 *
 * Records are JSON and hold no cap, no key and no byte of a share: a file is told by its storage
 * index, a storage call by what it is about and how many bytes it takes.
 */
import type { Deadlines } from '../../machines/io.ts';
import type { Encoding } from '../encoding.ts';
import type { Chart } from '../inspector/chart.ts';
import type { ServerId } from '../storage/server.ts';
import type { ChartRecord, Json } from './trace.ts';

/** The first record of a trace says it. A reader refuses any other by its name. */
export const traceFormat = 'tahoe-mutable-trace 2';

/** What the header of a real run is about: how to read its times, and who wrote it. */
export interface RealRun {
  readonly run: 'real';
  /** When `at` was 0: ISO 8601, UTC. */
  readonly began: string;
  /** Of the package that wrote it. */
  readonly version: string;
}

/** The first record of a trace. */
export interface HeaderRecord {
  readonly kind: 'header';
  /** Of the trace. */
  readonly format: typeof traceFormat;
  /** Of a simulated run its world; of a real one what `RealRun` says. */
  readonly about: Json;
}

/** A grid that operations run on, before the first of them; of real runs only. */
export interface GridRecord {
  readonly kind: 'grid';
  /** `grid`, `grid~2`, … */
  readonly grid: string;
  /** Of new files. */
  readonly encoding: Encoding;
  /** S, where it is not the number of `servers`. */
  readonly gridSize?: number;
  /** d, where it is not 0. */
  readonly losableServers?: number;
  /** In the order in which they were given. */
  readonly servers: readonly { readonly id: ServerId; readonly nickname: string | null }[];
  /** In milliseconds. */
  readonly deadlines: Deadlines;
}

/** What a chart looks like, before the first actor of it; of real runs only. */
export interface PictureRecord {
  readonly kind: 'chart';
  /** Its states and transitions. */
  readonly chart: Chart;
}

/** What an operation of a real run is about. No cap: a file is told by its storage index. */
export interface OperationAbout {
  /** `overwrite`, `modify`, `read`, `create`, `check`… as the library's method is called. */
  readonly kind: string;
  /** Storage index, base32; null while there is none, as in the beginning of a `create`. */
  readonly file: string | null;
  readonly grid: string;
  /** Of a step of a walk: the name of the walk's operation. */
  readonly within?: string;
}

/** How an operation of a real run ended. What it has read or written is nobody's business. */
export type RunResult = {
  /** Only a simulated run tells it. */
  readonly seen?: undefined;
  /** Only a simulated run tells it. */
  readonly value?: undefined;
} & (
  | { readonly ok: true }
  | {
      readonly ok: false;
      /** The error's name. */
      readonly error: string;
      readonly message: string;
    }
);

/**
 * `operation` is the first part of the path of its actors: `w1`, or `modify~3` in a real run, where
 * `spec` is an `OperationAbout`. One that was `cancelled` says by what in `result`; one whose
 * process was killed has no end in a real run.
 */
export interface OperationRecord<Result = RunResult> {
  readonly kind: 'operation';
  /** Its name, unique in the trace. */
  readonly operation: string;
  /** What has happened to it. */
  readonly event: 'started' | 'ended' | 'killed' | 'cancelled';
  /** What it is. */
  readonly spec: Json;
  /** How it ended; null before. */
  readonly result: Result | null;
}

/** Of a storage call in a real run. */
export interface CallDetail {
  /** Of what goes over the wire, without headers: of the request, or of the answer. */
  readonly bytes: number;
  /** Why the call is lost or abandoned. */
  readonly error?: string;
}

/**
 * A storage call. In a real run it is `sent` (phase `request`), then `delivered`, `lost` or
 * `abandoned` (phase `answer`), all with the same `id`, and `detail` is a `CallDetail`.
 */
export interface MessageRecord {
  readonly kind: 'message';
  /** `lost` says that the caller heard of it, `dropped` that nobody did. */
  readonly event:
    | 'sent'
    | 'arrived'
    | 'delivered'
    | 'dropped'
    | 'lost'
    | 'refused'
    | 'abandoned'
    | 'delayed';
  /** `m1`, `m2`, …: the same of all records of one call. */
  readonly id: string | null;
  /** Whose call it is. */
  readonly operation: string;
  /** Who is asked. */
  readonly server: ServerId;
  /** `list`, `read sh0 head`, `write sh0 sh1` */
  readonly what: string;
  /** Whether the request or the answer is in flight. */
  readonly phase: 'request' | 'answer';
  /** Bytes, and what went wrong. */
  readonly detail: Json;
}

/** An operation tells a server that a share is corrupt. */
export interface AdviceRecord {
  readonly kind: 'advice';
  /** Whose read found it. */
  readonly operation: string;
  /** Who was told. */
  readonly server: ServerId;
  /** Which of its shares. */
  readonly shnum: number;
  /** What is wrong with it. */
  readonly reason: string;
}

/** What a real run records. */
export type RunRecord =
  | HeaderRecord
  | GridRecord
  | PictureRecord
  | OperationRecord
  | MessageRecord
  | AdviceRecord
  | ChartRecord;

/** Where a record is in its run. */
export interface Stamp {
  /** Counts records from 0. */
  readonly seq: number;
  /** Milliseconds: of the world's clock, or since a real run began. */
  readonly at: number;
  /** Counts choices; 0 in a real run. */
  readonly step: number;
}

/** A line of the trace of a real run. */
export type RealRecord = RunRecord & Stamp;
