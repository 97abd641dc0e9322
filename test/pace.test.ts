import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { Pace, patienceFactor, patienceMinMs } from '../src/runtime/pace.ts';

/** A group of calls, each answered after the given milliseconds; 'never' is a hung server. */
async function outcomes(latenciesMs: readonly (number | 'never')[], untilMs: number) {
  const clock = new SimulatedClock();
  const pace = new Pace({ clock, now: () => clock.now() });
  const never = new AbortController().signal;
  const settled = latenciesMs.map((latency) => {
    const outcome = { is: 'open', atMs: Number.NaN };
    void pace
      .run(never, () => {
        let resolve: (is: string) => void = () => {};
        const promise = new Promise<string>((settle) => {
          resolve = settle;
        });
        if (latency !== 'never') clock.setTimeout(() => resolve('answered'), latency);
        return promise;
      })
      .catch((error: DOMException) => error.name)
      .then((is) => Object.assign(outcome, { is, atMs: clock.now() }));
    return outcome;
  });
  for (let ms = 0; ms < untilMs; ms += 10) {
    clock.increment(10);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
  return settled;
}

describe('a server is given up when it falls far behind its peers', () => {
  test('one of thirteen hangs: after the least patience, not after the fixed deadline', async () => {
    const quick = Array.from({ length: 12 }, () => 20);
    const all = await outcomes([...quick, 'never'], 5000);
    expect(all.slice(0, 12)).toEqual(quick.map((atMs) => ({ is: 'answered', atMs })));
    expect(all[12]).toEqual({ is: 'TimeoutError', atMs: patienceMinMs });
  });

  test('on a slow grid the patience follows the slowest answer', async () => {
    const all = await outcomes([900, 1000, 800, 'never'], 10_000);
    expect(all[3]).toEqual({ is: 'TimeoutError', atMs: 1000 * patienceFactor });
  });

  test('a slow server within four times the slowest of its peers is waited for', async () => {
    const all = await outcomes([900, 1000, 800, 3900], 10_000);
    expect(all[3]).toEqual({ is: 'answered', atMs: 3900 });
  });

  test('while fewer than half have answered nobody is given up', async () => {
    const all = await outcomes([20, 20, 'never', 'never', 'never'], 60_000);
    expect(all.slice(2)).toEqual(Array(3).fill({ is: 'open', atMs: Number.NaN }));
  });

  test('one answer says nothing about the grid', async () => {
    expect(await outcomes([20, 'never'], 60_000)).toEqual([
      { is: 'answered', atMs: 20 },
      { is: 'open', atMs: Number.NaN },
    ]);
  });
});
