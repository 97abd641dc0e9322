/**
 * @module ticket-2034: the updates of Tahoe's ticket #2034 on a grid of its size, and under the old
 * rules.
 */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { randomOrder, scheduleSeed, verificationLast } from '../support/schedule.ts';
import {
  brokenPromises,
  scheduleOf,
  small,
  testUpdates,
  updates,
} from '../support/ticket-updates.ts';

/** Of the eight fenceposts two. */
const inShort = updates.map(([name, file, edits]) => [name, file, edits.slice(0, 2)] as const);

describe('on 13 servers, under 20 orders', { timeout: 120_000 }, () => testUpdates(13, 20));

describe('the rule of the ticket, in the same kernel', () => {
  /** Verified when the last server without shares has answered: the first three. */
  const dropped = [3, 4, 5, 6, 7, 8, 9].map((n) => `sh${n}@s${n} is dropped`);

  test.each([13, 20])('fails every test on %i servers when verification is last', async (count) => {
    for (const [name, file, edits] of inShort) {
      const broken = await brokenPromises(file, edits, count, verificationLast, 'ticket');
      expect({ name, broken }).toEqual({
        name,
        broken: [
          ...edits.flatMap(() => dropped),
          // Without what was dropped there is nothing to build on, and everybody is asked again.
          `${2 * edits.length} maps`,
        ],
      });
    }
  });

  test('passes on 10 servers, where no boundary can be found', async () => {
    for (const [name, file, edits] of inShort) {
      const broken = await brokenPromises(file, edits, 10, verificationLast, 'ticket');
      expect({ name, broken }).toEqual({ name, broken: [] });
    }
  });
});

test('the rule of 2015 passes the tests that it was made for (client/traces.test.ts has others)', async () => {
  for (const [name, file, edits] of inShort) {
    const broken = await brokenPromises(file, edits, 13, verificationLast, 'fix2015');
    expect({ name, broken }).toEqual({ name, broken: [] });
  }
});

test('the same seed is the same run', async () => {
  const play = async (seed: number) => {
    const schedule = await scheduleOf(small, 13);
    const order = randomOrder(seed);
    await schedule.run('A', ({ file }) => file.append(utf8('appended')), { order });
    return schedule.delivered;
  };
  const once = await play(scheduleSeed);
  expect(once.length).toBeGreaterThan(40);
  expect(await play(scheduleSeed)).toEqual(once);
  expect(await play(scheduleSeed + 1)).not.toEqual(once);
});
