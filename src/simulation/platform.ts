/**
 * @module platform: what a platform leaves to chance, made the same every time.
 *
 * Public-key operations end on other threads, in whatever order; salts are random. While a world
 * moves, results of the {@link primitives} are handed out one at a time, in the order in which they
 * were asked for, each after all consequences of the one before; random bytes come from the world.
 * One world moves at a time. When none moves, everything goes its usual way.
 */
import { primitives } from '#crypto';
import { bytesToHex, concatBytes } from '../bytes.ts';
import type { SigningKey, VerifyingKey } from '../crypto/primitives.ts';

interface Outstanding {
  readonly settled: Promise<unknown>;
  readonly release: () => void;
}

const outstanding: Outstanding[] = [];
let randomBytes: ((length: number) => Uint8Array) | undefined;
let isInstalled = false;
let turn: Promise<unknown> = Promise.resolve();

/** Runs `work`, in which the world moves, when no other world moves. */
export function moving<T>(bytes: (length: number) => Uint8Array, work: () => Promise<T>) {
  install();
  const mine = turn.then(async () => {
    randomBytes = bytes;
    try {
      return await work();
    } finally {
      randomBytes = undefined;
    }
  });
  turn = mine.catch(() => {});
  return mine;
}

/** Waits, within {@link moving}, until nothing happens any more. */
export async function settle(): Promise<void> {
  await nextTask();
  for (let next = outstanding.shift(); next !== undefined; next = outstanding.shift()) {
    await next.settled;
    next.release();
    await nextTask();
  }
}

const channel = typeof setImmediate === 'function' ? undefined : new MessageChannel();
const waiting: (() => void)[] = [];
if (channel !== undefined) channel.port1.onmessage = () => waiting.shift()?.();

/** All promise reactions run before the next task does. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (channel === undefined) return void setImmediate(resolve);
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}

/** `result`, handed out in its turn. */
function inOrder<T>(result: Promise<T>): Promise<T> {
  if (randomBytes === undefined) return result;
  return new Promise((resolve, reject) => {
    const settled = result.then(
      () => {},
      () => {},
    );
    outstanding.push({ settled, release: () => result.then(resolve, reject) });
  });
}

/** The real primitives behind a queue; what was worked out once is not worked out again. */
function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  const real = { ...primitives };
  const signing = (key: SigningKey): SigningKey => {
    const { sign } = key;
    return Object.assign(key, { sign: (message: Uint8Array) => inOrder(sign(message)) });
  };
  const verifying = (key: VerifyingKey): VerifyingKey => {
    const verify = remembered((both: Uint8Array, length: number) =>
      key.verify(both.subarray(length), both.subarray(0, length)),
    );
    return {
      verify: (message, signature) =>
        inOrder(verify(concatBytes(signature, message), signature.length)),
    };
  };
  const importSigningKey = remembered((pkcs8) => real.importSigningKey(pkcs8).then(signing));
  const importVerifyingKey = remembered((spki) => real.importVerifyingKey(spki).then(verifying));
  primitives.aesCtr = (key, data) => inOrder(real.aesCtr(key, data));
  primitives.generateKey = () => inOrder(real.generateKey().then(signing));
  primitives.importSigningKey = (pkcs8) => inOrder(importSigningKey(pkcs8, 0));
  primitives.importVerifyingKey = (spki) => inOrder(importVerifyingKey(spki, 0));
  primitives.randomBytes = (length) => (randomBytes ?? real.randomBytes)(length);
}

/** Results kept per function: a long run must not grow without end. */
const rememberedMax = 2000;

function remembered<T>(
  work: (bytes: Uint8Array, length: number) => Promise<T>,
): (bytes: Uint8Array, length: number) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (bytes, length) => {
    const name = `${length} ${bytesToHex(bytes)}`;
    const result = known.get(name) ?? work(bytes, length);
    if (known.size > rememberedMax) known.clear();
    known.set(name, result);
    return result;
  };
}
