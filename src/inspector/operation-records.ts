/**
 * @module operation-records: whose a record is, and which are forgotten first where there is no
 * room for all: whole operations, since half a run would be a riddle. The process that is
 * watched and the page that watches it forget by the same rule.
 */
import type { TraceRecord } from '../simulation/world-types.ts';

/** `modify~3`, the first part of the path of its actors; null: the record is of no operation. */
export function operationOf(record: TraceRecord): string | null {
  if ('actor' in record) return operationOfActor(record.actor);
  return 'operation' in record ? (record.operation ?? null) : null;
}

/** Path of the actor that a record is about, or an operation; null: a server, a disk, the clock. */
export function culpritOf(record: TraceRecord): string | null {
  return 'actor' in record ? record.actor : operationOf(record);
}

/** `modify~3` of `modify~3/writeFile/publish`. */
export function operationOfActor(actor: string): string {
  const end = actor.indexOf('/');
  return end < 0 ? actor : actor.slice(0, end);
}

/** What is to be known of a record to say when it may go. */
export interface Outline {
  readonly operation: string | null;
  readonly kind: TraceRecord['kind'];
  /** Of which actor or operation it is the beginning, a step or the end. */
  readonly of: string;
  /** How its operation came out, if this is the last of it. */
  readonly outcome: 'succeeded' | 'failed' | null;
  /** Of its JSON, in characters. */
  readonly size: number;
}

export function outlineOf(record: TraceRecord, size = 0): Outline {
  const of = culpritOf(record) ?? '';
  const { kind } = record;
  return { operation: operationOf(record), kind, of, outcome: outcomeOf(record), size };
}

/** A machine of others ends by itself; what is cancelled ends after that. */
function outcomeOf(record: TraceRecord): Outline['outcome'] {
  if (record.kind === 'operation') {
    if (record.event === 'killed') return 'failed';
    if (record.event !== 'ended') return null;
    return record.result?.ok === false ? 'failed' : 'succeeded';
  }
  if (record.kind !== 'end' || record.actor.includes('/')) return null;
  return record.status === 'error' ? 'failed' : 'succeeded';
}

export interface Forgotten {
  /** By place in the list. */
  readonly isGone: readonly boolean[];
  readonly records: number;
  /** Whole ones. */
  readonly operations: number;
}

/**
 * What goes so that the rest is within `limits`: whole operations that succeeded, the oldest first,
 * then those that failed. Of what goes on, the oldest records, but not the beginning of an actor
 * that lives nor the last step of it; these go only when there is no other way. What is of no
 * operation stays, and so does what is at `unsent` or after it.
 */
export function forget(
  outlines: readonly Outline[],
  limits: { readonly records: number; readonly size: number },
  unsent = outlines.length,
): Forgotten {
  const isGone = outlines.map(() => false);
  let [records, operations] = [0, 0];
  let size = outlines.reduce((sum, outline) => sum + outline.size, 0);
  const isEnough = () => outlines.length - records <= limits.records && size <= limits.size;
  const drop = (place: number) => {
    isGone[place] = true;
    records++;
    size -= (outlines[place] as Outline).size;
  };
  const places = placesOf(outlines);
  for (const outcome of ['succeeded', 'failed']) {
    for (const own of places) {
      if (isEnough()) return { isGone, records, operations };
      // A call may be answered after the end.
      const isSo = own.some((place) => outlines[place]?.outcome === outcome);
      if (!isSo || (own.at(-1) as number) >= unsent) continue;
      for (const place of own) drop(place);
      operations++;
    }
  }
  const spared = livingAt(outlines);
  for (const isLastResort of [false, true]) {
    for (let place = 0; place < unsent && !isEnough(); place++) {
      if (isGone[place] || outlines[place]?.operation === null) continue;
      if (isLastResort || !spared.has(place)) drop(place);
    }
  }
  return { isGone, records, operations };
}

/** Of each operation, where its records are; in the order of their beginning. */
function placesOf(outlines: readonly Outline[]): Iterable<readonly number[]> {
  const places = new Map<string, number[]>();
  for (const [place, { operation }] of outlines.entries()) {
    if (operation === null) continue;
    const own = places.get(operation);
    if (own === undefined) places.set(operation, [place]);
    else own.push(place);
  }
  return places.values();
}

/** The beginning of each actor and operation that lives, and the last step of it. */
function livingAt(outlines: readonly Outline[]): ReadonlySet<number> {
  const begun = new Map<string, number>();
  const stepped = new Map<string, number>();
  for (const [place, { kind, of, outcome }] of outlines.entries()) {
    if (kind === 'end' || outcome !== null) {
      begun.delete(of);
      stepped.delete(of);
    } else if (kind === 'actor' || (kind === 'operation' && !begun.has(of))) {
      begun.set(of, place);
    } else if (kind === 'step') stepped.set(of, place);
  }
  return new Set([...begun.values(), ...stepped.values()]);
}
