/**
 * @module publish-claims: which shares would be another writer's, if they were what a server shows.
 *
 * A server can show any bytes. What a request tested for may be there, and what it wrote. Any other
 * share is a *claim*, and is checked before it counts.
 */
import type { SeenShare, WriteTest } from './reports.ts';
import type { Hex } from './servermap.ts';

/** The shares that would be somebody else's, if they were what the server shows. */
export function claimsIn(
  tests: readonly WriteTest[],
  ours: Hex,
  seen: readonly SeenShare[],
): readonly number[] {
  const isForeign = ({ shnum, checkstring }: SeenShare) =>
    checkstring !== '' && checkstring !== ours && !passes(tests[shnum], checkstring);
  return seen.filter(isForeign).map(({ shnum }) => shnum);
}

/** Whether every test holds of a server that shows this. */
export function allPass(tests: readonly WriteTest[], seen: readonly SeenShare[]): boolean {
  return tests.every((test, shnum) =>
    passes(test, seen.find((share) => share.shnum === shnum)?.checkstring ?? ''),
  );
}

/** Whether a test holds of a share that begins so; to a server one without bytes is no share. */
export function passes(test: WriteTest | undefined, found: Hex): boolean {
  if (test === undefined || test.kind === 'absent') return found === '';
  return found !== '' && isLike(test.head, found);
}

/** Whether both can be the first bytes of one share; a test's head may be the longer one. */
export function isLike(head: Hex, found: Hex): boolean {
  return found.startsWith(head) || head.startsWith(found);
}
