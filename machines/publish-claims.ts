/**
 * @module publish-claims: which shares would be another writer's, if they were what a server shows.
 *
 * A server can show any bytes. What may be there without anybody else having written is taken as it
 * is shown: at worst it is written over, with what was shown as the test. Anything else is a claim.
 */
import type { SeenShare } from './io.ts';
import type { PublishRecord, Write } from './publish-kernel.ts';
import type { Hex } from './servermap.ts';

/** What may be on the server of one write without anybody else having written. */
export interface Expectation extends Pick<PublishRecord, 'total' | 'seqnum' | 'replaceable'> {
  /** What the other writes to this server test for. */
  readonly heads: readonly { readonly shnum: number; readonly head: Hex }[];
}

/** What the child that does `write` may find. */
export function expectationOf(record: PublishRecord, { server, shnum }: Write): Expectation {
  const { total, seqnum, replaceable, writes } = record;
  const heads = writes.flatMap((other) =>
    other.server === server && other.shnum !== shnum && other.test.kind === 'begins'
      ? [{ shnum: other.shnum, head: other.test.head }]
      : [],
  );
  return { total, seqnum, replaceable, heads };
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

/** Whether a share with the one head may begin with the other; a test may be longer. */
export function isLike(head: Hex, found: Hex): boolean {
  return found.startsWith(head) || head.startsWith(found);
}

/** The base, or a version older than the newest in the map: nothing is lost by replacing it. */
export function isStale(
  record: Pick<PublishRecord, 'replaceable' | 'seqnum'>,
  checkstring: Hex,
): boolean {
  return record.replaceable.includes(checkstring) || seqnumOf(checkstring) < record.seqnum - 1;
}

/** Bytes 1…8 of every share. A share too short to have them has nothing to lose. */
function seqnumOf(checkstring: Hex): number {
  return checkstring.length < 18 ? -1 : Number.parseInt(checkstring.slice(2, 18), 16);
}
