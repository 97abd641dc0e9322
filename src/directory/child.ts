/**
 * @module child: what an entry of a directory is, for those who look, and how one is made of what a
 * writer wants in it.
 */
import { equalBytes, utf8 } from '../bytes.ts';
import { parseCap } from '../caps.ts';
import { BadArgumentError, MalformedCapError } from '../errors.ts';
import { withHidden } from '../hidden.ts';
import { parseImmutableCap } from '../immutable/caps.ts';
import type { JsonObject } from './json.ts';
import {
  dumpMetadata,
  isNoWrite,
  type Metadata,
  parseMetadata,
  plainMetadata,
} from './metadata.ts';
import { openRwCap, rwFieldOverhead, sealRwCap, type Writer } from './rw-field.ts';
import { type Entry, newEntry, textOf } from './table.ts';
import {
  type Broken,
  type Caps,
  type CapTexts,
  type Target,
  targetOf,
  textsFor,
} from './target.ts';

/** An entry of a directory. */
export interface Child {
  /** In NFC; undefined where there is none that could be read. */
  readonly name: string | undefined;
  /**
   * `unknown`: its caps are of a kind that this library does not know. `ill-formed`: `problem` says
   * what is wrong with it. Neither is ever opened; both stay as they are until they are replaced.
   */
  readonly kind: Target['kind'] | 'ill-formed';
  /** Of a file or a directory: whether it can change. */
  readonly mutable: boolean | undefined;
  /** `sdmf` or `mdmf` of what can change, `chk` or `lit` of what cannot; else undefined. */
  readonly format: Target['format'];
  /** Bytes; only a cap of an immutable file tells them. */
  readonly size: number | undefined;
  /** Times of the link stand under `tahoe`, in seconds. Undefined where they cannot be read. */
  readonly metadata: Metadata | undefined;
  /** What is wrong with it. A file or directory with a problem can be opened, and not be moved. */
  readonly problem: string | undefined;
  /** A later entry has the same name, and is the child of that name. */
  readonly isShadowed: boolean;
  /** The texts of its caps: secrets, which printing or copying the child does not show. */
  readonly caps: Caps;
}

/** How a directory is held. */
export interface Holder {
  readonly isMutable: boolean;
  /** Undefined for a reader. */
  readonly writer?: Writer | undefined;
}

/** An entry as far as it can be understood. */
export interface Link {
  readonly target: Target;
  readonly metadata: JsonObject;
}

/** What an entry holds, or what is wrong with it. */
export async function linkOf({ name, fields }: Entry, holder: Holder): Promise<Link | Broken> {
  if (name === undefined)
    return { problem: 'its name is missing, is not UTF-8, or has no end of marks' };
  if (fields === undefined) return { problem: 'it has fewer than four fields' };
  const metadata = parseMetadata(fields.metadata);
  if (metadata === undefined) return { problem: 'its metadata are no JSON object' };
  const { isMutable, writer } = holder;
  const { rw: field } = fields;
  if (field.length > 0 && !isMutable) {
    return { problem: 'it has a write cap, in a directory that is immutable' };
  }
  if (field.length > 0 && field.length < rwFieldOverhead) {
    return { problem: 'its write cap is cut short' };
  }
  const isSealed = writer !== undefined && field.length > 0;
  const rw = textOf(isSealed ? await openRwCap(writer, field) : new Uint8Array(0));
  const ro = textOf(fields.ro);
  if (rw === undefined || ro === undefined) return { problem: 'a cap of it is no text' };
  const target = targetOf({ rw: unpadded(rw), ro: unpadded(ro) }, isMutable);
  return 'problem' in target ? target : { target, metadata };
}

/** Tahoe leaves room for blanks behind a cap. */
function unpadded(cap: string): string | undefined {
  let end = cap.length;
  while (cap[end - 1] === ' ') end--;
  return end === 0 ? undefined : cap.slice(0, end);
}

/** Every entry, in the order of the contents. */
export async function childrenOf(entries: readonly Entry[], holder: Holder): Promise<Child[]> {
  const last = new Map(entries.map((entry) => [entry.name, entry]));
  return Promise.all(
    entries.map(async (entry) => {
      const isShadowed = entry.name !== undefined && last.get(entry.name) !== entry;
      return childOf(entry.name, await linkOf(entry, holder), isShadowed);
    }),
  );
}

function childOf(name: string | undefined, link: Link | Broken, isShadowed: boolean): Child {
  const { target, metadata } = 'problem' in link ? ({} as Partial<Link>) : link;
  const shown = {
    name,
    kind: target?.kind ?? ('ill-formed' as const),
    mutable: target?.mutable,
    format: target?.format,
    size: target?.size,
    metadata: metadata && plainMetadata(metadata),
    problem: 'problem' in link ? link.problem : target?.warning,
    isShadowed,
  };
  return withHidden(shown, 'caps', target?.caps ?? {});
}

/**
 * The texts of an entry that leads where `given` does: a cap, or a write and a read cap.
 * @throws MalformedCapError, BadArgumentError for what Tahoe could not list or follow; neither
 *   quotes a cap
 */
export function linkable(given: string | Caps): CapTexts {
  const texts = typeof given === 'string' ? textsFor(given) : { rw: given.write, ro: given.read };
  const all = [texts.rw, texts.ro].filter((text) => text !== undefined);
  if (all.join('') === '') refuse('has no cap');
  for (const text of all) {
    if (/^\s|\s$|\0/.test(text) || text === '') refuse('is no cap');
    // A client of Tahoe's can neither link nor list it.
    if (/^(?:ro\.|imm\.)?URI:CHK-Verifier:/.test(text)) refuse('only verifies an immutable file');
    requireWhole(text);
  }
  const target = targetOf(texts, true);
  const problem = 'problem' in target ? target.problem : target.warning;
  if (problem !== undefined) refuse(problem);
  const { write: rw, read: ro } = (target as Target).caps;
  return { rw, ro };
}

/** What begins as a cap of a known kind is no cap of an unknown one. @throws MalformedCapError */
function requireWhole(text: string): void {
  for (const parse of [parseCap, parseImmutableCap]) {
    try {
      parse(text);
    } catch (error) {
      const isOther = error instanceof MalformedCapError && error.facts.field === 'prefix';
      if (!isOther) throw error;
    }
  }
}

function refuse(problem: string): never {
  throw new BadArgumentError('child', problem);
}

/** An entry with these caps. @param name in NFC */
export async function packChild(
  writer: Writer,
  name: string,
  { rw, ro = '' }: CapTexts,
  metadata: JsonObject,
): Promise<Entry> {
  return newEntry(name, {
    // `imm.` is information, here; `ro.` is said by the place.
    ro: utf8(ro.replace(/^ro\./, '')),
    rw: await sealRwCap(writer, rw === undefined ? new Uint8Array(0) : utf8(rw)),
    metadata: utf8(dumpMetadata(metadata)),
  });
}

/** The caps of a link with such metadata. */
export function capsUnder(metadata: JsonObject, { rw, ro }: CapTexts): CapTexts {
  return isNoWrite(metadata) ? { ro } : { rw, ro };
}

/** Whether two entries of one directory lead to the same place, as far as their bytes tell. */
export function isSameChild(a: Entry, b: Entry): boolean {
  if (a.fields === undefined || b.fields === undefined) return equalBytes(a.bytes, b.bytes);
  return equalBytes(a.fields.ro, b.fields.ro) && equalBytes(a.fields.rw, b.fields.rw);
}
