/**
 * @module troubles: why an operation failed: its charts that ended badly and its storage calls that
 * were lost, by server, each at its moment.
 */
import { shortState } from '../../../src/runtime/state-text.ts';
import type { Json } from '../../../src/runtime/trace.ts';
import { failuresIn } from './failures.ts';
import type { Call, Operation } from './run-model.ts';
import { lookOf, type TraceModel, type Track } from './trace-model.ts';

export interface Trouble {
  /** Number of records up to and with the one that tells of it. */
  readonly position: number;
  readonly at: number;
  /** `servermapUpdate query failed`, `list lost` */
  readonly what: string;
  /** Null: no record says why. */
  readonly reason: string | null;
  /** The chart to look at; null for a call. */
  readonly track: Track | null;
}

export interface TroubleGroup {
  /** Null: what has to do with no single server. */
  readonly server: string | null;
  readonly troubles: readonly Trouble[];
}

/** Servers in the order of their first trouble; what has to do with no single server is last. */
export function troublesOf(model: TraceModel, operation: Operation): readonly TroubleGroup[] {
  const groups = new Map<string | null, Trouble[]>();
  const add = (server: string | null, trouble: Trouble) => {
    groups.set(server, [...(groups.get(server) ?? []), trouble]);
  };
  for (const call of operation.calls) {
    const trouble = troubleOfCall(call);
    if (trouble !== null) add(call.server, trouble);
  }
  for (const root of model.roots) {
    if (root.operation === operation.name) visit(root, add);
  }
  const isNamed = (server: string | null) => (server === null ? 1 : 0);
  return [...groups]
    .map(([server, troubles]) => ({
      server,
      troubles: saidOnce(troubles.sort((a, b) => a.position - b.position)),
    }))
    .sort((a, b) => isNamed(a.server) - isNamed(b.server) || positionOf(a) - positionOf(b));
}

/** A chart that fails by a lost call says why, in the same words. */
function saidOnce(troubles: readonly Trouble[]): readonly Trouble[] {
  return troubles.map((trouble, i) => {
    const isRepeated = troubles
      .slice(0, i)
      .some(({ reason }) => reason !== null && trouble.reason?.includes(reason));
    return isRepeated ? { ...trouble, reason: null } : trouble;
  });
}

function positionOf({ troubles: [first] }: TroubleGroup): number {
  return first?.position ?? 0;
}

function troubleOfCall({ ended, fate, what, error }: Call): Trouble | null {
  // What was given up is told by the chart that gave it up, if it had to.
  if (ended === null || fate !== 'lost') return null;
  const { position, at } = ended;
  return { position, at, what: `${what} ${fate}`, reason: error, track: null };
}

function visit(track: Track, add: (server: string | null, trouble: Trouble) => void): void {
  for (const child of track.children) visit(child, add);
  const mark = track.marks.at(-1);
  if (mark === undefined || lookOf(mark.state).tone !== 'bad') return;
  const state = shortState(mark.state);
  const [above, last] = track.actor.split('/').slice(-2);
  // `servermapUpdate query`: the server is in the heading.
  const name = track.isOneOfMany ? `${above} ${last?.split(':')[0]}` : (last ?? above);
  const what = `${name} ${state}`;
  const { position, at } = mark;
  add(track.server, { position, at, what, reason: reasonIn(mark), track });
}

/** Of a chart that stands for a server or a share. */
function reasonIn({ context }: { readonly context: Json }): string | null {
  const { failure = null, judged } = (context ?? {}) as {
    failure?: Json;
    judged?: Readonly<Record<string, unknown>>;
  };
  const [found] = failuresIn(failure);
  if (found !== undefined) return found.text;
  const bad = Object.entries(judged ?? {}).filter(([, words]) => !String(words).startsWith('good'));
  return bad.length === 0 ? null : bad.map(([shnum, words]) => `sh${shnum} ${words}`).join('; ');
}
