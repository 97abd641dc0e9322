import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { Pace, patienceFactor, patienceMinMs } from '../../src/runtime/pace.ts';

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

  test('a process that was held up listens before it gives anybody up', async () => {
    let nowMs = 0;
    const timers = new Map<number, { readonly callback: () => void; readonly dueAt: number }>();
    const clock = {
      setTimeout: (callback: () => void, ms: number) => {
        const id = timers.size;
        timers.set(id, { callback, dueAt: nowMs + ms });
        return id;
      },
      clearTimeout: (id: unknown) => timers.delete(id as number),
    };
    const fireAt = (ms: number): void => {
      nowMs = ms;
      const due = [...timers].filter(([, { dueAt }]) => dueAt <= ms);
      for (const [id, { callback }] of due) {
        timers.delete(id);
        callback();
      }
    };
    const pace = new Pace({ clock, now: () => nowMs });
    const never = new AbortController().signal;
    for (let i = 0; i < 3; i++) await pace.run(never, async () => i);
    let hear = (_: string) => {};
    const heard = pace.run(
      never,
      () =>
        new Promise((resolve) => {
          hear = resolve;
        }),
    );
    const hung = pace.run(never, () => new Promise(() => {}));
    // Nothing ran for a minute, and now timers come first.
    fireAt(60_000);
    hear('an answer');
    expect(await heard).toBe('an answer');
    fireAt(60_000 + patienceMinMs);
    await expect(hung).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
