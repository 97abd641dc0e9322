import { describe, expect, test } from 'vitest';
import { copiesFor } from '../../machines/copies.ts';

const quorum = { servers: 5, size: 3 };

describe('until a quorum has shares', () => {
  test.each([
    ['as many as there are', [[0], [1], [2], []], 4, []],
    ['a share that is not alone goes first', [[0, 1], [], [2], []], 4, [[1, 1]]],
    ['then any', [[0], [], [1], []], 4, [[1, 0]]],
    ['and no more servers than may get one', [[], [0, 1, 2], []], 1, [[0, 1]]],
  ])('%s', (_, all, open, copies) => {
    expect(copiesFor({ quorum, total: 3 }, all, open)).toEqual(copies);
  });
});

describe('until as many servers as can be have a share of their own', () => {
  test.each([
    ['all have', [[0], [1], [2], []], 4, []],
    ['doubled shares', [[0, 1], [], [2], []], 4, [[1, 1]]],
    ['a server with another’s copy gets one, too', [[0, 1, 2], [0], [0]], 3, [[2, 2]]],
    ['those without any first', [[0, 1, 2], [0], []], 3, [[2, 2]]],
    ['also before one that has another’s copy', [[0], [0], [], [0, 1, 2]], 4, [[2, 2]]],
    ['counted otherwise, nothing is lacking', [[0, 1], [0, 2], [0]], 3, []],
    ['as many as are asked for', [[0, 1, 2], [], []], 3, [[1, 1]], 2],
    ['what is nowhere can not be copied', [[0], [], []], 3, []],
    ['and no more servers than may get one', [[], [0, 1, 2], []], 1, [[0, 1]]],
  ] as const)('%s', (_, all, open, copies, spread: number = 3) => {
    expect(copiesFor({ quorum, total: 3, spread }, all, open)).toEqual(copies);
  });
});
