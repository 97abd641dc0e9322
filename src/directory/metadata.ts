/**
 * @module metadata: what is said of a link beside its caps, and how it changes with the link
 * (`dirnode.py` `update_metadata`).
 *
 * Under `tahoe` stand the times of the link, in seconds since 1970: when it was made and when it
 * was last changed. No caller sets them, but for the first children of a new directory.
 */
import { BadArgumentError } from '../errors.ts';
import {
  dumpJson,
  floatOf,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  plainOf,
} from './json.ts';
import { textOf } from './table.ts';

/** As a program gives and gets it: JSON. */
export type Metadata = Readonly<Record<string, unknown>>;

/** The metadata in an entry; undefined where there is no object in JSON. */
export function parseMetadata(bytes: Uint8Array): JsonObject | undefined {
  const text = textOf(bytes);
  const value = text === undefined ? undefined : parseJson(text);
  return isObject(value) ? value : undefined;
}

/** @throws BadArgumentError for what no JSON object can be made of */
export function metadataFrom(given: Metadata): JsonObject {
  let text: string | undefined;
  try {
    text = JSON.stringify(given);
  } catch {
    // A circle, or a bigint.
  }
  const value = text === undefined ? undefined : parseJson(text);
  if (isObject(value)) return value;
  throw new BadArgumentError('metadata', 'are no object that JSON could say');
}

export function plainMetadata(metadata: JsonObject): Metadata {
  return plainOf(metadata) as Metadata;
}

export function dumpMetadata(metadata: JsonObject): string {
  return dumpJson(metadata);
}

/**
 * The metadata of a link that is made, or changed.
 * @param old those that the name has in this directory, if it is there
 * @param given replace all but the times; those of a name stay where none are given
 * @param now seconds since 1970
 */
export function relinked(
  old: JsonObject | undefined,
  given: JsonObject | undefined,
  now: number,
): JsonObject {
  const base: JsonObject = old ?? new Map();
  const result = new Map<string, Json>(given ?? base);
  const times = base.get('tahoe');
  if (given !== undefined) {
    result.delete('tahoe');
    if (times !== undefined) result.set('tahoe', times);
  }
  const system = new Map<string, Json>(isObject(times) ? times : []);
  if (!system.has('linkcrtime')) system.set('linkcrtime', base.get('ctime') ?? floatOf(now));
  system.set('linkmotime', floatOf(now));
  return result.set('tahoe', system);
}

/** Those of a link as it takes them to another name, without its times. */
export function withoutTimes(metadata: JsonObject): JsonObject {
  const rest = new Map(metadata);
  rest.delete('tahoe');
  return rest;
}

/** Whether the link is to give no right to write, as Python understands `no-write`. */
export function isNoWrite(metadata: JsonObject): boolean {
  const value = plainOf(metadata.get('no-write') ?? null);
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
