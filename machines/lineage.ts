/**
 * @module lineage: which version was built on which, as far as the versions in sight tell.
 *
 * A version names its parent in the salt of its signature (docs/format.md), by the parent's tag.
 * A name can be followed only while the parent is in sight. A version that names nobody (another
 * client's, whose salts are random) may have been built on anything that is older.
 */
import { compareVersions, type Hex, noParentTag, type Version } from './servermap.ts';

/** By their ids. */
export type Versions = Readonly<Record<Hex, Version>>;

/** The parent of a version: in sight, `nothing` for a first version, or not known. */
export type Parent =
  | { readonly kind: 'version'; readonly version: Version }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown' };

/** What a version was built on, as far as `versions` tell. */
export function parentOf(versions: Versions, { parentTag, seqnum }: Version): Parent {
  if (parentTag === noParentTag) return { kind: 'nothing' };
  // An honest child is newer than its parent: otherwise a circle of names would never end.
  const version = Object.values(versions).find((v) => v.tag === parentTag && v.seqnum < seqnum);
  return version === undefined ? { kind: 'unknown' } : { kind: 'version', version };
}

/** Whether `newer` is, or was built on, `older`. */
export function contains(versions: Versions, newer: Version, older: Version) {
  for (let at = newer; ; ) {
    if (at.id === older.id) return 'yes';
    // Whatever it was built on is older still.
    if (at.seqnum <= older.seqnum) return 'no';
    const parent = parentOf(versions, at);
    if (parent.kind === 'nothing') return 'no';
    if (parent.kind === 'unknown') return 'unknown';
    at = parent.version;
  }
}

/**
 * `base` and all that it is known to contain; last the name of a parent that is in sight nowhere,
 * which others may name too. Nothing (null) contains nothing.
 */
export function lineOf(versions: Versions, base: Version | null): ReadonlySet<Hex> {
  const line = new Set<Hex>();
  for (let at = base; at !== null; ) {
    line.add(at.id);
    const parent = parentOf(versions, at);
    if (parent.kind === 'unknown' && at.parentTag !== null) line.add(at.parentTag);
    at = parent.kind === 'version' ? parent.version : null;
  }
  return line;
}

/** What a version contains outside of a line. */
export interface Descent {
  /** Newest first, as far as it is in sight: from the version itself until the line is met. */
  readonly outside: readonly Version[];
  /** Whether that is all. What is beyond the line is in it, whether anybody sees it or not. */
  readonly isKnown: boolean;
}

/** What `version` contains outside of `line`. */
export function descentOf(versions: Versions, line: ReadonlySet<Hex>, version: Version): Descent {
  const outside: Version[] = [];
  for (let at = version; !line.has(at.id); ) {
    outside.push(at);
    const parent = parentOf(versions, at);
    if (parent.kind === 'nothing') break;
    if (parent.kind === 'unknown') {
      // It has left every server, and still both name it.
      return { outside, isKnown: at.parentTag !== null && line.has(at.parentTag) };
    }
    at = parent.version;
  }
  return { outside, isKnown: true };
}

/** Newest first. */
export function newestFirst(versions: Versions): readonly Version[] {
  return Object.values(versions).sort((a, b) => compareVersions(b, a));
}
