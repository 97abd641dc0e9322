/**
 * @module schedule: a simulated world whose messages a test delivers in an order of its own.
 *
 * Messages are named by the beginning of their labels, as in scenarios: `s4 list`, `s0 read sh1`, with
 * a client's name `A s0`. What is delivered has its effect and its answer at once. Time passes only
 * when no message is left to deliver.
 */
import type { Servermap } from '../../machines/servermap.ts';
import type { Program, ProgramClient } from '../../src/simulation/operations.ts';
import { Prng } from '../../src/simulation/prng.ts';
import {
  type Message,
  type OperationSpec,
  type ServerSpec,
  World,
  type WorldOptions,
} from '../../src/simulation/world.ts';

export type Fault =
  /** Neither effect nor answer, ever. */
  | 'silent'
  /** The connection breaks before the effect. */
  | 'lost'
  /** The connection breaks between effect and answer. */
  | 'answerLost';

/** Chooses the next message, or none to let time pass. The oldest comes first. */
export type Order = (messages: readonly Message[], world: World) => Message | undefined;

/** An operation under way. */
export interface Run<T> {
  readonly name: string;
  readonly result: Promise<T>;
  readonly isOver: () => boolean;
}

/** Whether the label, with or without its operation, begins with these words. */
export function isMeant({ label, operation }: Message, pattern: string): boolean {
  const own = `${label} `;
  return own.startsWith(`${pattern} `) || own.slice(operation.length + 1).startsWith(`${pattern} `);
}

/** Share n on server n, as Tahoe places them on a fresh grid. */
export function oneEach(total: number, count = total): readonly ServerSpec[] {
  return Array.from({ length: count }, (_, n) => ({ shares: n < total ? [n] : [] }));
}

export class Schedule {
  readonly world: World;
  /** The labels of everything delivered so far. */
  readonly delivered: string[] = [];
  readonly #faults: { readonly pattern: string; readonly fault: Fault; times: number }[] = [];

  private constructor(world: World) {
    this.world = world;
  }

  static async of(options: Omit<WorldOptions, 'operations'>): Promise<Schedule> {
    return new Schedule(await World.create({ ...options, operations: [] }));
  }

  /** What is in flight, the oldest first. */
  get pending(): readonly string[] {
    return this.world.messages.map(({ label }) => label);
  }

  /** From now on, messages that match go wrong, `times` times. */
  fail(pattern: string, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#faults.push({ pattern, fault, times });
  }

  /** Messages that match go well again. */
  heal(pattern: string): void {
    for (const fault of this.#faults) if (fault.pattern === pattern) fault.times = 0;
  }

  /** Begins an operation of client `name`, which is called `name`, then `name2`, `name3`… */
  async start<T>(
    name: string,
    work: (client: ProgramClient) => Promise<T>,
    about: Pick<OperationSpec, 'rule'> = {},
  ): Promise<Run<T>> {
    const { operations } = this.world;
    const earlier = operations.filter(({ spec }) => spec.client === name).length;
    const own = earlier === 0 ? name : `${name}${earlier + 1}`;
    let settle: (value: Promise<T>) => void = () => {};
    const result = new Promise<T>((resolve) => {
      settle = resolve;
    });
    result.catch(() => {});
    const run: Program = (client) => {
      const working = work(client);
      settle(working);
      return working;
    };
    this.world.add({ ...about, name: own, client: name, task: { kind: 'call', run } });
    await this.world.choose(`start ${own}`);
    const isOver = () =>
      this.world.operations.some(({ spec, status }) => spec.name === own && status === 'ended');
    return { name: own, result, isOver };
  }

  /** Runs one operation to its end. */
  async run<T>(
    name: string,
    work: (client: ProgramClient) => Promise<T>,
    { order, ...about }: Pick<OperationSpec, 'rule'> & { readonly order?: Order } = {},
  ): Promise<T> {
    return this.finish(await this.start(name, work, about), order);
  }

  /** Delivers by name, one after the other; `s1+` stands for everything of s1, also what follows. */
  async play(...steps: readonly string[]): Promise<void> {
    for (const step of steps) {
      const pattern = step.replace(/\+$/, '');
      const next = () => this.#answerable().find((message) => isMeant(message, pattern));
      let message = next();
      if (message === undefined) {
        throw new Error(`nothing matches ${pattern}; in flight: ${this.pending.join(', ')}`);
      }
      do {
        await this.#deliver(message);
        message = next();
      } while (step.endsWith('+') && message !== undefined);
    }
  }

  /** Lets `order` deliver until `isReached`. */
  async until(isReached: () => boolean, order: Order = fifo): Promise<void> {
    while (!isReached()) {
      const message = order(this.#answerable(), this.world);
      if (message === undefined) await this.world.choose('advance');
      else await this.#deliver(message);
    }
  }

  /** Lets `order` deliver until the operation has ended. */
  async finish<T>(run: Run<T>, order: Order = fifo): Promise<T> {
    await this.until(run.isOver, order);
    return run.result;
  }

  /** What each server holds, by place, as sequence numbers per share number. */
  holdings(): readonly Readonly<Record<string, number>>[] {
    return this.world.servers.map(({ shares }) =>
      Object.fromEntries(
        Object.entries(shares).map(([shnum, held]) => [shnum, Number(/^v(\d+)/.exec(held)?.[1])]),
      ),
    );
  }

  /** The file, for looking at what a test has left behind. */
  observer() {
    return this.world.grid.open(this.world.cap);
  }

  /** Finished servermaps, each with every share that a server had reported by then. */
  maps(): readonly { readonly map: Servermap; readonly reported: readonly string[] }[] {
    const maps: { map: Servermap; reported: readonly string[] }[] = [];
    let reported: string[] = [];
    for (const record of this.world.trace) {
      if (record.kind === 'message' && record.event === 'delivered' && record.what === 'list') {
        const { shnums = [] } = record.detail as { shnums?: readonly number[] };
        reported.push(...shnums.map((shnum) => `sh${shnum}@${record.server}`));
      }
      if (record.kind !== 'end' || record.chart !== 'servermapUpdate') continue;
      if (record.status === 'done') maps.push({ map: record.output as never, reported });
      reported = [];
    }
    return maps;
  }

  /** What maps lack of what servers had reported when they were finished. */
  dropped(): readonly string[] {
    return this.maps().flatMap(({ map, reported }) => {
      const known = new Set(map.holdings.map(({ server, shnum }) => `sh${shnum}@${server}`));
      return reported.filter((share) => !known.has(share));
    });
  }

  async #deliver({ label, phase }: Message): Promise<void> {
    const rule = this.#faultOf(label);
    if (rule !== undefined) rule.times--;
    this.delivered.push(label);
    if (rule === undefined) return void (await this.world.choose(`deliver ${label}`));
    if (rule.fault === 'answerLost' && phase === 'request') {
      await this.world.choose(`arrive ${label}`);
    }
    await this.world.choose(`reset ${label}`);
  }

  #faultOf(label: string) {
    const message = this.world.messages.find((m) => m.label === label) as Message;
    return this.#faults.find(({ pattern, times }) => times > 0 && isMeant(message, pattern));
  }

  #answerable(): readonly Message[] {
    return this.world.messages.filter(({ label }) => this.#faultOf(label)?.fault !== 'silent');
  }
}

// --- orders -----------------------------------------------------------------------------------------

export const fifo: Order = (messages) => messages[0];
export const lifo: Order = (messages) => messages.at(-1);

/** The messages of one client alone. */
export function onlyOf(name: string): Order {
  return (messages) => messages.find(({ operation }) => operation.startsWith(name));
}

/** Any message, each as likely. */
export function randomOrder(seed: number): Order {
  const prng = new Prng(seed);
  return (messages) => (messages.length === 0 ? undefined : prng.pick(messages));
}

/** Servers of different speeds: a faster one answers everything before a slower one. */
export function unevenServers(seed: number): Order {
  const { random } = new Prng(seed);
  const slowness = new Map<string, number>();
  return (messages) =>
    least(messages, ({ server }) => {
      const own = slowness.get(server) ?? random();
      slowness.set(server, own);
      return own;
    });
}

/**
 * The order of ticket #2034: servers without shares answer first, then the others say that they
 * have some, and what is needed to verify these comes last.
 */
export const verificationLast: Order = (messages, { servers }) => {
  const holders = new Set(
    servers.filter(({ shares }) => Object.keys(shares).length > 0).map(({ id }) => id),
  );
  return least(messages, ({ call, what, server }) => {
    if (call === 'list') return holders.has(server) ? 1 : 0;
    return what.endsWith(' head') ? 2 : 3;
  });
};

/** The oldest of the messages with the lowest rank. */
function least(messages: readonly Message[], rankOf: (message: Message) => number) {
  let best: { readonly message: Message; readonly rank: number } | undefined;
  for (const message of messages) {
    const rank = rankOf(message);
    if (best === undefined || rank < best.rank) best = { message, rank };
  }
  return best?.message;
}

/** The seed of this process's random orders; `SCHEDULE_SEED=<n>` replays those of another one. */
export const scheduleSeed = Number(
  process.env.SCHEDULE_SEED ?? Math.floor(Math.random() * 2 ** 31),
);
