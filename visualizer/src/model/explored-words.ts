/**
 * @module explored-words: what a search of every order came to, in words.
 */
import type { Exploration, Frame, OrderShare } from '../engine/protocol.ts';

/** `1,234`; from a million millions on `8.17 × 10^13`. */
export function countWords(digits: string): string {
  if (digits.length <= 12) return BigInt(digits).toLocaleString('en');
  return `${digits[0]}.${digits.slice(1, 3)} × 10^${digits.length - 1}`;
}

/** The same of an estimate, to two digits. */
function aboutWords(estimate: number): string {
  return countWords(BigInt(Math.round(Number(estimate.toPrecision(2)))).toString());
}

/** How far a search has come. */
export function progressWords({ orders, estimate, states }: Exploration): string {
  const left = Math.max(0, estimate - Number(orders));
  const known = `${countWords(orders)} orders, ${states.toLocaleString('en')} states`;
  return `${known}; about ${aboutWords(left)} orders left (an estimate)`;
}

/** What it found. */
export function resultWords({ status, orders, violating, found }: Exploration): string {
  const isWhole = status === 'exhausted';
  const isStopped = status === 'stopped';
  const all = `${countWords(orders)} orders`;
  const steps = found?.labels.length ?? 0;
  if (found === null && isStopped) return `stopped at ${all}, none violates so far`;
  if (found === null) return isWhole ? `all ${all} hold` : 'none violates so far; there are more';
  const shortest = `the shortest: ${found.property} after ${steps} ${steps === 1 ? 'step' : 'steps'}`;
  const of = isWhole ? `of ${all}` : `of the ${all} gone through`;
  return `${isStopped ? 'stopped: ' : ''}${countWords(violating)} ${of} violate, ${shortest}`;
}

/** From 0 to 1. */
export function fraction({ orders, violating }: OrderShare): number {
  // Six digits are enough to draw.
  return orders === '0' ? 0 : Number((BigInt(violating) * 1_000_000n) / BigInt(orders)) / 1_000_000;
}

/** `12 of 40 orders violate (30 %)` */
export function shareWords(share: OrderShare): string {
  const part = fraction(share);
  const exact = part === 0 || part === 1 ? String(part * 100) : (part * 100).toPrecision(2);
  const percent = `${exact.includes('e') ? Math.round(part * 100) : exact} %`;
  const { orders, violating, isDrawn } = share;
  const left = isDrawn ? `${orders} orders drawn (seed 1)` : `${countWords(orders)} orders left`;
  return `${countWords(violating)} of ${left} violate: ${percent}`;
}

/**
 * What is to be said of a side at a step of the run.
 * @param until the last step that the shares hold for
 */
export function hereWords(
  shares: readonly (OrderShare & { readonly step: number })[],
  until: number,
  step: number,
  isSideOver: boolean,
): string {
  const here = shares.findLast((share) => share.step <= step);
  if (here === undefined || step > until) return 'not among the orders explored';
  if (isSideOver) return fraction(here) > 0 ? 'over, and it violates' : 'over, and it holds';
  return shareWords(here);
}

/** Whether nothing is left to happen on this side: no message, no start, nobody at work. */
export function isOver({ choices, sides }: Frame, side: number): boolean {
  const isLeft = choices.some(
    ({ kind, sides: on }) => on[side] && (kind === 'deliver' || kind === 'start'),
  );
  const isAtWork = sides[side]?.operations.some(({ status }) => status === 'running');
  return !isLeft && !isAtWork;
}

/** The step at which the share rose most: there the damage was decided. Null: nowhere. */
export function decidedAt(
  shares: readonly (OrderShare & { readonly step: number })[],
): number | null {
  let most = 0;
  let step: number | null = null;
  for (const [i, share] of shares.entries()) {
    const before = shares[i - 1];
    const rise = before === undefined ? 0 : fraction(share) - fraction(before);
    if (rise <= most) continue;
    most = rise;
    step = share.step;
  }
  return step;
}
