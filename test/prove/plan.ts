/**
 * @module plan: what `npm run prove` goes through, and how long that is worth waiting for.
 */
import type { Rule } from '../../machines/rules.ts';
import type { Model } from './sweep.ts';

type Size = Omit<Model, 'rule'>;

export const rules: readonly Rule[] = ['ours', 'fix2015', 'ticket'];

function size(servers: number, required: number, total: number, perServer: 1 | 2 = 1): Size {
  return { servers, required, total, sharesPerServer: perServer };
}

/** Every number of servers up to 11 with one share on each, up to 9 with two; under a minute. */
export const perCommit: readonly Size[] = [
  size(1, 1, 1),
  size(2, 1, 1),
  size(3, 1, 2),
  size(4, 2, 2),
  size(5, 2, 3),
  size(6, 2, 4),
  size(7, 2, 5),
  size(8, 3, 5),
  size(9, 3, 6),
  size(10, 3, 7),
  size(11, 3, 8),
  // More servers than are asked at first: the kernel asks on.
  size(9, 2, 3),
  size(3, 1, 2, 2),
  size(5, 2, 3, 2),
  size(7, 2, 5, 2),
  size(9, 3, 6, 2),
];

/** The size of the ticket: 5^13 states. */
export const full: readonly Size[] = [size(13, 3, 10)];

/** Charts walked state by state, beside the kernel. */
export const charts: readonly Omit<Model, 'sharesPerServer'>[] = [
  ...[
    { servers: 2, required: 1, total: 1 },
    { servers: 3, required: 1, total: 2 },
    { servers: 4, required: 2, total: 2 },
    { servers: 5, required: 2, total: 3 },
    { servers: 6, required: 2, total: 4 },
    { servers: 7, required: 2, total: 5 },
  ].map((grid) => ({ ...grid, rule: 'ours' as const })),
  { servers: 5, required: 2, total: 3, rule: 'fix2015' },
  { servers: 5, required: 2, total: 3, rule: 'ticket' },
];

/** Live systems run through every state. */
export const composed: readonly number[] = [1, 2, 3, 4, 5];

/** k, for the proof about every number of servers. */
export const requiredMax = 32;
