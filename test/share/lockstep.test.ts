import { expect, test } from 'vitest';
import { Lockstep, patienceMs, stallMs } from '../../src/share/lockstep.ts';
import { manyTurns } from '../support/client-grid.ts';

/** A pass over `count` segments, on a clock that moves when it is told to. */
function pass(count: number, window = 3) {
  let timer: { readonly ms: number; readonly resolve: () => void } | undefined;
  let now = 0;
  const wait = (ms: number, sooner: Promise<unknown>) =>
    Promise.race([
      sooner,
      new Promise<void>((resolve) => {
        timer = { ms, resolve };
      }),
    ]);
  const lockstep = new Lockstep(window, { now: () => now, wait });
  const encoded: number[] = [];
  lockstep.begin(async (index, shnum) => new Uint8Array([index, shnum]));
  const run = async () => {
    for (let index = 0; index < count; index++) {
      await lockstep.turnOf(index);
      encoded.push(index);
      lockstep.encoded(index);
    }
  };
  /** Until the pass waits for so long, and that time. */
  const passTime = async (ms: number) => {
    while (timer?.ms !== ms) await manyTurns();
    now += ms;
    timer.resolve();
  };
  const writer = (shnum: number) => {
    const { entry, leave } = lockstep.join();
    const got: number[] = [];
    const take = async (index: number) => {
      const [segment, share] = await entry(index, shnum);
      expect(share).toBe(shnum);
      got.push(segment as number);
      await manyTurns();
    };
    return { take, leave, got };
  };
  return { lockstep, encoded, run, passTime, writer, now: () => now };
}

test('whoever asks is given a segment when it is encoded', async () => {
  const { run, writer, encoded } = pass(9);
  const writers = [0, 1, 2].map(writer);
  const takes = writers.map(async ({ take }) => {
    for (let index = 0; index < 9; index++) await take(index);
  });
  await Promise.all([run(), ...takes]);
  expect(encoded).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(writers.map(({ got }) => got)).toEqual(Array(3).fill(encoded));
});

test('the pass keeps a few segments, and waits while all are at them', async () => {
  const { run, writer, encoded, now } = pass(9);
  const [one, two] = [writer(0), writer(1)];
  const end = run();
  await manyTurns();
  // Nobody has asked for the first one yet.
  expect(encoded).toEqual([0, 1]);
  await one.take(0);
  expect([encoded, now()]).toEqual([[0, 1], 0]);
  await two.take(0);
  expect([encoded, now()]).toEqual([[0, 1, 2], 0]);
  one.leave();
  two.leave();
  await end;
  expect(encoded.length).toBe(9);
});

test('one that half of the others wait for is left behind, when its time is over', async () => {
  const { run, writer, encoded, passTime, now } = pass(9);
  const [slow, fast] = [writer(0), writer(1)];
  const end = run();
  await slow.take(0);
  const rest = (async () => {
    for (let index = 0; index < 9; index++) await fast.take(index);
  })();
  await manyTurns();
  expect([encoded, now()]).toEqual([[0, 1, 2], 0]);
  await passTime(patienceMs);
  await Promise.all([end, rest]);
  expect(now()).toBe(patienceMs);
  // What it asks for now is made anew, by whom it asks.
  await slow.take(1);
  expect([slow.got, fast.got]).toEqual([[0, 1], encoded]);
});

test('when nobody gets on, whoever is behind is left there', async () => {
  const { run, writer, encoded, passTime, now } = pass(4);
  const [fast] = [writer(0), writer(1), writer(2)];
  const end = run();
  const rest = (async () => {
    for (let index = 0; index < 4; index++) await fast?.take(index);
  })();
  // Two of three hang, so it is not known that they are the slow ones.
  await passTime(stallMs);
  await Promise.all([end, rest]);
  expect([now(), fast?.got]).toEqual([stallMs, encoded]);
});

test('when the pass fails, whoever waits is told', async () => {
  const { lockstep, writer } = pass(9);
  const { take } = writer(0);
  const waiting = take(0);
  lockstep.fail(new Error('the source is gone'));
  await expect(waiting).rejects.toThrowError('the source is gone');
  await expect(take(1)).rejects.toThrowError('the source is gone');
});
