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
  /** The chart to look at; of a call the one that asked, null if it is not known. */
  readonly track: Track | null;
  readonly isCall: boolean;
}

export interface TroubleGroup {
  /** Null: what has to do with no single server. */
  readonly server: string | null;
  readonly troubles: readonly Trouble[];
}

/**
 * Servers that refused a call or lost one come first, those that were waited for too long next, in
 * the order of their first trouble; what has to do with no single server is last.
 */
export function troublesOf(model: TraceModel, operation: Operation): readonly TroubleGroup[] {
  const groups = new Map<string | null, Trouble[]>();
  const add = (server: string | null, trouble: Trouble) => {
    groups.set(server, [...(groups.get(server) ?? []), trouble]);
  };
  for (const call of operation.calls) {
    const trouble = troubleOfCall(call, askerOf(model, call));
    if (trouble !== null) add(call.server, trouble);
  }
  for (const root of model.roots) {
    if (root.operation === operation.name) visit(root, add);
  }
  const rank = ({ server, troubles }: TroubleGroup) =>
    server === null ? 2 : troubles.some(isRefusal) ? 0 : 1;
  return [...groups]
    .map(([server, troubles]) => ({
      server,
      troubles: saidOnce(troubles.sort((a, b) => a.position - b.position)),
    }))
    .sort((a, b) => rank(a) - rank(b) || positionOf(a) - positionOf(b));
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

/** Why, as far as a server is to blame: what it refused or lost, with its reason. */
export function firstRefusal(groups: readonly TroubleGroup[]): {
  readonly server: string;
  readonly trouble: Trouble;
} | null {
  for (const { server, troubles } of groups) {
    const trouble = troubles.find(isRefusal);
    if (server !== null && trouble !== undefined) return { server, trouble };
  }
  return null;
}

function isRefusal({ isCall, reason }: Trouble): boolean {
  return isCall && reason !== null && !/time(d )?-?out|deadline/i.test(reason);
}

/** The chart that stands for the server or the share of a call; the last one that had begun. */
export function askerOf(model: TraceModel, call: Call): Track | null {
  const own = model.asking(call.operation, call.server).filter(({ marks, end }) => {
    const [first] = marks;
    const isBegun = first !== undefined && first.position <= call.sent.position + asked;
    return isBegun && (end === null || end.position >= call.sent.position);
  });
  const shares = [...call.what.matchAll(/sh(\d+)/g)].map(([, n]) => n as string);
  const isOfShare = ({ key }: Track) => shares.includes(key.split(':')[1] ?? '');
  return own.findLast(isOfShare) ?? own.at(-1) ?? null;
}

/** A chart may tell its first state a little after its call. */
const asked = 8;

function positionOf({ troubles: [first] }: TroubleGroup): number {
  return first?.position ?? 0;
}

function troubleOfCall({ ended, fate, what, error }: Call, track: Track | null): Trouble | null {
  // What was given up is told by the chart that gave it up, if it had to.
  if (ended === null || fate !== 'lost') return null;
  const { position, at } = ended;
  return { position, at, what: `${what} ${fate}`, reason: error, track, isCall: true };
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
  add(track.server, { position, at, what, reason: reasonIn(mark), track, isCall: false });
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
