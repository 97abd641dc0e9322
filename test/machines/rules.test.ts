import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Boundary,
  findBoundary,
  mayEndWhileVerifying,
  type Rule,
  walkOn,
  walkStart,
} from '../../machines/rules.ts';
import type { ServerStatus } from '../../machines/servermap.ts';

const letters: Readonly<Record<string, ServerStatus>> = {
  '-': 'unasked',
  '?': 'asked',
  V: 'verifying',
  G: 'good',
  E: 'empty',
  C: 'corrupt',
  F: 'failed',
};
const statusesOf = (word: string) => [...word].map((letter) => letters[letter] as ServerStatus);

test('under ours nothing ends while a share is being verified, under the historic two it may', () => {
  expect((['ours', 'fix2015', 'ticket'] as const).map(mayEndWhileVerifying)).toEqual([
    false,
    true,
    true,
  ]);
});

describe('the boundary walk', () => {
  const cases: readonly [string, number, Boundary, Boundary, Boundary, string][] = [
    // word, epsilon, ours, fix2015, ticket
    ['GGEE', 2, 'settled', 'settled', 'settled', 'k empty servers after the last share'],
    ['GGE', 2, 'none', 'none', 'none', 'too few empty servers'],
    ['EEGE', 2, 'none', 'none', 'none', 'empty servers left of the first share do not count'],
    ['GEGE', 2, 'none', 'none', 'none', 'a share starts the count again'],
    ['GEFE', 2, 'settled', 'settled', 'settled', 'empty servers need not be neighbours'],
    ['GECE', 2, 'settled', 'settled', 'settled', 'a corrupt server neither resets nor counts'],
    ['FGEE', 2, 'settled', 'settled', 'settled', 'a failed server is settled'],
    ['?GEE', 2, 'open', 'open', 'open', 'somebody left of the boundary has not answered'],
    ['-GEE', 2, 'open', 'open', 'open', 'somebody left of the boundary was not asked'],
    ['GEE?', 2, 'settled', 'settled', 'settled', 'nobody right of the boundary matters'],
    ['GEEV', 2, 'settled', 'settled', 'settled', 'not even one with shares in verification'],
    ['GVEE', 2, 'open', 'open', 'settled', 'the ticket: verifying counts as having shares'],
    ['VEE', 2, 'none', 'none', 'settled', 'the ticket, with no verified share at all'],
    ['GEVE', 2, 'open', 'open', 'none', 'under the ticket it also starts the count again'],
    ['G', 1, 'none', 'none', 'none', 'no empty server'],
    ['', 1, 'none', 'none', 'none', 'no server'],
  ];
  test.each(cases)('%s with %i: %s, %s, %s: %s', (word, epsilon, ours, fix2015, ticket) => {
    const found = (rule: Rule) => findBoundary(statusesOf(word), epsilon, rule);
    expect([found('ours'), found('fix2015'), found('ticket')]).toEqual([ours, fix2015, ticket]);
  });

  test('an empty server before the first share leaves the walk where it began', () => {
    expect(walkOn(walkStart, 'empty', 'ours')).toEqual({ emptyRun: -1, isOpen: false });
  });

  const word = fc.array(fc.constantFrom(...Object.values(letters)), { maxLength: 12 });
  const epsilons = fc.integer({ min: 1, max: 4 });

  /**
   * The boundary of docs/servermap-update.md#the-coordinator, said with quantifiers: no walk, no
   * counters.
   */
  function specified(statuses: readonly ServerStatus[], epsilon: number): Boundary {
    for (let end = 0; end < statuses.length; end++) {
      const left = statuses.slice(0, end + 1);
      const lastShares = left.lastIndexOf('good');
      const empties = left.filter((s, i) => s === 'empty' && i > lastShares).length;
      const firstShares = left.indexOf('good');
      if (firstShares < 0 || empties < epsilon) continue;
      const isOpen = left.some((s) => s === 'asked' || s === 'unasked' || s === 'verifying');
      return isOpen ? 'open' : 'settled';
    }
    return 'none';
  }

  test('agrees with the text', () => {
    fc.assert(
      fc.property(word, epsilons, (statuses, epsilon) => {
        expect(findBoundary(statuses, epsilon, 'ours')).toBe(specified(statuses, epsilon));
      }),
      { numRuns: 2_000 },
    );
  });

  test('the rules differ in servers that are verifying, and in nothing else', () => {
    fc.assert(
      fc.property(word, epsilons, (statuses, epsilon) => {
        const ours = findBoundary(statuses, epsilon, 'ours');
        expect(findBoundary(statuses, epsilon, 'fix2015')).toBe(ours);
        const seen = statuses.map((s) => (s === 'verifying' ? ('good' as const) : s));
        expect(findBoundary(statuses, epsilon, 'ticket')).toBe(findBoundary(seen, epsilon, 'ours'));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a settled boundary stays, whatever the unsettled turn out to be', () => {
    const outcomes = fc.constantFrom<ServerStatus>('good', 'empty', 'corrupt', 'failed');
    const later12 = fc.array(outcomes, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(word, epsilons, later12, (statuses, epsilon, fates) => {
        fc.pre(findBoundary(statuses, epsilon, 'ours') === 'settled');
        const isOpen = (s: ServerStatus) => s === 'asked' || s === 'unasked' || s === 'verifying';
        const later = statuses.map((s, i) => (isOpen(s) ? (fates[i] as ServerStatus) : s));
        expect(findBoundary(later, epsilon, 'ours')).toBe('settled');
      }),
      { numRuns: 1_000 },
    );
  });
});
