/**
 * @module writers-forms: what can happen to several writers, as formulas, and where to try them.
 *
 * S servers, one share of the first version on each; k shares are enough; a reader waits for R
 * answers; W servers have to hold a version before its writer is told "published".
 */
import type { WritersModel } from './writer.ts';
import type { Finding, Findings } from './writers.ts';

export interface Forms {
  /** Two are told "published", and neither has built on the other's version. */
  readonly fork: boolean;
  /** One is told "published" that built on less than had been, before it began. */
  readonly lostUpdate: boolean;
  /** How many servers it takes to be lost, in the worst world, until nothing can be read. */
  readonly fatal: number;
}

/**
 * The protocol's own, for one share on each of N servers, whichever client is writing.
 *
 * - fork: two quorums without a server in common, 2W ≤ S
 * - lost update: k of the servers outside of the quorum are heard, and fewer than k of those in it;
 *   by force nothing has to be readable, and it is enough to hear fewer than k of those in it
 * - recoverable: with k-1 shares of each version nothing is, so that it takes (c+1)(k-1)+1 shares
 */
export function closedForms(model: WritersModel): Forms {
  const { servers, required, total, reads, writes, ignoresNewer, writers } = model;
  const outside = servers - writes;
  return {
    fork: 2 * writes <= servers,
    lostUpdate:
      writers > 1 &&
      (ignoresNewer || outside >= required) &&
      Math.max(reads, writes) <= outside + required - 1,
    fatal: Math.max(0, Math.min(servers, total) - (writers + 1) * (required - 1)),
  };
}

/**
 * The shipped kernel's, exactly. It differs in two ways.
 *
 * - A share whose server is out of reach gets another one. So an acknowledged version has all of
 *   its N shares, and one server of its quorum may show k of them: fewer updates are lost.
 * - With `force` every version that was seen may be replaced wherever it turns up. So a quorum of
 *   more than half of the servers, even all of them, does not keep two writers apart. Of k = 1
 *   every version can be read, and none is ignored.
 */
export function kernelForms(model: WritersModel): Forms {
  const { servers, required, total, reads, writes, ignoresNewer, writers } = model;
  // Nobody can reach W servers without having heard them. Who has no version with k shares to build
  // on writes nothing, but by force.
  const heard = Math.max(reads, writes, ignoresNewer ? 1 : required);
  const isLost = (holders: number) => {
    const seen = Math.max(0, heard - (servers - holders));
    if (ignoresNewer) return fewestShares(total, holders, seen) < required;
    return servers - holders >= required && seen === 0;
  };
  const quorums = Array.from({ length: servers - writes + 1 }, (_, i) => writes + i);
  const isReplaced = ignoresNewer && required > 1;
  return {
    fork: writers > 1 && (2 * writes <= servers || isReplaced),
    lostUpdate: writers > 1 && quorums.some(isLost),
    fatal: closedForms(model).fatal,
  };
}

/** The fewest of `total` shares, spread evenly over `holders` servers, that `seen` of them show. */
function fewestShares(total: number, holders: number, seen: number): number {
  const share = Math.floor(total / holders);
  const richer = total % holders;
  return seen * share + Math.max(0, seen - (holders - richer));
}

/** `yes`, `safer` than the protocol's forms say, or `no`: then the kernel or its form is wrong. */
export function agreement(
  model: WritersModel,
  { fatal, traces }: Findings,
): 'yes' | 'safer' | 'no' {
  const forms = kernelForms(model);
  const isMet = (finding: Finding) => traces[finding] !== undefined;
  const isExact =
    isMet('fork') === forms.fork &&
    isMet('lostUpdate') === forms.lostUpdate &&
    fatal === forms.fatal;
  if (!isExact || isMet('falseAlarm') || isMet('shortAck')) return 'no';
  const closed = closedForms(model);
  // There is no closed form for forks where newer evidence is ignored.
  const isWorse =
    (forms.lostUpdate && !closed.lostUpdate) ||
    (forms.fork && !closed.fork && !model.ignoresNewer) ||
    forms.fatal < closed.fatal;
  if (isWorse) return 'no';
  const isSame = forms.lostUpdate === closed.lostUpdate || !model.ignoresNewer;
  return isSame ? 'yes' : 'safer';
}

/** S, k, R, W. */
export type Point = readonly [servers: number, required: number, reads: number, writes: number];

/** Two writers that try once, S = N, any set of servers out of reach from a plan on. */
export function pointModel(
  [servers, required, reads, writes]: Point,
  more: Partial<WritersModel> = {},
): WritersModel {
  const grid = { servers, required, total: servers, reads, writes };
  const faults = { failures: 'servers', losses: 0 } as const;
  return { ...grid, ...faults, ignoresNewer: false, writers: 2, attempts: 1, ...more };
}

function upTo(most: number, least = 1): readonly number[] {
  return Array.from({ length: most - least + 1 }, (_, i) => least + i);
}

/** Every k up to 3, R and W, for this many servers. */
function allPoints(servers: number, leastWrites = 1): readonly Point[] {
  return upTo(Math.min(3, servers)).flatMap((required) =>
    upTo(servers).flatMap((reads) =>
      upTo(servers, leastWrites).map((writes) => [servers, required, reads, writes] as const),
    ),
  );
}

/**
 * Every point of two and of three servers (35), and of four those that tell most: W just above
 * half, W = S, and k on both sides of S = 3(k-1)+1. Both sides of each bound are among them.
 */
export const perCommitPoints: readonly Point[] = [
  ...allPoints(2),
  ...allPoints(3),
  [4, 2, 3, 3],
  [4, 3, 4, 3],
  [4, 1, 1, 4],
  [4, 2, 4, 4],
  [4, 3, 1, 4],
];

/** Every point of four servers with W ≥ 2: 36 points more. */
export const fullPoints: readonly Point[] = allPoints(4, 2);

/** A server has joined since the first version was written: N = S - 1. */
export const grownPoints: readonly Point[] = [
  ...[1, 2, 3].map((reads) => [3, 1, reads, 1] as const),
  [3, 1, 2, 2],
  [3, 2, 2, 2],
  [4, 1, 3, 3],
  [4, 2, 3, 3],
];

/** One writer that may die anywhere: S and k. */
export const alonePoints: readonly Point[] = [
  ...upTo(3).map((k) => [3, k, 3, 3] as const),
  ...upTo(3).map((k) => [4, k, 3, 3] as const),
  ...upTo(3).map((k) => [5, k, 4, 4] as const),
  [6, 3, 5, 5],
];

/** Two of `modify`: what may come of it, exactly. */
export interface ModifyPoint {
  readonly model: WritersModel;
  readonly expected: readonly Finding[];
}

function modifyPoint(
  point: Point,
  expected: readonly Finding[],
  more: Partial<WritersModel> = {},
): ModifyPoint {
  return { model: pointModel(point, { failures: 0, attempts: 2, ...more }), expected };
}

/**
 * R = S: every server answers. R < S: any S - R of them may be silent, for each map anew.
 *
 * Four servers are too few for four versions of k = 2: a second attempt is one writer more.
 */
export const modifyPoints: readonly ModifyPoint[] = [
  modifyPoint([2, 1, 2, 2], ['twice']),
  modifyPoint([3, 1, 3, 2], ['twice']),
  modifyPoint([3, 2, 3, 2], ['twice', 'unrecoverable']),
  modifyPoint([3, 3, 3, 2], ['unrecoverable']),
  modifyPoint([4, 2, 4, 3], ['twice', 'unrecoverable']),
];

/** The same with silent servers, a write that fails, or a third attempt. */
export const fullModifyPoints: readonly ModifyPoint[] = [
  modifyPoint([3, 2, 2, 2], ['hidden', 'twice', 'unrecoverable']),
  modifyPoint([3, 1, 3, 2], ['twice'], { failures: 1 }),
  modifyPoint([3, 1, 3, 2], ['twice'], { attempts: 3 }),
  modifyPoint([4, 1, 4, 3], ['twice']),
];
