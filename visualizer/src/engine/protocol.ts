/**
 * @module protocol: what the page and the engine's worker tell each other. Plain JSON.
 *
 * A run is a scene and a list of choices. A scene has one world, or two that get the same choices:
 * the one with an old rule first. A choice that a world does not have is skipped there.
 */
import type { Chart } from '../../../src/inspector/chart.ts';
import type { Judgement } from '../../../src/simulation/judge-trace.ts';
import type { Message } from '../../../src/simulation/network.ts';
import type {
  Choice,
  OperationView,
  ServerView,
  TraceRecord,
  WorldOptions,
} from '../../../src/simulation/world.ts';

/** What is explored: a world, from where, and how much may go wrong from there on. */
export interface Search {
  readonly options: WorldOptions;
  /** The choices that lead to where it begins. */
  readonly labels: readonly string[];
  /** How many faults an order may have. */
  readonly faultsMax: number;
}

export interface Side {
  readonly title: string;
  /** For the heads of narrow columns. */
  readonly short: string;
  readonly options: WorldOptions;
}

export interface Scene {
  readonly sides: readonly Side[];
}

/** A choice of any side; `sides` tells which ones have it. */
export type OfferedChoice = Choice & { readonly sides: readonly boolean[] };

/** A property, and where it was violated first. */
export interface Verdict {
  readonly id: string;
  readonly title: string;
  /** One sentence. */
  readonly statement: string;
  /** Null: it holds so far. */
  readonly violation: Violation | null;
}

export interface Violation {
  readonly step: number;
  readonly detail: string;
  /** Whose chart the record was about that broke it: a path, or an operation's name. */
  readonly actor: string | null;
}

/** One world after a choice. */
export interface SideFrame {
  /** What the choice brought. */
  readonly records: readonly TraceRecord[];
  readonly messages: readonly Message[];
  readonly servers: readonly ServerView[];
  readonly operations: readonly OperationView[];
  readonly verdicts: readonly Verdict[];
  /** The choice was not there. */
  readonly isSkipped: boolean;
}

/** Everything after a choice; frame 0 is the beginning. */
export interface Frame {
  readonly label: string | null;
  /** What can happen next, on any side. */
  readonly choices: readonly OfferedChoice[];
  readonly sides: readonly SideFrame[];
}

export type Request =
  /** Frames from `from` on are sent: the page has the others. */
  | {
      readonly id: number;
      readonly kind: 'run';
      readonly scene: Scene;
      readonly path: readonly number[];
      readonly from: number;
    }
  /** On from `path` without faults, oldest message first, until nothing is left to happen. */
  | {
      readonly id: number;
      readonly kind: 'finish';
      readonly scene: Scene;
      readonly path: readonly number[];
    }
  /** By label, as far as they are possible: presets, saved runs, links; old links have numbers. */
  | {
      readonly id: number;
      readonly kind: 'follow';
      readonly scene: Scene;
      readonly labels: readonly (string | number)[];
      /** Then these, as far as they are possible. */
      readonly rest?: readonly string[];
    }
  | {
      readonly id: number;
      readonly kind: 'explore';
      readonly search: Search;
    }
  /** Of the last exploration, along a run: its choices after those that the search begins with. */
  | { readonly id: number; readonly kind: 'shares'; readonly labels: readonly string[] }
  /** A whole recording, or a live run up to now. */
  | { readonly id: number; readonly kind: 'judge'; readonly records: readonly TraceRecord[] }
  /** A walker is at the other end: this worker may use it, or this worker is it. */
  | {
      readonly id: number;
      readonly kind: 'borrow' | 'lend';
      readonly port: MessagePort;
    };

export interface ChartEntry {
  /** The chart's id; with ` (old rule)` behind it for the historic one. */
  readonly name: string;
  readonly description: string;
  readonly chart: Chart;
}

export interface Exploration {
  /** `exhausted`: there is no other order; `limit`: there are more than one may wait for. */
  readonly status: 'running' | 'exhausted' | 'limit';
  readonly states: number;
  /** Steps that were walked, and steps that were known without: what commutes is walked once. */
  readonly walked: number;
  readonly commuted: number;
  /** Orders, from there to their ends, of which every step is known; in decimal digits. */
  readonly orders: string;
  /** Those of them that violate a property. */
  readonly violating: string;
  /** How many orders there may be in all; exact when exhausted. */
  readonly estimate: number;
  /** The shortest order that violates a property, as far as is known. */
  readonly found: { readonly labels: readonly string[]; readonly property: string } | null;
}

/** Of the orders that are left at a step, how many violate a property in the end. */
export interface OrderShare {
  /** In decimal digits. */
  readonly orders: string;
  readonly violating: string;
  /** Orders drawn at random, since there are too many to count. */
  readonly isDrawn: boolean;
}

export type Response =
  | {
      readonly id: number;
      readonly kind: 'frames';
      readonly path: readonly number[];
      readonly from: number;
      readonly frames: readonly Frame[];
      /** What was not possible any more, and at which step. */
      readonly stopped?: string | null;
    }
  | { readonly id: number; readonly kind: 'exploration'; readonly exploration: Exploration }
  | { readonly id: number; readonly kind: 'shares'; readonly shares: readonly OrderShare[] }
  | { readonly id: number; readonly kind: 'judged'; readonly judgement: Judgement }
  | { readonly id: number; readonly kind: 'connected' }
  | { readonly id: number; readonly kind: 'failure'; readonly message: string };
