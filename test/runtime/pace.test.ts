import { describe, expect, test, vi } from 'vitest';
import { SimulatedClock } from 'xstate';
import { Pace, patienceMinMs, withNeeded, withSilent, withSpare } from '../../src/runtime/pace.ts';
import { manyTurns } from '../support/client-grid.ts';

type Latency = number | 'never';

/**
 * A group of calls, to the servers `s0`, `s1` …, each answered after the given milliseconds;
 * 'never' is a hung server.
 */
async function outcomes(latenciesMs: readonly Latency[], untilMs: number, needed?: number) {
  const clock = new SimulatedClock();
  const count = needed === undefined ? undefined : () => needed;
  const pace = new Pace({ clock, now: () => clock.now() }, count);
  const never = new AbortController().signal;
  const settled = latenciesMs.map((latency, server) => {
    const outcome = { is: 'open', atMs: Number.NaN };
    void pace
      .run(`s${server}`, never, () => {
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

/** A pace for which so many servers are needed; of calls to it. */
function scene(needed: number) {
  const clock = new SimulatedClock();
  const pace = new Pace({ clock, now: () => clock.now() }, () => needed);
  const { signal } = new AbortController();
  return {
    clock,
    call: (server: string, isNeeded = true) =>
      pace.run(
        server,
        signal,
        async () => {},
        () => isNeeded,
      ),
    hung: (server: string) => pace.run(server, signal, () => new Promise(() => {})),
  };
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
    expect(all[3]).toEqual({ is: 'TimeoutError', atMs: 1000 * withNeeded.factor });
  });

  test('a slow server within four times the slowest of its peers is waited for', async () => {
    const all = await outcomes([900, 1000, 800, 3900], 10_000);
    expect(all[3]).toEqual({ is: 'answered', atMs: 3900 });
  });

  test('one that nobody needs any more: sooner', async () => {
    const all = await outcomes([20, 20, 20, 'never'], 5000, 3);
    expect(all[3]).toEqual({ is: 'TimeoutError', atMs: withSpare.minMs });
  });

  test('nobody is needed any more only when so many servers have answered', async () => {
    const all = await outcomes([20, 20, 20, 600, 'never', 'never'], 10_000, 4);
    expect(all[3]).toEqual({ is: 'answered', atMs: 600 });
    expect(all[4]).toEqual({ is: 'TimeoutError', atMs: 600 * withSpare.factor });
    const few = await outcomes([20, 20, 20, 'never', 'never'], 5000, 4);
    expect(few[4]).toEqual({ is: 'TimeoutError', atMs: withNeeded.minMs });
  });

  test('a slow server that nobody needs is waited for in proportion to its peers', async () => {
    const all = await outcomes([100, 100, 100, 390, 410], 5000, 3);
    expect(all[3]).toEqual({ is: 'answered', atMs: 390 });
    // That answer has shown what slow is here.
    expect(all[4]).toEqual({ is: 'answered', atMs: 410 });
  });

  test('answers that are not needed show what slow is, and leave the others needed', async () => {
    const { clock, call, hung } = scene(2);
    await Promise.all([call('s0'), call('s1'), call('s2', false)]);
    const quickly = hung('s3');
    clock.increment(withSpare.minMs);
    await expect(quickly).rejects.toMatchObject({ name: 'TimeoutError' });
    const slow = scene(3);
    await Promise.all([slow.call('s0'), slow.call('s1'), slow.call('s2', false)]);
    const given = vi.fn();
    slow.hung('s3').catch(given);
    slow.clock.increment(withNeeded.minMs - 1);
    await manyTurns();
    expect(given).not.toHaveBeenCalled();
    slow.clock.increment(1);
    await manyTurns();
    expect(given).toHaveBeenCalledOnce();
  });

  test('one that was silent before: for a moment, until it has answered', async () => {
    const { clock, call, hung } = scene(2);
    await Promise.all([call('s0'), call('s1')]);
    for (const ms of [withSpare.minMs, withSilent.minMs]) {
      const given = vi.fn();
      hung('s2').catch(given);
      clock.increment(ms - 1);
      await manyTurns();
      expect(given).not.toHaveBeenCalled();
      clock.increment(1);
      await manyTurns();
      expect(given).toHaveBeenCalledOnce();
    }
    await call('s2');
    const given = vi.fn();
    hung('s2').catch(given);
    clock.increment(withSpare.minMs - 1);
    await manyTurns();
    expect(given).not.toHaveBeenCalled();
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
    for (let i = 0; i < 3; i++) await pace.run(`s${i}`, never, async () => i);
    let hear = (_: string) => {};
    const heard = pace.run(
      's3',
      never,
      () =>
        new Promise((resolve) => {
          hear = resolve;
        }),
    );
    const hung = pace.run('s4', never, () => new Promise(() => {}));
    // Nothing ran for a minute, and now timers come first.
    fireAt(60_000);
    hear('an answer');
    expect(await heard).toBe('an answer');
    fireAt(60_000 + patienceMinMs);
    await expect(hung).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
