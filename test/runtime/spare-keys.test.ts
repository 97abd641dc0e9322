import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { primitives } from '#crypto';
import type { SigningKey } from '../../src/crypto/primitives.ts';
import { BadArgumentError, OutOfRangeError } from '../../src/errors.ts';
import { Grid, type InternalGridOptions } from '../../src/grid.ts';
import { SpareKeys } from '../../src/runtime/spare-keys.ts';
import { memoryServers } from '../support/client-grid.ts';
import { newKeys } from '../support/new-keys.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** When everything has run that only waits for its turn. */
const atRest = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A generator that gives a key when it is told to, and counts. */
function byHand() {
  const asked: { readonly resolve: (key: SigningKey) => void }[] = [];
  const make = vi.fn(() => new Promise<SigningKey>((resolve) => asked.push({ resolve })));
  return { asked, make };
}

const keyOf = (byte: number) => ({ pkcs8: new Uint8Array(4).fill(byte) }) as unknown as SigningKey;

/** The pause after an operation is over. */
async function pass(): Promise<void> {
  vi.runOnlyPendingTimers();
  await atRest();
}

test('keys are made one at a time while nothing is under way, up to the number asked for', async () => {
  const { asked, make } = byHand();
  const spare = new SpareKeys(make, 2);
  expect(make).toHaveBeenCalledTimes(0);
  await pass();
  await pass();
  expect(make).toHaveBeenCalledTimes(1);
  asked[0]?.resolve(keyOf(1));
  await atRest();
  let finish = () => {};
  const operation = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const during = spare.during(() => operation);
  await pass();
  expect(make).toHaveBeenCalledTimes(1);
  finish();
  await during;
  await pass();
  expect(make).toHaveBeenCalledTimes(2);
  asked[1]?.resolve(keyOf(2));
  await atRest();
  expect(vi.getTimerCount()).toBe(0);
  expect([(await spare.take()).pkcs8[0], (await spare.take()).pkcs8[0]]).toEqual([2, 1]);
  expect(make).toHaveBeenCalledTimes(2);
});

test('none is made ahead unless it is asked for', async () => {
  const { asked, make } = byHand();
  const spare = new SpareKeys(make, 0);
  await spare.during(async () => {});
  expect(vi.getTimerCount()).toBe(0);
  const key = spare.take();
  asked[0]?.resolve(keyOf(1));
  expect((await key).pkcs8[0]).toBe(1);
});

test('the pause keeps no process alive', () => {
  const unref = vi.fn();
  const clock = { setTimeout: () => ({ unref }), clearTimeout: () => {} };
  new SpareKeys(byHand().make, 1, clock);
  expect(unref).toHaveBeenCalledTimes(1);
});

test('closing drops and wipes what is ready and what is being made', async () => {
  const { asked, make } = byHand();
  const spare = new SpareKeys(make, 2);
  const keys = [keyOf(1), keyOf(2)];
  await pass();
  asked[0]?.resolve(keys[0] as SigningKey);
  await atRest();
  await pass();
  spare.close();
  asked[1]?.resolve(keys[1] as SigningKey);
  await atRest();
  expect(keys.map(({ pkcs8 }) => [...pkcs8])).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  expect(vi.getTimerCount()).toBe(0);
  void spare.take();
  expect(make).toHaveBeenCalledTimes(3);
});

test.each([
  ['rejects', () => Promise.reject(new Error('no entropy'))],
  [
    'throws',
    () => {
      throw new Error('no entropy');
    },
  ],
])(
  'a generator that %s is heard of by whoever needs a key, and by nobody else',
  async (_, fail) => {
    const make = vi.fn(fail);
    const spare = new SpareKeys(make, 1);
    await pass();
    expect(make).toHaveBeenCalledTimes(1);
    // Not tried again before another operation has ended.
    expect(vi.getTimerCount()).toBe(0);
    await expect(spare.take()).rejects.toThrow('no entropy');
  },
);

/** A grid whose keys are counted; they are true ones, made at once. */
function countingGrid(spareKeys: number) {
  const made: SigningKey[] = [];
  const generateKey = vi.fn(async () => {
    const key = await primitives.importSigningKey(new Uint8Array(newKeys.rsa(2048).privateKey));
    made.push(key);
    return key;
  });
  const options: InternalGridOptions = {
    servers: memoryServers(10),
    spareKeys,
    primitives: { ...primitives, generateKey },
  };
  return { grid: new Grid(options), generateKey, made };
}

test('a file that is created takes the key that is ready; closing the grid drops the next', async () => {
  const { grid, generateKey, made } = countingGrid(1);
  await pass();
  expect(generateKey).toHaveBeenCalledTimes(1);
  await grid.create();
  expect(generateKey).toHaveBeenCalledTimes(1);
  await pass();
  expect(generateKey).toHaveBeenCalledTimes(2);
  const second = await grid.create();
  expect(generateKey).toHaveBeenCalledTimes(2);
  await second.overwrite(new Uint8Array(9));
  await pass();
  expect(inspect(grid, { showHidden: true, depth: 9, getters: true })).not.toContain('pkcs8');
  grid.close();
  expect(made.map(({ pkcs8 }) => pkcs8.every((byte) => byte === 0))).toEqual([false, false, true]);
});

test('spareKeys is a whole number', () => {
  const servers = memoryServers(1);
  expect(() => new Grid({ servers, spareKeys: -1 })).toThrow(OutOfRangeError);
  expect(() => new Grid({ servers, spareKeys: '1' as never })).toThrow(BadArgumentError);
});
