/**
 * @module changes: two values of JSON beside each other, field by field.
 */
import type { Json } from '../../../src/runtime/trace.ts';

/** Nobody reads deeper, and what somebody sent may be as deep as it likes. */
const deepest = 32;

export interface Field {
  /** Of an object, or the index in a list. */
  readonly key: string;
  readonly change: 'same' | 'added' | 'removed' | 'changed';
  /** What is there now; of a field that was removed, what was. */
  readonly value: Json;
  /** Of a field that has become another one as a whole, what was there. */
  readonly was: Json | undefined;
  /** Of an object or a list, what is in it; null too where it lies too deep to be shown. */
  readonly fields: readonly Field[] | null;
}

/** The fields of `now`, and those that only `before` has. Undefined: nothing to compare with. */
export function fieldsOf(before: Json | undefined, now: Json, depth = 0): readonly Field[] {
  const [old, fresh] = [entriesOf(before), entriesOf(now)];
  const isNew = before === undefined;
  const kept = [...fresh].map(([key, value]): Field => {
    if (isNew) return plain(key, value, 'same', depth);
    if (!old.has(key)) return plain(key, value, 'added', depth);
    return compared(key, old.get(key) as Json, value, depth);
  });
  const gone = [...old]
    .filter(([key]) => !fresh.has(key))
    .map(([key, value]) => plain(key, value, 'removed', depth));
  return [...kept, ...gone];
}

/** How many fields, to any depth, are not the same. */
export function changesIn(fields: readonly Field[]): number {
  let count = 0;
  for (const field of fields) {
    if (field.change === 'same') continue;
    const isOfParts = field.change === 'changed' && field.was === undefined;
    count += isOfParts ? changesIn(field.fields ?? []) : 1;
  }
  return count;
}

function compared(key: string, before: Json, now: Json, depth: number): Field {
  const isShown = depth < deepest;
  if (isShown && isTree(before) && isTree(now) && Array.isArray(before) === Array.isArray(now)) {
    const fields = fieldsOf(before, now, depth + 1);
    const change = fields.every((field) => field.change === 'same') ? 'same' : 'changed';
    return { key, change, value: now, was: undefined, fields };
  }
  if (before === now || (!isShown && isTree(before))) return plain(key, now, 'same', depth);
  return { ...plain(key, now, 'changed', depth), was: before };
}

function plain(key: string, value: Json, change: Field['change'], depth: number): Field {
  const isShown = depth < deepest && isTree(value);
  const fields = isShown ? fieldsOf(undefined, value, depth + 1) : null;
  return { key, change, value, was: undefined, fields };
}

function isTree(value: Json | undefined): value is Exclude<Json, null | string | number | boolean> {
  return typeof value === 'object' && value !== null;
}

/** A map, since a trace that somebody sent may name a field anything. */
function entriesOf(value: Json | undefined): ReadonlyMap<string, Json> {
  if (!isTree(value)) return new Map();
  return new Map(Object.entries(value).map(([key, field]) => [key, field ?? null]));
}
