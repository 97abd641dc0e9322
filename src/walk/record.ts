/**
 * @module record: what is kept of what a walk is through with, so that another one can go on there:
 * JSON, with no more than verify caps and names in it.
 */

import { checkMet, type Extent, type Met } from './met.ts';
import { comparePositions, type Position, phaseOf, positionAt } from './order.ts';
import { Seen } from './seen.ts';
import type { ObjectVerdict } from './tally.ts';

/** One object, or entry, that a walk is through with. */
export interface WalkRecord {
  /** Names from the directory where the walk began. */
  readonly path: readonly string[];
  /** As of {@link Met}. */
  readonly kind: Met['kind'];
  /** As of {@link Met}. */
  readonly mutable?: boolean | undefined;
  /** As of {@link Met}. */
  readonly format?: Met['format'];
  /** Bytes, of an immutable one. */
  readonly size?: number | undefined;
  /** By which an object is known again; no secret. */
  readonly verifyCap?: string | undefined;
  /** Of a directory that could be read. */
  readonly extent?: Extent | undefined;
  /** A directory could not be read. */
  readonly isUnread?: true | undefined;
  /** Of a deep check. */
  readonly verdict?: ObjectVerdict | undefined;
}

/**
 * What to keep of an object so that the walk can go on behind it, as JSON. @param verdict of a deep
 * check: that of `verdictOf`
 * @throws BadArgumentError
 */
export function recordOf(met: Met, verdict?: ObjectVerdict): WalkRecord {
  checkMet(met);
  const { path, kind, mutable, format, size, extent, error, caps } = met;
  const isUnread = error === undefined ? undefined : true;
  return {
    ...{ path, kind, mutable, format, size, verifyCap: caps.verify, extent, isUnread, verdict },
  };
}

/** What a walk has behind it: all objects, and the last place. */
export class Trail {
  readonly seen = new Seen();
  #last: WalkRecord | undefined;
  /** How many entries in a row had the last place: names that are none, or the same. */
  #twins = 0;

  /** Records have to come in the order of the walk. */
  add(record: WalkRecord): void {
    if (record.verifyCap !== undefined) this.seen.add(record.verifyCap);
    const isTwin =
      this.#last !== undefined &&
      phaseOf(record) === phaseOf(this.#last) &&
      JSON.stringify(record.path) === JSON.stringify(this.#last.path);
    this.#twins = isTwin ? this.#twins + 1 : 1;
    this.#last = record;
  }

  /** How much of the directory where the walk began is behind. */
  get behind(): Behind | undefined {
    return this.#last && new Behind(this.#last, this.#twins, 0);
  }
}

/** How much of one directory is behind: itself, and its children up to a place. */
export class Behind {
  readonly #last: WalkRecord;
  readonly #depth: number;
  /** The child that the walk had come to; it is within it, or through with it. */
  readonly #at: Position | undefined;
  #twins: number;

  constructor(last: WalkRecord, twins: number, depth: number) {
    this.#last = last;
    this.#twins = twins;
    this.#depth = depth;
    const name = last.path[depth];
    const phase = this.#isOfChild ? phaseOf(last) : 'directory';
    this.#at = name === undefined ? undefined : positionAt(phase, name);
  }

  get #isOfChild(): boolean {
    return this.#last.path.length === this.#depth + 1;
  }

  /** Whether it is behind with all that is in it: it could not be read. */
  get isOver(): boolean {
    return this.#at === undefined && this.#last.isUnread === true;
  }

  /** Whether a child is behind, with all that is in it. To be asked of each child once, in order. */
  isBehind(position: Position): boolean {
    if (this.#at === undefined) return false;
    const order = comparePositions(position, this.#at);
    if (order !== 0) return order < 0;
    if (position.phase === 'directory') return this.#isOfChild && this.#last.isUnread === true;
    return this.#twins-- > 0;
  }

  /** How much of a child is behind, that is a directory and has not all of it behind. */
  within(position: Position): Behind | undefined {
    if (this.#at === undefined || comparePositions(position, this.#at) !== 0) return undefined;
    return new Behind(this.#last, this.#twins, this.#depth + 1);
  }
}

const kinds: readonly unknown[] = ['file', 'directory', 'unknown', 'ill-formed'];
const formats: readonly unknown[] = ['sdmf', 'mdmf', 'chk', 'lit', undefined];
const repairs: readonly unknown[] = ['successful', 'unsuccessful', 'refused', undefined];

/** Whether it is one, as far as that can be told: it may come out of a file. */
export function isRecord(record: object): record is WalkRecord {
  const it = record as Partial<Record<keyof WalkRecord, unknown>>;
  const { path, kind, mutable, format, size, verifyCap, extent, isUnread, verdict } = it;
  return (
    Array.isArray(path) &&
    path.every((name) => typeof name === 'string') &&
    kinds.includes(kind) &&
    formats.includes(format) &&
    [true, false, undefined].includes(mutable as boolean) &&
    (size === undefined || isCount(size)) &&
    (verifyCap === undefined || typeof verifyCap === 'string') &&
    (extent === undefined || isExtent(extent)) &&
    (isUnread === undefined || isUnread === true) &&
    (verdict === undefined || isVerdict(verdict))
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isExtent(value: unknown): boolean {
  const { children, size } = Object(value) as Record<string, unknown>;
  return isCount(children) && isCount(size);
}

function isVerdict(value: unknown): boolean {
  const given = Object(value) as Record<string, unknown>;
  const { wasHealthy, isHealthy, corruptShares, repair, isFailed, mayLapse } = given;
  const healths: readonly unknown[] = [true, false, null];
  return (
    healths.includes(wasHealthy) &&
    healths.includes(isHealthy) &&
    Array.isArray(corruptShares) &&
    corruptShares.length === 2 &&
    corruptShares.every(isCount) &&
    repairs.includes(repair) &&
    [isFailed, mayLapse].every((flag) => flag === undefined || flag === true)
  );
}
