/**
 * @module liveness: how often a writer finds nothing that it may build on, after another one died.
 *
 * The file has one share on each of N servers, and its writer's successor died after some of them:
 * every map of that, over every choice of servers that stay silent, is held before the shipped rule.
 */
import { chooseBase } from '../../machines/quorum.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { goodAt, mapOf, versionOf } from '../support/facts.ts';

/** S, k, N and W. */
export interface Size {
  readonly servers: number;
  readonly required: number;
  readonly total: number;
  readonly quorum: number;
}

/** Rows of docs/publish.md for every number of silent servers that leaves W. */
export function allDeathRows(size: Size): readonly string[] {
  return numbers(size.servers - size.quorum + 1).flatMap((silent) => deathRows(size, silent));
}

/** By how many shares were written, of versions that name their parents and of others. */
export function deathRows(size: Size, silent: number): readonly string[] {
  return [true, false].map((doesName) => {
    const cells = numbers(size.total).map((n) => refusedPerCent(size, n + 1, silent, doesName));
    return `| ${[silent, doesName ? 'named' : 'not named', ...cells].join(' | ')} |`;
  });
}

/** Per cent of the maps in which `silent` servers are missing that give no base. */
function refusedPerCent(size: Size, died: number, silent: number, doesName: boolean): number {
  const { servers, quorum } = size;
  const choices = subsets(servers, silent);
  const refused = choices.filter((missing) => {
    const map = mapAfterDeath(size, died, missing, doesName);
    return chooseBase(map, { servers, size: quorum }) === undefined;
  });
  return Math.round((100 * refused.length) / choices.length);
}

/** A writer has died after `died` shares; the servers in `missing` do not answer. */
function mapAfterDeath(
  { servers, required, total }: Size,
  died: number,
  missing: ReadonlySet<number>,
  doesName: boolean,
): Servermap {
  const encoding = { required, total };
  const old = versionOf(1, 'o', { ...encoding, ...(doesName && { parent: null }) });
  const left = versionOf(2, 'x', { ...encoding, ...(doesName && { parent: old }) });
  const versionAt = (shnum: number) => (shnum < died ? left : old);
  const heard = numbers(total).filter((n) => !missing.has(n));
  const holdings = heard.map((n) => goodAt(`s${n}`, n, versionAt(n)));
  const failed = [...missing].map((n) => [`s${n}`, 'failed'] as const);
  const versions = new Set(heard.map(versionAt));
  return mapOf(servers, holdings, [...versions], Object.fromEntries(failed));
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** Every choice of `size` numbers below `end`. */
function subsets(end: number, size: number): readonly ReadonlySet<number>[] {
  if (size === 0) return [new Set()];
  if (end < size) return [];
  const withLast = subsets(end - 1, size - 1).map((some) => new Set([...some, end - 1]));
  return [...subsets(end - 1, size), ...withLast];
}
