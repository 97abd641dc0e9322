/**
 * @module target: what the two caps of an entry lead to, by Tahoe's rules for them
 * (`unknown.py`, `nodemaker.py` `create_from_cap`), and where those leave a hole, by stricter ones.
 *
 * - A cap of a kind that is known leads to a file or a directory; any other is kept as its text, is
 *   never opened, and says by `ro.` or `imm.` in front that nobody takes more from it.
 * - The read cap of an entry is for all readers. A write cap in its place breaks the rules with or
 *   without `ro.` in front; Tahoe takes it, and gives every reader the right to write.
 * - Both caps are of one file. Tahoe does not compare them, so that writers and readers may be shown
 *   different files under one name; here the entry says so.
 */
import { type Cap, type Format, formatCap, parseCap, toReadCap, toVerifyCap } from '../caps.ts';
import { MalformedCapError } from '../errors.ts';
import { immutableCapOf, sizeOf, verifyCapOf } from './immutable.ts';

/** Texts of caps, as secret as these. */
export interface Caps {
  /** Lets its holder change it; whoever reads the directory only has none. */
  readonly write?: string;
  /** Lets its holder read it. */
  readonly read?: string;
  /** Lets its holder check its shares; a literal has none. */
  readonly verify?: string;
}

/** What is at the end of a link. */
export interface Target {
  /** `unknown`: of a kind that this library does not know. */
  readonly kind: 'file' | 'directory' | 'unknown';
  /** Whether it can change; undefined for what is unknown. */
  readonly mutable?: boolean;
  /** `sdmf` or `mdmf` of what can change, `chk` or `lit` of what cannot. */
  readonly format?: Format | 'chk' | 'lit';
  /** Bytes, of an immutable one. */
  readonly size?: number;
  /** The texts of its caps: secrets. */
  readonly caps: Caps;
  /** Why the entry is not to be trusted. */
  readonly warning?: string;
}

/** What a rule of caps says against an entry. */
export interface Broken {
  readonly problem: string;
}

/** The texts of an entry, without padding; absent where empty. */
export interface CapTexts {
  readonly rw?: string | undefined;
  readonly ro?: string | undefined;
}

const PREFIX = /^(?:ro|imm)\./;

/** Where an entry leads, of a directory that can change or not; only one that can has write caps. */
export function targetOf({ rw, ro }: CapTexts, isMutable: boolean): Target | Broken {
  if (rw === undefined) return ro === undefined ? nothing : readTarget(ro, isMutable);
  const known = knownTarget(rw);
  if (known === undefined) return unknownTarget(rw, ro);
  if ('problem' in known || ro === undefined) return known;
  const shown = readTarget(ro, true);
  const isSame = !('problem' in shown) && shown.caps.read === known.caps.read;
  return isSame ? known : { ...known, warning: 'its read cap is not that of its write cap' };
}

const nothing: Target = { kind: 'unknown', caps: {} };

/** Of an entry with no more than a read cap, or for whoever cannot see more. */
function readTarget(ro: string, isMutable: boolean): Target | Broken {
  const known = knownTarget(ro);
  if (known === undefined) return { kind: 'unknown', caps: { read: asserted(ro, isMutable) } };
  if ('problem' in known) return known;
  if (known.caps.write !== undefined) {
    return { problem: 'a write cap stands where every reader of the directory sees it' };
  }
  if (known.mutable && !isMutable) {
    return { problem: 'it is mutable, in a directory that is immutable' };
  }
  return known;
}

/** Of an entry whose write cap is of no known kind. */
function unknownTarget(rw: string, ro: string | undefined): Target | Broken {
  if (ro === undefined) {
    if (PREFIX.test(rw)) return { kind: 'unknown', caps: { read: rw } };
    return { problem: 'an unknown write cap has no read cap beside it' };
  }
  if (ro.startsWith('imm.')) return { problem: 'what has a write cap is said to be immutable' };
  const shown = readTarget(ro, true);
  if ('problem' in shown) return shown;
  return { kind: 'unknown', caps: { write: rw, read: asserted(ro, true) } };
}

/** With what nobody can doubt in front of it: that it gives no more than reading. */
function asserted(ro: string, isMutable: boolean): string {
  if (isMutable) return PREFIX.test(ro) ? ro : `ro.${ro}`;
  return `imm.${ro.replace(PREFIX, '')}`;
}

/** The places in an entry for the only cap that is at hand. */
export function textsFor(cap: string): CapTexts {
  const known = knownTarget(cap);
  const isRead = known === undefined || 'problem' in known || known.caps.write === undefined;
  const isSaid = known !== undefined || PREFIX.test(cap) || mutableCapOf(cap) !== undefined;
  return isRead && isSaid ? { ro: cap } : { rw: cap };
}

/** What a cap of a known kind leads to; one that only verifies leads nowhere. */
function knownTarget(text: string): Target | Broken | undefined {
  const [prefix = ''] = PREFIX.exec(text) ?? [];
  const body = text.slice(prefix.length);
  const immutable = immutableCapOf(body);
  if (immutable !== undefined) {
    const { directory, kind: format } = immutable;
    const verify = verifyCapOf(immutable);
    const caps = { read: body, ...(verify !== undefined && { verify }) };
    const kind = directory ? 'directory' : 'file';
    return { kind, mutable: false, format, size: sizeOf(immutable), caps };
  }
  const cap = mutableCapOf(body);
  if (cap === undefined || cap.kind === 'verify') return undefined;
  if (prefix === 'imm.') return { problem: 'it is said to be immutable, and is mutable' };
  if (prefix === 'ro.' && cap.kind === 'write') {
    return { problem: 'it is said to be read-only, and is a write cap' };
  }
  const caps = {
    ...(cap.kind === 'write' && { write: formatCap(cap) }),
    read: formatCap(toReadCap(cap)),
    verify: formatCap(toVerifyCap(cap)),
  };
  return { kind: cap.directory ? 'directory' : 'file', mutable: true, format: cap.format, caps };
}

function mutableCapOf(text: string): Cap | undefined {
  try {
    return parseCap(text);
  } catch (error) {
    if (error instanceof MalformedCapError) return undefined;
    throw error;
  }
}
