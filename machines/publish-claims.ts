/**
 * @module publish-claims: which shares would be another writer's, if they were what a server shows.
 *
 * A server can show any bytes. A share that can be there without another writer (ours, the base, an
 * older one, one that the map knows) is taken as shown: at worst it is written over, with that as
 * the test. Any other share is a *claim*, and is checked before it counts.
 */
import type { SeenShare } from './reports.ts';
import type { Hex } from './servermap.ts';

/** What may be on the server of one write without anybody else having written. */
export interface Expectation {
  /** N. */
  readonly total: number;
  /** Of the version that is being written. */
  readonly seqnum: number;
  /** Checkstrings of the versions that may be replaced wherever they turn up. */
  readonly replaceable: readonly Hex[];
  /** What the other writes to this server test for. */
  readonly heads: readonly { readonly shnum: number; readonly head: Hex }[];
}

/** The shares that would be somebody else's, if they were what the server shows. */
export function claimsIn(
  expectation: Expectation,
  ours: Hex,
  seen: readonly SeenShare[],
): readonly number[] {
  const { total, heads } = expectation;
  const isForeign = ({ shnum, checkstring }: SeenShare) =>
    shnum < total &&
    checkstring !== ours &&
    !isStale(expectation, checkstring) &&
    !heads.some((known) => known.shnum === shnum && isLike(known.head, checkstring));
  return seen.filter(isForeign).map(({ shnum }) => shnum);
}

/** Whether both can be the first bytes of one share; a test's head may be the longer one. */
export function isLike(head: Hex, found: Hex): boolean {
  return found.startsWith(head) || head.startsWith(found);
}

/** The base, or a version older than the newest in the map: nothing is lost by replacing it. */
export function isStale(
  record: Pick<Expectation, 'replaceable' | 'seqnum'>,
  checkstring: Hex,
): boolean {
  return record.replaceable.includes(checkstring) || seqnumOf(checkstring) < record.seqnum - 1;
}

/**
 * Bytes 1 to 8 of a share. One that is too short to have them may be replaced: it counts as old.
 */
function seqnumOf(checkstring: Hex): number {
  return checkstring.length < 18 ? -1 : Number.parseInt(checkstring.slice(2, 18), 16);
}
