/**
 * @module world-types: what a world is made of, what can happen in it, and what it records.
 */
import type { Format } from '../caps.ts';
import type { Encoding } from '../encoding.ts';
import type { OperationRecord, RunRecord, RunResult, Stamp } from '../runtime/run-records.ts';
import type { ChartRecord } from '../runtime/trace.ts';
import type { MemoryServer } from '../storage/memory.ts';
import type { ServerId } from '../storage/server.ts';
import type { RotField } from './disk.ts';
import type { FaultKind } from './faults.ts';
import type { OperationResult, OperationSpec } from './operations.ts';

export { traceFormat } from '../runtime/run-records.ts';

/** A share on a server at the beginning. */
export interface ShareSpec {
  /** From 0. */
  readonly shnum: number;
  /** 1 by default. */
  readonly seqnum?: number | undefined;
  /** Tells versions of one seqnum apart; 0 by default. */
  readonly series?: number | undefined;
  /** The part of it that is damaged. */
  readonly rot?: RotField | undefined;
  /** Created by somebody with another write enabler. */
  readonly isForeign?: boolean | undefined;
}

/** A server of a world. */
export interface ServerSpec {
  /** A number is share `n` of the first version. */
  readonly shares?: readonly (number | ShareSpec)[];
  /** Unknown to operations until it joins. */
  readonly joinsLater?: boolean | undefined;
}

/** A world is its options and its list of choices. */
export interface WorldOptions {
  /** For jitter and salts. */
  readonly seed?: number | undefined;
  /** `sdmf` by default. */
  readonly format?: Format | undefined;
  /** Whether the file is a directory: its words are its names. */
  readonly isDirectory?: boolean | undefined;
  /** 2 (3) of 3 by default. */
  readonly encoding?: Encoding | undefined;
  /** d: how many servers may lose what they hold; 0 by default. */
  readonly losable?: number | undefined;
  /** k and N of the planted versions, where they are not the clients'. */
  readonly fileEncoding?: Pick<Encoding, 'required' | 'total'> | undefined;
  /** In the permuted order of the file. */
  readonly servers: readonly ServerSpec[];
  /** Bytes of the planted versions. Their words are `v1`, `v2`… */
  readonly size?: number | undefined;
  /** What a planted version holds instead of words. */
  readonly contents?: ((seqnum: number, series: number) => Uint8Array) | undefined;
  /** They begin when `start` is chosen. */
  readonly operations: readonly OperationSpec[];
  /** Kinds of fault among the choices; all by default. */
  readonly faults?: readonly FaultKind[] | undefined;
  /** Bytes of a share that are read first; 4000 by default, 123 make a message of every field. */
  readonly headLength?: number | undefined;
  /** Answers come even to those who no longer wait for them. */
  readonly isDeaf?: boolean | undefined;
}

/** Something that can happen next. */
export interface Choice {
  /** A step of an operation or of time, or a fault. */
  readonly kind: 'start' | 'deliver' | 'advance' | FaultKind;
  /** Unique among the choices of one moment; what a scenario writes. */
  readonly label: string;
  /** Whose, if it is about one. */
  readonly operation?: string;
  /** Which, if it is about one. */
  readonly server?: ServerId;
  /** Which share, if it is about one. */
  readonly shnum?: number;
  /** The id of a message in flight. */
  readonly message?: string;
  /** Of `rot`. */
  readonly field?: RotField;
  /** Of `copy` and `move`. */
  readonly to?: ServerId;
}

/** What the world itself records, beside what the charts do. */
export type WorldRecord =
  | Exclude<RunRecord, ChartRecord | OperationRecord>
  | OperationRecord<OperationResult | RunResult>
  | {
      readonly kind: 'choice';
      readonly step: number;
      readonly index: number;
      readonly label: string;
    }
  /** What a server holds in a place has changed. Null: no share. */
  | {
      readonly kind: 'place';
      readonly server: ServerId;
      readonly shnum: number;
      readonly before: string | null;
      readonly after: string | null;
      /** Whose write it was; null: the disk's doing. */
      readonly operation: string | null;
    }
  /** Something befell a server, or one of its shares, or a field of it. */
  | {
      readonly kind: 'server';
      readonly server: ServerId;
      readonly event: FaultKind;
      readonly shnum: number | null;
      readonly field: RotField | null;
    }
  /** What a writer saw, and what the version that it writes next is to hold. */
  | {
      readonly kind: 'contents';
      readonly operation: string;
      readonly seen: readonly string[] | null;
      readonly made: readonly string[];
    }
  | { readonly kind: 'clock'; readonly now: number };

/** A line of a trace, of a world or of a real run. */
export type TraceRecord = (ChartRecord | WorldRecord) & Stamp;

/** A server as a visitor sees it. */
export interface ServerView {
  /** `s0`, `s1`, … in the permuted order of the file. */
  readonly id: ServerId;
  /** Whether it answers at all. */
  readonly isUp: boolean;
  /** Whether operations that begin now know of it. */
  readonly isKnown: boolean;
  /** Whether nothing goes to it or comes from it. */
  readonly isPartitioned: boolean;
  /** Whether it takes what comes and never answers. */
  readonly isMute: boolean;
  /** Per share number: `v1-1a2b3c4d`, `… damaged`, `unreadable`. */
  readonly shares: Readonly<Record<number, string>>;
}

/** An operation as a visitor sees it. */
export interface OperationView {
  /** What it is. */
  readonly spec: OperationSpec;
  /** Where it stands. */
  readonly status: 'waiting' | 'running' | 'ended' | 'killed';
  /** How it ended. */
  readonly result: OperationResult | undefined;
}

/** A server as the world keeps it. */
export interface SimulatedServer {
  readonly id: ServerId;
  readonly store: MemoryServer;
  isUp: boolean;
  isKnown: boolean;
  isPartitioned: boolean;
  isMute: boolean;
  readonly shares: Map<number, string>;
  /** What a place held before its changes, the last one last. */
  readonly history: { readonly shnum: number; readonly bytes: Uint8Array | undefined }[];
}
