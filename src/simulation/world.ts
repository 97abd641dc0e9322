/**
 * @module world: the real engine on a simulated grid, where nothing happens but what is chosen.
 *
 * `choose` returns when nothing moves any more: all promises are settled, cryptography included.
 * Servers are called s0, s1… in the permuted order of the file. The storage servers, the share
 * bytes, the signatures and the charts are the real ones; the network, the clock, the disks' faults
 * and the random numbers are the world's.
 */
import { updateMachineFor } from '../../machines/historic-rules.ts';
import { readkeyOf, storageIndexOf, type WriteCap, writeCapOf } from '../caps.ts';
import type { SigningKey } from '../crypto/primitives.ts';
import type { Encoding } from '../encoding.ts';
import { AnswerLostError, BadWriteEnablerError, ServerUnavailableError } from '../errors.ts';
import { Grid, type InternalGridOptions } from '../grid.ts';
import { defaultDeadlines, type Machines } from '../runtime/run.ts';
import { type ChartRecord, createRecorder, type Json, toJson } from '../runtime/trace.ts';
import type { ReadTestWriteAnswer, ServerId } from '../storage/server.ts';
import { describeAnswer, feigned, invented, spoilt } from './answers.ts';
import { canArrive, faultChoices, plainChoices, type WorldState } from './choices.ts';
import { VirtualClock } from './clock.ts';
import type { RotField, SimulatedFile } from './disk.ts';
import { Disks, rottenIn } from './disks.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { simulationKey } from './key.ts';
import { type Answer, type Envelope, type Message, Network, RemoteServer } from './network.ts';
import {
  type OperationResult,
  type OperationSpec,
  perform,
  type RunContext,
} from './operations.ts';
import { lookingOn, Platform } from './platform.ts';
import { Prng } from './prng.ts';
import type {
  Choice,
  OperationView,
  ServerView,
  TraceRecord,
  WorldOptions,
  WorldRecord,
} from './world-types.ts';
import { traceFormat } from './world-types.ts';

export type { Message } from './network.ts';
export type { OperationSpec } from './operations.ts';
export type * from './world-types.ts';

interface Operation {
  readonly spec: OperationSpec;
  /** Its chart has ended; only its caller does not know yet. */
  isOver: boolean;
  status: OperationView['status'];
  result: OperationResult | undefined;
  readonly controller: AbortController;
}

interface Client {
  /** Operations under way. Writes of one file take turns, so the first that is not over works. */
  readonly running: string[];
  readonly context: Omit<RunContext, 'signal' | 'onContents'>;
}

const hourMs = 3_600_000;

/**
 * A grid on which nothing happens but what is chosen.
 *
 * @example
 * ```ts
 * import { runToEnd, World } from 'tahoe-mutable/testing';
 *
 * const world = await World.create({
 *   servers: [{ shares: [0] }, { shares: [1] }, {}, {}, { shares: [2] }],
 *   encoding: { required: 2, happy: 3, total: 3 },
 *   operations: [{ name: 'w1', task: { kind: 'overwrite' } }],
 * });
 * await world.choose('start w1'); // by label, by index or by the choice itself
 * console.log(world.choices); // deliver w1 s0 list, deliver w1 s1 list, … advance
 * await world.choose(0);
 * const again = await World.replay(world.options, world.path); // the same trace, byte for byte
 * await runToEnd(world); // whatever is left, oldest message first
 * console.log(world.trace.length); // all that has happened: TraceRecord, JSON
 * ```
 */
export class World {
  /** As they were given. */
  readonly options: WorldOptions;
  /** Of its clients. */
  readonly encoding: Encoding;
  /** All that has happened. */
  readonly trace: TraceRecord[] = [];
  /** The indices of the choices so far, and their labels. */
  readonly path: number[] = [];
  /** The choices so far. */
  readonly labels: string[] = [];

  readonly #file: SimulatedFile;
  readonly #prng: Prng;
  readonly #platform = new Platform((length) => this.#prng.bytes(length));
  readonly #clock = new VirtualClock();
  readonly #disks: Disks;
  readonly #operations: Operation[] = [];
  readonly #clients = new Map<string, Client>();
  readonly #cuts = new Set<string>();
  readonly #network: Network;
  readonly #kinds: ReadonlySet<FaultKind>;
  /** That of the file, for the engine. */
  #key!: SigningKey;
  #plain: readonly Choice[] | undefined;
  #choices: readonly Choice[] | undefined;

  private constructor(options: WorldOptions, file: SimulatedFile) {
    const {
      seed = 0,
      faults = faultKinds,
      encoding = { required: 2, happy: 3, total: 3 },
    } = options;
    this.options = options;
    this.encoding = encoding;
    this.#file = file;
    this.#prng = new Prng(seed);
    this.#kinds = new Set(faults);
    const now = () => this.#clock.now / 1000;
    this.#disks = new Disks(file, options, encoding, now, (record) => this.#record(record));
    for (const spec of options.operations) this.add(spec);
    this.#network = new Network({
      onSent: (message) => this.#note(message, 'sent', message.write),
      onRefused: (operation, server, what) =>
        this.#record({
          ...{ kind: 'message', event: 'refused', id: null, phase: 'request', detail: null },
          ...{ operation, server, what },
        }),
      onAbandoned: (message) => this.#note(message, 'abandoned', null),
      onAdvised: (operation, server, shnum, reason) =>
        this.#record({ kind: 'advice', operation, server, shnum, reason }),
      isDown: (server) => !this.#disks.server(server).isUp,
      isDead: (operation) => this.#operation(operation).status === 'killed',
      isDeaf: options.isDeaf ?? false,
    });
  }

  /** A world at its beginning: nothing has started. */
  static async create(options: WorldOptions): Promise<World> {
    const { format = 'sdmf', isDirectory = false } = options;
    const signing = await simulationKey();
    const cap = writeCapOf(signing, format, isDirectory);
    const storageIndex = storageIndexOf(cap);
    const world = new World(options, { cap, storageIndex, signing, readkey: readkeyOf(cap) });
    await world.#platform.moving(() => world.#begin());
    return world;
  }

  /** The world after these choices. */
  static async replay(options: WorldOptions, path: readonly (number | string)[]): Promise<World> {
    const world = await World.create(options);
    for (const choice of path) await world.choose(choice);
    return world;
  }

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#clock.now;
  }

  /** When `advance` would be; nothing when no timer is set. */
  get nextDue(): number | undefined {
    return this.#clock.nextDue;
  }

  /** When all timers are due, in order. */
  get dues(): readonly number[] {
    return this.#clock.dues;
  }

  /** What is in flight. */
  get messages(): readonly Message[] {
    return this.#network.inFlight;
  }

  /** In the permuted order of the file. */
  get servers(): readonly ServerView[] {
    return this.#disks.servers.map(({ id, isUp, isKnown, isPartitioned, isMute, shares }) => {
      const view = { id, isUp, isKnown, isPartitioned, isMute };
      return { ...view, shares: Object.fromEntries(shares) };
    });
  }

  /** In the order in which they were given. */
  get operations(): readonly OperationView[] {
    return this.#operations.map(({ spec, status, result }) => ({ spec, status, result }));
  }

  /** Whether every operation that started has ended and nothing is in flight. */
  get isQuiet(): boolean {
    return this.#network.inFlight.length === 0 && !this.#isRunning;
  }

  get #isRunning(): boolean {
    return this.#operations.some(({ status }) => status === 'running');
  }

  get #state(): WorldState {
    return {
      operations: this.#operations,
      servers: this.#disks.servers,
      messages: this.#network.inFlight,
      cuts: this.#cuts,
      hasTimers: this.#clock.nextDue !== undefined,
    };
  }

  /** The file, for those who look at {@link World.grid}. */
  get cap(): WriteCap {
    return this.#file.cap;
  }

  /** What the servers hold, for looking at: they answer at once, and whether they are up or not. */
  get grid(): Grid {
    const servers = this.#disks.servers.map(({ store }) => store);
    const { encoding } = this;
    const leaseSecret = new Uint8Array(32);
    const internal: InternalGridOptions = { servers, encoding, leaseSecret, primitives: lookingOn };
    return new Grid(internal);
  }

  /** One more operation. A replay knows only those of the options. */
  add(spec: OperationSpec): void {
    const controller = new AbortController();
    this.#operations.push({
      spec,
      isOver: false,
      status: 'waiting',
      result: undefined,
      controller,
    });
    this.#forgetChoices();
  }

  #forgetChoices(): void {
    this.#choices = undefined;
    this.#plain = undefined;
  }

  /** What can happen next, in an order that depends on the past only; faults come last. */
  get choices(): readonly Choice[] {
    this.#choices ??= [...this.plainChoices, ...faultKinds.flatMap((kind) => this.faultsOf(kind))];
    return this.#choices;
  }

  /** The beginning of {@link choices}: what can happen without a fault. */
  get plainChoices(): readonly Choice[] {
    this.#plain ??= plainChoices(this.#state);
    return this.#plain;
  }

  /** The choices of one kind of fault; none when this world does not have it. */
  faultsOf(kind: FaultKind): readonly Choice[] {
    return this.#kinds.has(kind) ? faultChoices(kind, this.#state) : [];
  }

  /**
   * Lets one thing happen, and everything that follows from it without another message or timer.
   * @returns the new records
   * @throws RangeError when there is no such choice
   */
  async choose(choice: number | string | Choice): Promise<readonly TraceRecord[]> {
    const label = typeof choice === 'object' ? choice.label : choice;
    const isIt = (c: Choice) => c.label === label;
    const plain = this.plainChoices.findIndex(isIt);
    const index =
      typeof label === 'number' ? label : plain >= 0 ? plain : this.choices.findIndex(isIt);
    const chosen = plain >= 0 ? this.plainChoices[plain] : this.choices[index];
    if (chosen === undefined) throw new RangeError(`there is no choice ${label} now`);
    const start = this.trace.length;
    this.path.push(index);
    this.labels.push(chosen.label);
    this.#record({ kind: 'choice', step: this.path.length, index, label: chosen.label });
    await this.#platform.moving(async () => {
      await this.#perform(chosen);
      await this.#platform.settle();
    });
    this.#forgetChoices();
    return this.trace.slice(start);
  }

  /** What a server holds of the file, as bytes; for properties and tests. */
  shareBytes(server: ServerId, shnum: number): Uint8Array | undefined {
    return this.#disks.bytes(server, shnum);
  }

  // --- what happens ---------------------------------------------------------------------------

  async #perform(choice: Choice): Promise<void> {
    const { kind } = choice;
    if (kind === 'heal') return this.#heal();
    if (kind === 'start') return this.#start(this.#operation(choice.operation as string));
    if (kind === 'advance' || kind === 'jump') return this.#advance(kind);
    if (kind === 'kill' || kind === 'cancel') return this.#stop(kind, choice.operation as string);
    if (choice.message !== undefined) return this.#handle(kind as FaultKind, choice.message);
    if (choice.shnum !== undefined) return this.#spoil(choice);
    return this.#change(choice);
  }

  #heal(): void {
    for (const server of this.#disks.servers) {
      server.isKnown = true;
      if (server.isUp && !server.isPartitioned && !server.isMute) continue;
      server.isUp = true;
      server.isPartitioned = false;
      server.isMute = false;
      this.#serverRecord(server.id, 'restart');
    }
    this.#cuts.clear();
    for (const message of this.#network.inFlight) message.isDelayed = false;
  }

  async #start(operation: Operation): Promise<void> {
    const { spec } = operation;
    const client = this.#client(spec);
    client.running.push(spec.name);
    operation.status = 'running';
    this.#operationRecord(operation, 'started');
    const { signal } = operation.controller;
    const onContents: RunContext['onContents'] = (seen, made) =>
      this.#record({ kind: 'contents', operation: spec.name, seen, made });
    const context: RunContext = { ...client.context, signal, onContents };
    void perform(spec, context).then((result) => {
      client.context.file = context.file;
      client.running.splice(client.running.indexOf(spec.name), 1);
      if (operation.status === 'killed') return;
      operation.status = 'ended';
      operation.result = result;
      this.#operationRecord(operation, 'ended');
    });
  }

  #client({ client: name, name: own }: OperationSpec): Client {
    const known = this.#clients.get(name ?? own);
    if (known !== undefined) return known;
    const owner = () => client.running.find((o) => !this.#operation(o).isOver) ?? own;
    const write = (record: ChartRecord) => {
      this.#record(record);
      if (record.kind === 'end') this.#noteEnd(record);
    };
    const recorder = createRecorder({ write, prefix: owner });
    const servers = this.#disks.servers
      .filter(({ isKnown }) => isKnown)
      .map(({ store }) => new RemoteServer(store, this.#network, owner));
    const options: InternalGridOptions = {
      servers,
      // Whoever does not know all servers knows how many there are.
      gridSize: this.#disks.servers.length,
      losableServers: this.options.losable ?? 0,
      encoding: this.encoding,
      leaseSecret: new Uint8Array(32),
      deadlines: defaultDeadlines,
      clock: this.#clock.for(name ?? own),
      now: () => this.#clock.now,
      date: () => this.#clock.now,
      random: this.#prng.random,
      primitives: this.#platform.primitives,
      // A client keeps its file open; a program that opens it anew wants to look.
      rememberedFiles: 0,
      inspect: recorder,
      machines: this.#machinesOf(owner),
      ...(this.options.headLength !== undefined && { headLength: this.options.headLength }),
    };
    const grid = new Grid(options);
    const context = { grid, file: undefined, simulated: this.#file, key: this.#key };
    const client: Client = { running: [], context };
    this.#clients.set(name ?? own, client);
    return client;
  }

  /** The charts for the rule of the operation that begins. */
  #machinesOf(owner: () => string): Machines {
    const ruleOf = () => this.#operation(owner()).spec.rule ?? 'ours';
    return {
      get servermapUpdate() {
        return updateMachineFor(ruleOf());
      },
    };
  }

  /** Whose root this was is over. */
  #noteEnd({ actor }: Extract<ChartRecord, { kind: 'end' }>): void {
    const [name = '', , child] = actor.split('/');
    const operation = this.#operation(name);
    // What a program does next, nobody knows.
    if (operation.spec.task.kind === 'call') return;
    if (child === undefined) operation.isOver = true;
  }

  async #advance(kind: 'advance' | 'jump'): Promise<void> {
    const { now, nextDue } = this.#clock;
    const time = kind === 'jump' ? now + hourMs : (nextDue as number);
    for (const message of this.#network.inFlight) message.isDelayed = false;
    const onTick = () => this.#record({ kind: 'clock', now: this.#clock.now });
    await this.#clock.advanceTo(time, () => this.#platform.settle(), onTick);
  }

  #stop(kind: 'kill' | 'cancel', name: string): void {
    const operation = this.#operation(name);
    this.#operationRecord(operation, kind === 'kill' ? 'killed' : 'cancelled');
    if (kind === 'cancel') {
      operation.controller.abort(new DOMException('the caller lost interest', 'AbortError'));
      return;
    }
    operation.status = 'killed';
    this.#clock.forget(operation.spec.client ?? name);
    this.#clients.delete(operation.spec.client ?? name);
    // What it sent may arrive; reads change nothing.
    for (const message of [...this.#network.inFlight]) {
      if (message.operation !== name) continue;
      message.isAbandoned = true;
      if (message.call !== 'write' || message.phase === 'answer') this.#network.remove(message);
    }
  }

  async #handle(kind: FaultKind | 'deliver', id: string): Promise<void> {
    const message = this.#network.inFlight.find((m) => m.id === id) as Envelope;
    switch (kind) {
      case 'deliver':
        if (message.phase === 'request') await this.#arrive(message);
        // Of a mute server the answer stays where it is.
        return canArrive(this.#state, message) ? this.#deliver(message) : undefined;
      case 'arrive':
        return this.#arrive(message);
      case 'drop':
        this.#note(message, 'dropped', null);
        return this.#network.remove(message);
      case 'reset':
        this.#note(message, 'lost', null);
        return this.#network.breakOff(message);
      case 'duplicate':
        return this.#network.duplicate(message);
      case 'delay':
        message.isDelayed = true;
        return this.#note(message, 'delayed', null);
      case 'fail':
        message.answer = this.#failure(message, 'no space left');
        message.phase = 'answer';
        return this.#deliver(message);
      case 'tear':
        return this.#tear(message);
      case 'deny':
        message.answer = { ok: false, error: new BadWriteEnablerError(message.server) };
        message.phase = 'answer';
        return this.#deliver(message);
      case 'belie':
        return this.#lie(message, kind, { wrote: false, reads: invented(message) });
      case 'feign': {
        const server = this.#disks.server(message.server);
        return this.#lie(message, kind, feigned(this.#disks.held(server)));
      }
      default:
        if (message.phase === 'request') await this.#arrive(message);
        message.answer = spoilt(kind, message.answer as Answer, message.what.endsWith('head'));
        message.spoiltBy = kind;
        return this.#deliver(message);
    }
  }

  /** The request takes effect in part, unless a test fails; whether it has is not said. */
  async #tear(message: Envelope): Promise<void> {
    await this.#arrive(message, message.tear);
    const hasWritten = message.answer?.ok && (message.answer.value as ReadTestWriteAnswer).wrote;
    const error = new AnswerLostError(message.server, 'no space left');
    if (hasWritten) message.answer = { ok: false, error };
    if (!message.isAbandoned) this.#deliver(message);
  }

  #lie(message: Envelope, kind: FaultKind, value: ReadTestWriteAnswer): void {
    message.answer = { ok: true, value };
    message.phase = 'answer';
    message.spoiltBy = kind;
    this.#deliver(message);
  }

  #failure({ server }: Message, problem: string): Answer {
    return { ok: false, error: new ServerUnavailableError(server, problem) };
  }

  /** The request takes effect. */
  async #arrive(message: Envelope, carryOut = message.execute): Promise<void> {
    const server = this.#disks.server(message.server);
    const before = message.call === 'write' ? this.#disks.held(server) : new Map();
    message.answer = await carryOut().then(
      (value): Answer => ({ ok: true, value }),
      (error): Answer => ({ ok: false, error }),
    );
    message.phase = 'answer';
    this.#note(message, 'arrived', describeAnswer(message));
    if (message.call === 'write') await this.#disks.compare(server, before, message.operation);
    if (message.isAbandoned) this.#network.remove(message);
  }

  /** The answer comes to the caller, if there is one. */
  #deliver(message: Envelope): void {
    this.#network.remove(message);
    if (message.isAbandoned) return;
    this.#note(message, 'delivered', describeAnswer(message));
    message.settle(message.answer as Answer);
  }

  async #change({ kind, server: id, operation }: Choice): Promise<void> {
    const server = this.#disks.server(id as ServerId);
    this.#serverRecord(server.id, kind as FaultKind);
    switch (kind) {
      case 'crash':
        server.isUp = false;
        for (const message of [...this.#network.inFlight]) {
          if (message.server !== id) continue;
          this.#note(message, 'lost', null);
          if (message.isAbandoned) this.#network.remove(message);
          else this.#network.breakOff(message);
        }
        return;
      case 'rollback':
      case 'restart': {
        if (kind === 'rollback') await this.#disks.rollBack(server);
        server.isUp = true;
        server.isPartitioned = false;
        server.isMute = false;
        return;
      }
      case 'partition':
        server.isPartitioned = true;
        return;
      case 'mute':
        server.isMute = true;
        return;
      case 'join':
      case 'leave':
        server.isKnown = kind === 'join';
        return;
      case 'cut': {
        const pair = `${operation} ${id}`;
        if (!this.#cuts.delete(pair)) this.#cuts.add(pair);
      }
    }
  }

  async #spoil(choice: Choice): Promise<void> {
    const { kind, server, shnum, field } = choice;
    this.#serverRecord(server as ServerId, kind as FaultKind, shnum, field);
    await this.#disks.spoil(choice);
  }

  // --- the record -----------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const key = this.#platform.primitives.importSigningKey(this.#file.signing.pkcs8);
    await this.#platform.settle();
    this.#key = await key;
    await this.#disks.plant();
    const { seed = 0, format = 'sdmf', operations, losable = 0 } = this.options;
    const servers = this.#disks.servers.map(({ id, shares, isKnown }, i) => ({
      ...{ id, isKnown, shares: Object.fromEntries(shares) },
      rotten: rottenIn(this.options.servers[i]),
    }));
    const encoding = { ...this.encoding, ...this.options.fileEncoding };
    const rules = losable > 0 && { losable };
    const about = { seed, format, encoding, ...rules, servers, operations };
    this.#record({ kind: 'header', format: traceFormat, about: toJson(about) });
  }

  #operation(name: string): Operation {
    const operation = this.#operations.find(({ spec }) => spec.name === name);
    if (operation === undefined) throw new RangeError(`there is no operation ${name}`);
    return operation;
  }

  #serverRecord(server: ServerId, event: FaultKind, shnum?: number, field?: RotField): void {
    const which = { shnum: shnum ?? null, field: field ?? null };
    this.#record({ kind: 'server', server, event, ...which });
  }

  #operationRecord(
    { spec, result }: Operation,
    event: Extract<WorldRecord, { kind: 'operation' }>['event'],
  ): void {
    const about = { operation: spec.name, spec: toJson(spec), result: result ?? null };
    this.#record({ kind: 'operation', event, ...about });
  }

  #note(
    { id, operation, server, what, phase }: Message,
    event: Extract<WorldRecord, { kind: 'message' }>['event'],
    detail: Json,
  ): void {
    this.#record({ kind: 'message', event, id, operation, server, what, phase, detail });
  }

  #record(record: ChartRecord | WorldRecord): void {
    // Stamped in place: half a million copies would take noticeable time.
    const stamp = { seq: this.trace.length, at: this.#clock.now, step: this.path.length };
    this.trace.push(Object.assign(record, stamp));
  }
}
