/**
 * @module protocol: what the page and the engine's worker tell each other. Plain JSON.
 *
 * A run is a scene and a list of choices. A scene has one world, or two that get the same choices:
 * the one with an old rule first. A choice that a world does not have is skipped there.
 */
import type { Chart } from '../../../src/inspector/chart.ts';
import type { Message } from '../../../src/simulation/network.ts';
import type {
  Choice,
  OperationView,
  ServerView,
  TraceRecord,
  WorldOptions,
} from '../../../src/simulation/world.ts';

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
      readonly scene: Scene;
      readonly path: readonly number[];
    };

export interface ChartEntry {
  /** The chart's id; with ` (old rule)` behind it for the historic one. */
  readonly name: string;
  readonly description: string;
  readonly chart: Chart;
}

export interface Exploration {
  readonly states: number;
  readonly orders: number;
  /** `exhausted`: there is no other order; `limit`: there are more than one may wait for. */
  readonly status: 'running' | 'found' | 'exhausted' | 'limit';
  /** The shortest run that violates a property. */
  readonly found: { readonly path: readonly number[]; readonly property: string } | null;
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
  | { readonly id: number; readonly kind: 'failure'; readonly message: string };
