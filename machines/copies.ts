/**
 * @module copies: which servers get a copy of a share that is somewhere else already.
 */
import { matching } from './matching.ts';
import type { PublishPlan } from './publish-record.ts';

/** `share` goes to the `server`th of those that may get one. */
type Copy = readonly [server: number, shnum: number];

/**
 * Where fewer servers than the quorum asks for have any share, others get copies, first of shares
 * that are not alone on their server. Where shares are to be spread, each copy gives one more
 * server a share that counts for no other.
 * @param all the share numbers that servers will have; those that may get a copy come first
 */
export function copiesFor(
  { quorum, total, spread }: Pick<PublishPlan, 'quorum' | 'total' | 'spread'>,
  all: readonly (readonly number[])[],
  open: number,
): readonly Copy[] {
  if (spread !== undefined) return copiesToSpread(spread, total, all, open);
  const lacking = quorum.size - all.filter((shnums) => shnums.length > 0).length;
  if (lacking <= 0) return [];
  const spare = [...all.flatMap((shnums) => shnums.slice(1)), ...all.flat()];
  const loads = all.map((shnums) => shnums.length);
  const idle = indicesOf(open, (i) => loads[i] === 0);
  return paired(idle, spare, lacking);
}

function copiesToSpread(
  spread: number,
  total: number,
  all: readonly (readonly number[])[],
  open: number,
): readonly Copy[] {
  const holders = Array.from({ length: total }, (_, shnum) =>
    all.flatMap((shnums, i) => (shnums.includes(shnum) ? [i] : [])),
  );
  const own = matching(holders);
  const counted = new Set(own.values());
  const spare = holders.flatMap((on, shnum) =>
    on.length > 0 && !counted.has(shnum) ? [shnum] : [],
  );
  const loads = all.map((shnums) => shnums.length);
  const free = indicesOf(open, (i) => !own.has(i));
  free.sort((a, b) => (loads[a] as number) - (loads[b] as number));
  return paired(free, spare, spread - own.size);
}

function indicesOf(count: number, isIt: (i: number) => boolean): number[] {
  return Array.from({ length: count }, (_, i) => i).filter(isIt);
}

function paired(servers: readonly number[], shnums: readonly number[], most: number): Copy[] {
  const count = Math.max(0, Math.min(most, servers.length, shnums.length));
  return servers.slice(0, count).map((server, i) => [server, shnums[i] as number]);
}
