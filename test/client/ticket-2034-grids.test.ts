/**
 * @module ticket-2034-grids: the updates of Tahoe's ticket #2034 on grids of other sizes.
 */
import { describe } from 'vitest';
import { testUpdates } from '../support/ticket-updates.ts';

describe.each([
  [10, 20],
  [20, 20],
])('on %i servers, under %i orders', { timeout: 120_000 }, testUpdates);
