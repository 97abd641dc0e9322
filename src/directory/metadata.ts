/**
 * @module metadata: what is said of a link beside its caps, and how it changes with the link
 * (`dirnode.py` `update_metadata`).
 *
 * Under `tahoe` stand the times of the link, in seconds since 1970: when it was made and when it
 * was last changed. No caller sets them, but for the first children of a new directory.
 */
import { BadArgumentError } from '../errors.ts';
import { redacted } from '../redacted.ts';
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

/**
 * As `JSON.stringify` has it: members that are undefined are none, and what has a `toJSON` is what that
 * gives. What it would leave out or change besides is refused, for nobody would get it back.
 * @throws BadArgumentError for what no JSON object can be made of, naming the member
 */
export function metadataFrom(given: Metadata): JsonObject {
  let text: string | undefined;
  try {
    if (isSayable(given)) text = JSON.stringify(given, onlySayable);
  } catch (error) {
    if (error instanceof BadArgumentError) throw error;
    // A circle, or a `toJSON` that throws.
  }
  const value = text === undefined ? undefined : parseJson(text);
  if (isObject(value)) return value;
  throw new BadArgumentError('metadata', 'are no object that JSON could say');
}

/** @throws BadArgumentError for what JSON has no word for */
function onlySayable(this: unknown, key: string, value: unknown): unknown {
  if (isSayable(value) || (value === undefined && !Array.isArray(this))) return value;
  throw new BadArgumentError('metadata', `JSON has no word for ${JSON.stringify(redacted(key))}`);
}

function isSayable(value: unknown): boolean {
  if (value === null || ['string', 'boolean'].includes(typeof value)) return true;
  // Of a map, a set or bytes there would be members, or none, and not what they hold.
  const isRecord = Object.prototype.toString.call(value) === '[object Object]';
  return Number.isFinite(value) || Array.isArray(value) || isRecord;
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
