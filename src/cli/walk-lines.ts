/**
 * @module walk-lines: what a walk has met, a line for each object: for people, and for programs that
 * are made for Tahoe's `t=stream-manifest` and `t=stream-deep-check`.
 */
import { reasonOf } from '../../machines/reason.ts';
import type { TahoeCheck } from '../finding.ts';
import type { Examination } from '../walk/examine.ts';
import { type Met, manifestEntryOf } from '../walk/met.ts';
import type { Tally } from '../walk/tally.ts';
import type { Examined } from '../walk/tree.ts';
import { jsonOf } from './complaint.ts';
import { counted, nameText, oneLine } from './plain-text.ts';

/** `/` is where the walk began; a name that has a slash in it is told as JSON tells it. */
export function pathText(path: readonly string[]): string {
  const names = path.map((name) => (name.includes('/') ? JSON.stringify(name) : nameText(name)));
  return names.length === 0 ? '/' : names.join('/');
}

/** Tahoe's fields, and ours behind them. */
export function metJson(met: Met, tellsCaps: boolean): object {
  const { cap, repaircap, ...entry } = manifestEntryOf(met);
  const { path, type, verifycap } = entry;
  const { mutable, format, size, extent, problem, error } = met;
  return {
    ...(tellsCaps
      ? { path, cap, type, verifycap, repaircap, 'storage-index': entry['storage-index'] }
      : entry),
    ...{ mutable, format, size: size ?? extent?.size, children: extent?.children, problem },
    ...errorJson(error),
  };
}

export function examinedJson(
  { met, examination }: Examined,
  isRepairing: boolean,
  tellsCaps: boolean,
): object {
  const { isHealthy, check, repair, leases, error = met.error } = examination;
  const results = isRepairing
    ? { 'check-and-repair-results': check && repairJson(check, examination) }
    : { 'check-results': check };
  return {
    ...metJson(met, tellsCaps),
    ...results,
    healthy: isHealthy,
    ...(repair?.refusal !== undefined && { refusal: jsonError(repair.refusal) }),
    leases,
    ...errorJson(error),
  };
}

/** Of a literal, and of what is unknown, Tahoe says less. */
function repairJson(check: TahoeCheck, { repair }: Examination): object {
  const index = { 'storage-index': check['storage-index'] };
  const attempted = { 'repair-attempted': repair?.isAttempted ?? false };
  if (check['storage-index'] === '') return { ...index, ...attempted };
  return {
    ...{ ...index, ...attempted, 'repair-successful': repair?.isSuccessful ?? false },
    ...{ 'pre-repair-results': check, 'post-repair-results': repair?.after ?? check },
  };
}

function errorJson(error: unknown): object {
  return error === undefined ? {} : { error: jsonError(error) };
}

function jsonError(error: unknown): unknown {
  return Reflect.get(jsonOf(error), 'error');
}

/** `URI:… a/b`, as `tahoe manifest` has it, and what is wrong. */
export function metText(met: Met): string {
  const { cap } = manifestEntryOf(met);
  return `${oneLine(cap) || '-'} ${pathText(met.path)}${notesText(met, [])}`;
}

/** Of what could not be read, for those who want no caps. */
export function unreadText(met: Met): string {
  return `${pathText(met.path)}${notesText(met, [])}`;
}

export function examinedText({ met, examination }: Examined): string {
  const { isHealthy, check, repair, leases, error } = examination;
  const silent = leases?.failures.length ?? 0;
  const notes = [
    ...(isHealthy === false ? [(check?.summary ?? '').replace(/^\w+( \w+)?: ?/, '')] : []),
    ...(repair?.refusal === undefined ? [] : [`not repaired: ${reasonOf(repair.refusal)}`]),
    ...(error === undefined ? [] : [reasonOf(error)]),
    ...(silent === 0 ? [] : [`${counted(silent, 'server')} renewed no lease`]),
  ];
  return `${stateText(examination).padEnd(11)}  ${pathText(met.path)}${notesText(met, notes)}`;
}

function stateText({ isHealthy, repair }: Examination): string {
  if (isHealthy === null) return 'not checked';
  if (!isHealthy) return 'not healthy';
  return repair === undefined ? 'healthy' : 'repaired';
}

function notesText({ kind, problem, error }: Met, notes: readonly string[]): string {
  // The error of an ill-formed entry tells its problem.
  const isTold = kind === 'ill-formed' && notes.length > 0;
  const all = [
    ...notes,
    ...(problem === undefined || isTold ? [] : [problem]),
    ...(error === undefined ? [] : [`cannot be read: ${reasonOf(error)}`]),
  ].filter((note) => note !== '');
  return all.length === 0 ? '' : `  (${oneLine(all.join('; '))})`;
}

/** What a deep check has found and done in all. */
export function tallyText(tally: Tally): string {
  const { checked, unhealthy, failed, lapsing, repairs } = tally;
  const { successful, unsuccessful, refused } = repairs;
  const parts = [
    `${counted(checked, 'object')} checked: ${checked - unhealthy} healthy, ${unhealthy} not healthy`,
    ...(successful > 0 ? [`${successful} repaired`] : []),
    ...(unsuccessful + refused > 0 ? [`${unsuccessful + refused} not repaired`] : []),
    ...(lapsing > 0 ? [`${lapsing} whose leases may lapse`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  return parts.join('; ');
}
