/**
 * @module scheduler: decides in which order calls to servers are answered, and when time passes.
 *
 * A held call has its effect and its answer at once, when it is delivered; nothing is delivered
 * before everything that the last delivery set off has come to rest. So a run is a sequence of
 * labels, and the same order of labels is the same run. Time is virtual: a timer fires only when
 * no call is left to deliver.
 */
import { primitives } from '#crypto';
import { bytesToHex } from '../../src/bytes.ts';
import type { VerifyingKey } from '../../src/crypto/primitives.ts';
import { AnswerLostError, ServerUnavailableError } from '../../src/errors.ts';
import type { Clock } from '../../src/runtime/run.ts';

/** A call that waits for its delivery. */
export interface Call {
  /**
   * `s4:list`, `s4:sh2:signature` (the field of share 2 that is read), `s4:sh2:write`; with a
   * client's name `A/s4:list`.
   */
  readonly label: string;
  readonly server: string;
  readonly kind: 'list' | 'read' | 'write' | 'lease' | 'advise';
  /** Whether the server holds any share of the file. */
  readonly hasShares: boolean;
}

/** Chooses the next call, or none to let time pass. The oldest call comes first. */
export type Order = (pending: readonly Call[]) => Call | undefined;

export type Fault =
  /** Neither effect nor answer, ever. */
  | 'silent'
  /** The connection breaks before the effect. */
  | 'lost'
  /** The connection breaks between effect and answer. */
  | 'answerLost';

interface Held extends Call {
  /** Nobody waits for the answer any more; a request that is under way may still have its effect. */
  isAbandoned: boolean;
  deliver(fault: Fault | undefined): void;
}

/** Whether `label` is `pattern` or begins with it, by whole parts: `s1:sh0` is in `s1`. */
export function matches(label: string, pattern: string): boolean {
  return label === pattern || label.startsWith(`${pattern}:`);
}

export class VirtualClock implements Clock {
  /** Milliseconds that have passed. */
  now = 0;
  readonly #timers = new Map<number, { readonly due: number; readonly callback: () => void }>();
  #nextId = 1;

  setTimeout(callback: () => void, ms: number): number {
    const id = this.#nextId++;
    this.#timers.set(id, { due: this.now + ms, callback });
    return id;
  }

  clearTimeout(id: unknown): void {
    this.#timers.delete(id as number);
  }

  /** Jumps to the timer that is due next; false when there is none. */
  fireNext(): boolean {
    const [next] = [...this.#timers].sort(([a, x], [b, y]) => x.due - y.due || a - b);
    if (next === undefined) return false;
    const [id, { due, callback }] = next;
    this.#timers.delete(id);
    this.now = due;
    callback();
    return true;
  }
}

export class Scheduler {
  readonly clock = new VirtualClock();
  /** The labels of everything delivered so far. */
  readonly delivered: string[] = [];
  #held: Held[] = [];
  readonly #faults: { readonly pattern: string; readonly fault: Fault; times: number }[] = [];

  /** Oldest first. */
  get pending(): readonly Call[] {
    return this.#held;
  }

  get pendingLabels(): readonly string[] {
    return this.#held.map(({ label }) => label);
  }

  /** From now on, calls that match `pattern` (for writes and lists alike) go wrong, `times` times. */
  fail(pattern: string, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.push({ pattern, fault, times });
  }

  /** Calls that match go well again. */
  heal(pattern: string): void {
    for (const fault of this.#faults) if (fault.pattern === pattern) fault.times = 0;
  }

  /** Holds a call: `perform` runs when it is delivered. */
  hold<T>(call: Call, perform: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted();
      const held: Held = {
        ...call,
        isAbandoned: false,
        deliver(fault) {
          if (fault === 'lost') reject(new ServerUnavailableError(call.server, 'connection lost'));
          else if (fault === 'answerLost') {
            void perform().then(() => reject(answerLost(call)), reject);
          } else perform().then(resolve, reject);
        },
      };
      this.#held.push(held);
      signal?.addEventListener('abort', () => {
        reject(signal.reason);
        // A write that was sent is on its way, whoever waits for it.
        if (call.kind === 'write') held.isAbandoned = true;
        else this.#remove(held);
      });
    });
  }

  /** Delivers one call, named by its label or a part of it; the oldest that matches. */
  deliver(pattern: string): void {
    const held = this.#answerable().find(({ label }) => matches(label, pattern));
    if (held === undefined) {
      throw new Error(`nothing matches ${pattern}; pending: ${this.pendingLabels.join(' ')}`);
    }
    this.#deliver(held);
  }

  /** Starts an operation; nothing moves before the run is told. */
  start<T>(work: () => Promise<T>): Run<T> {
    return new Run(this, work);
  }

  /** Runs an operation to its end, calls being answered in `order`. */
  run<T>(work: () => Promise<T>, order: Order): Promise<T> {
    return this.start(work).finish(order);
  }

  /** Delivers what `order` chooses, or lets time pass if it chooses nothing; false if it cannot. */
  step(order: Order): boolean {
    const call = order(this.#answerable());
    if (call === undefined) return this.clock.fireNext();
    this.#deliver(call as Held);
    return true;
  }

  #deliver(held: Held): void {
    this.#remove(held);
    this.delivered.push(held.label);
    const rule = this.#faultOf(held);
    if (rule !== undefined) rule.times--;
    held.deliver(rule?.fault);
  }

  #faultOf({ label }: Call) {
    return this.#faults.find(({ pattern, times }) => times > 0 && matches(label, pattern));
  }

  #answerable(): readonly Held[] {
    return this.#held.filter((held) => this.#faultOf(held)?.fault !== 'silent');
  }

  #remove(held: Held): void {
    this.#held = this.#held.filter((other) => other !== held);
  }
}

/** One operation under way. */
export class Run<T> {
  readonly #scheduler: Scheduler;
  readonly #result: Promise<T>;
  /** Whether the operation has ended, well or not. */
  isSettled = false;

  constructor(scheduler: Scheduler, work: () => Promise<T>) {
    this.#scheduler = scheduler;
    this.#result = work();
    const settle = () => {
      this.isSettled = true;
    };
    this.#result.then(settle, settle);
  }

  /**
   * Delivers by script. A step is a label or the start of one; `s1+` delivers everything that
   * matches `s1`, also what follows; a list of labels is delivered in one turn.
   */
  async play(...steps: readonly (string | readonly string[])[]): Promise<void> {
    for (const step of steps) {
      await atRest();
      if (typeof step !== 'string') for (const label of step) this.#scheduler.deliver(label);
      else if (!step.endsWith('+')) this.#scheduler.deliver(step);
      else await this.#playAll(step.slice(0, -1));
    }
    await atRest();
  }

  async #playAll(pattern: string): Promise<void> {
    while (this.#scheduler.pendingLabels.some((label) => matches(label, pattern))) {
      this.#scheduler.deliver(pattern);
      await atRest();
    }
  }

  /** Lets `order` deliver until `isReached` at rest. @throws Error when the operation ends before */
  async until(isReached: () => boolean, order: Order = fifo): Promise<void> {
    for (;;) {
      await atRest();
      if (isReached()) return;
      if (this.isSettled) throw new Error('the operation has ended before');
      this.#scheduler.step(order);
    }
  }

  /** Lets `order` deliver until the operation has ended. */
  async finish(order: Order = fifo): Promise<T> {
    for (;;) {
      await atRest();
      if (this.isSettled) return this.#result;
      this.#scheduler.step(order);
    }
  }
}

// --- orders ---------------------------------------------------------------------------------

export const fifo: Order = (pending) => pending[0];
export const lifo: Order = (pending) => pending.at(-1);

/** The calls of one client alone. */
export function onlyOf(name: string): Order {
  return (pending) => pending.find(({ label }) => label.startsWith(`${name}/`));
}

/** Any pending call, each as likely. */
export function randomOrder(seed: number): Order {
  const random = randomOf(seed);
  return (pending) => pending[Math.floor(random() * pending.length)];
}

/** Servers of different speeds: a faster one answers everything before a slower one. */
export function unevenServers(seed: number): Order {
  const random = randomOf(seed);
  const slowness = new Map<string, number>();
  const slownessOf = ({ server }: Call) => {
    const known = slowness.get(server) ?? random();
    slowness.set(server, known);
    return known;
  };
  return (pending) => least(pending, slownessOf);
}

/**
 * The order of ticket #2034: servers without shares answer first, then the others say that they
 * have some, and what is needed to verify these comes last.
 */
export const verificationLast: Order = (pending) =>
  least(pending, ({ kind, hasShares, label }) => {
    if (kind === 'list') return hasShares ? 1 : 0;
    return label.endsWith(':head') ? 2 : 3;
  });

/** The oldest of the calls with the lowest rank. */
function least(pending: readonly Call[], rankOf: (call: Call) => number): Call | undefined {
  let best: Call | undefined;
  for (const call of pending) if (best === undefined || rankOf(call) < rankOf(best)) best = call;
  return best;
}

/** mulberry32: numbers in [0, 1). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this process's random orders; `SCHEDULE_SEED=<n>` replays those of another one. */
export const scheduleSeed = Number(
  process.env.SCHEDULE_SEED ?? Math.floor(Math.random() * 2 ** 31),
);

function answerLost({ server, kind }: Call): Error {
  const problem = 'connection lost before the answer';
  return kind === 'write'
    ? new AnswerLostError(server, problem)
    : new ServerUnavailableError(server, problem);
}

// --- rest -----------------------------------------------------------------------------------

/** RSA runs in Node's thread pool; until it is back, nothing is at rest. */
let threadsBusy = 0;
countWork();

/** Resolves when nothing happens any more without a delivery. */
export async function atRest(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (threadsBusy > 0);
}

/**
 * Counts what is in the thread pool. All shares of a version carry one signature, so a check that
 * has been made is not made again: a third of the time of these tests would go there.
 */
function countWork(): void {
  const { importSigningKey, importVerifyingKey } = primitives;
  const counted = async <T>(work: Promise<T>): Promise<T> => {
    threadsBusy++;
    try {
      return await work;
    } finally {
      threadsBusy--;
    }
  };
  primitives.importSigningKey = async (pkcs8) => {
    const key = await importSigningKey(pkcs8);
    const { sign } = key;
    return Object.assign(key, { sign: (message: Uint8Array) => counted(sign(message)) });
  };
  const keys = new Map<string, Promise<VerifyingKey>>();
  const verdicts = new Map<string, Promise<boolean>>();
  primitives.importVerifyingKey = async (spki) => {
    const name = bytesToHex(spki);
    const key = await remembered(keys, name, () => importVerifyingKey(spki));
    return {
      verify: (message, signature) =>
        remembered(verdicts, `${name} ${bytesToHex(message)} ${bytesToHex(signature)}`, () =>
          counted(key.verify(message, signature)),
        ),
    };
  };
}

function remembered<T>(known: Map<string, T>, name: string, make: () => T): T {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}
