import { describe, expect, test } from 'vitest';
import type { Write } from '../../machines/publish-kernel.ts';
import { staleHoldings, staleShares } from '../../machines/stale.ts';
import { bad, goodAt, mapOf, unverified, versionOf } from '../support/facts.ts';
import { emptyMap, publishReport } from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);

function write(server: string, shnum: number, status: Write['status'], detail?: string): Write {
  const failure = detail === undefined ? null : ({ kind: 'unreachable', detail } as const);
  return { server, shnum, status, failure };
}

describe('shares that a write leaves behind', () => {
  const map = mapOf(
    3,
    [
      goodAt('s0', 0, v1),
      goodAt('s0', 1, v1),
      goodAt('s1', 0, v1),
      { server: 's1', shnum: 2, verdict: bad('01ff', 'signature') },
      { server: 's2', shnum: 3, verdict: unverified('timeout') },
    ],
    [v1],
  );
  const left = (...writes: readonly Write[]) => {
    const shares = staleShares(map, publishReport('published', { writes }));
    return shares.map(({ server, shnum, reason }) => `${shnum}@${server}: ${reason}`);
  };

  test('are those that the map saw and that were not replaced', () => {
    expect(staleShares(map, publishReport('published'))).toEqual([
      { server: 's0', shnum: 0, reason: 'not among the shares to be written' },
      { server: 's0', shnum: 1, reason: 'not among the shares to be written' },
      { server: 's1', shnum: 0, reason: 'not among the shares to be written' },
      { server: 's1', shnum: 2, reason: 'signature' },
      { server: 's2', shnum: 3, reason: 'timeout' },
    ]);
    // A share with another number on that server, or that number on another, says nothing.
    expect(left(write('s0', 0, 'accepted'), write('s1', 2, 'accepted'))).toEqual([
      '1@s0: not among the shares to be written',
      '0@s1: not among the shares to be written',
      '3@s2: timeout',
    ]);
  });

  test('say why their write went wrong, if it did', () => {
    expect(
      left(
        write('s0', 0, 'failed', 'reset'),
        write('s0', 1, 'unknown'),
        // It went wrong at first only.
        write('s1', 0, 'accepted', 'surprised'),
        write('s1', 2, 'failed', 'full'),
        // Nobody has seen a share there.
        write('s2', 0, 'failed', 'reset'),
      ),
    ).toEqual([
      '0@s0: reset',
      '1@s0: not among the shares to be written',
      '2@s1: full',
      '3@s2: timeout',
    ]);
  });

  test('are also those that a server spoke of by refusing the write enabler', () => {
    const writes = [
      write('s0', 2, 'refused', 'bad write enabler'),
      write('s1', 1, 'refused'),
      write('s2', 2, 'failed', 'reset'),
    ];
    expect(staleShares(emptyMap, publishReport('published', { writes }))).toEqual([
      { server: 's0', shnum: 2, reason: 'bad write enabler' },
      { server: 's1', shnum: 1, reason: 'refused' },
    ]);
  });
});

describe('old shares beside the version that a reader gets', () => {
  test('are good ones of older versions', () => {
    const holdings = [
      goodAt('s0', 0, v2),
      goodAt('s1', 1, v2),
      goodAt('s1', 0, v1),
      goodAt('s2', 2, versionOf(3)),
      { server: 's2', shnum: 1, verdict: bad() },
      { server: 's2', shnum: 0, verdict: unverified() },
    ];
    const map = mapOf(3, holdings, [v1, v2, versionOf(3)]);
    expect(staleHoldings(map)).toEqual([{ server: 's1', shnum: 0, seqnum: 1 }]);
  });

  test('are none when there is none that a reader gets', () => {
    expect(staleHoldings(mapOf(2, [goodAt('s0', 0, v1)], [v1]))).toEqual([]);
  });
});
