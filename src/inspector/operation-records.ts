/**
 * @module operation-records: whose a record is, and which operations are forgotten first where
 * there is no room for all: whole ones, since half a run would be a riddle. The process that is
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

/** Whether nothing more is to be expected of its operation: a machine of others ends by itself. */
export function isLastOfOperation(record: TraceRecord): boolean {
  // What is cancelled ends after that.
  if (record.kind === 'operation') return record.event === 'ended' || record.event === 'killed';
  return record.kind === 'end' && !record.actor.includes('/');
}

/**
 * The names in the order in which they are forgotten: what has ended, the oldest first, then what
 * runs. They may be taken out of `operations` on the way.
 * @param operations in the order of their beginning
 */
export function* inOrderOfForgetting(
  operations: ReadonlyMap<string, { readonly isEnded: boolean }>,
): Generator<string> {
  for (const [name, { isEnded }] of operations) if (isEnded) yield name;
  yield* operations.keys();
}
