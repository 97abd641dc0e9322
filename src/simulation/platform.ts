/**
 * @module platform: what a platform leaves to chance, made the same every time.
 *
 * Public-key operations end on other threads, in whatever order; salts are random. A world's engine
 * is given primitives of its own: their results are handed out one at a time, in the order in which
 * they were asked for, each after all consequences of the one before; random bytes come from the
 * world. How the salt of a signature begins is remembered: not every platform takes it.
 */
import { primitives as real } from '#crypto';
import { bytesToHex, concatBytes } from '../bytes.ts';
import type { Primitives, SigningKey, VerifyingKey } from '../crypto/primitives.ts';
import { pssSaltLength } from '../crypto/pss.ts';
import { saltLength } from '../crypto/salts.ts';
import { withHidden } from '../hidden.ts';
import { turnsUnderWay } from '../turn.ts';

interface Outstanding {
  readonly settled: Promise<unknown>;
  readonly release: () => void;
}

/** The cryptography and the moves of one world. */
export class Platform {
  /** For the engine: what they promise comes when the world {@link settle}s. */
  readonly primitives: Primitives;
  readonly #outstanding: Outstanding[] = [];
  /** Of what was signed here, by signature. */
  readonly #salts = new Map<string, Uint8Array>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(randomBytes: (length: number) => Uint8Array) {
    const signing = (key: SigningKey): SigningKey => {
      const sign: SigningKey['sign'] = (...asked) => this.#inOrder(this.#signed(key, ...asked));
      return withHidden({ spki: key.spki, sign }, 'pkcs8', key.pkcs8);
    };
    const verifying = (key: VerifyingKey): VerifyingKey => ({
      verify: (...shown) => this.#inOrder(this.#verified(key, ...shown)),
    });
    this.primitives = {
      sha256: real.sha256,
      hashInto: real.hashInto,
      randomBytes,
      newSalt: () => randomBytes(saltLength),
      aesCtr: (key, data) => this.#inOrder(real.aesCtr(key, data)),
      aesCtrInto: (...asked) => this.#inOrder(real.aesCtrInto(...asked)),
      generateKey: () => this.#inOrder(real.generateKey().then(signing)),
      importSigningKey: (pkcs8) => this.#inOrder(importSigningKey(pkcs8).then(signing)),
      importVerifyingKey: (spki) => this.#inOrder(importVerifyingKey(spki).then(verifying)),
    };
  }

  /** Runs `work`, a move of the world, when the move before is over. */
  moving<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** Waits until nothing happens any more. */
  async settle(): Promise<void> {
    await atRest();
    for (let next = this.#outstanding.shift(); next; next = this.#outstanding.shift()) {
      await next.settled;
      next.release();
      await atRest();
    }
  }

  async #signed(key: SigningKey, message: Uint8Array, saltStart?: Uint8Array) {
    const signature = await key.sign(message, saltStart);
    const salt = new Uint8Array(pssSaltLength);
    salt.set(saltStart ?? []);
    this.#salts.set(bytesToHex(signature), salt);
    return signature;
  }

  /** What was planted names no parent that anybody knows. */
  async #verified(key: VerifyingKey, message: Uint8Array, signature: Uint8Array) {
    const salt = await key.verify(message, signature);
    if (salt === undefined) return undefined;
    return this.#salts.get(bytesToHex(signature)) ?? new Uint8Array(pssSaltLength);
  }

  /** `result`, handed out in its turn. */
  #inOrder<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settled = result.then(
        () => {},
        () => {},
      );
      this.#outstanding.push({ settled, release: () => result.then(resolve, reject) });
    });
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

/** When everything has run that waits for nothing but its turn. */
async function atRest(): Promise<void> {
  do await nextTask();
  while (turnsUnderWay() > 0);
}

// --- what was worked out once is not worked out again --------------------------------------------

/** Results kept per function: a long run must not grow without end. */
const rememberedMax = 2000;

function remembered<T>(
  work: (bytes: Uint8Array, length: number) => Promise<T>,
): (bytes: Uint8Array, length?: number) => Promise<T> {
  const memory = new Memory<T>();
  return (bytes, length = 0) =>
    memory.of(`${length} ${bytesToHex(bytes)}`, () => work(bytes, length));
}

/** Results by name. */
export class Memory<T> {
  readonly #known = new Map<string, Promise<T>>();

  of(name: string, work: () => Promise<T>): Promise<T> {
    const result = this.#known.get(name) ?? work();
    if (this.#known.size > rememberedMax) this.#known.clear();
    this.#known.set(name, result);
    return result;
  }
}

/** One message has one signature: its salt would be another piece of chance. */
const importSigningKey = remembered(async (pkcs8): Promise<SigningKey> => {
  const key = await real.importSigningKey(pkcs8);
  const signed = remembered((message) => key.sign(message));
  const sign = (message: Uint8Array) => signed(message);
  return withHidden({ spki: key.spki, sign }, 'pkcs8', key.pkcs8);
});

/** All shares of a version carry one signature, and all worlds of a process may have one key. */
export const importVerifyingKey = remembered(async (spki): Promise<VerifyingKey> => {
  const key = await real.importVerifyingKey(spki);
  const verify = remembered((both, length) =>
    key.verify(both.subarray(length), both.subarray(0, length)),
  );
  return {
    verify: (message, signature) => verify(concatBytes(signature, message), signature.length),
  };
});

/** For looking at worlds from outside: nothing waits for its turn. */
export const lookingOn: Primitives = { ...real, importSigningKey, importVerifyingKey };
