/**
 * @module world: the real engine on a simulated grid, where nothing happens but what is chosen.
 *
 *     const world = await World.create({
 *       servers: [{ shares: [0] }, { shares: [1] }, {}, {}, { shares: [2] }],
 *       encoding: { required: 2, happy: 3, total: 3 },
 *       operations: [{ name: 'w1', task: { kind: 'overwrite' }, rule: 'ticket' }],
 *     });
 *     world.choices                       // [{ kind: 'start', label: 'start w1' }]
 *     await world.choose('start w1');     // by label, by index or by the choice itself
 *     world.choices                       // deliver w1 s0 list, deliver w1 s1 list, … advance
 *     await world.choose(0);
 *     world.path                          // [0, 0]: the whole run
 *     const again = await World.replay(options, world.path);   // the same trace, byte for byte
 *     await runToEnd(world);              // whatever is left, oldest message first
 *     world.trace                         // every record so far (TraceRecord: JSON)
 *
 * `choose` returns when nothing moves any more: all promises are settled, cryptography included.
 * Servers are called s0, s1… in the permuted order of the file. The storage servers, the share
 * bytes, the signatures and the charts are the real ones; the network, the clock, the disks' faults
 * and the random numbers are the world's. No world may hold a file of more than 8 segments (the
 * encoder yields to a real timer there).
 */
import { primitives } from '#crypto';
import { equalBytes, utf8 } from '../bytes.ts';
import { type Format, readkeyOf, storageIndexOf, writeCapOf } from '../caps.ts';
import type { Encoding } from '../encoding.ts';
import { BadWriteEnablerError, ServerUnavailableError } from '../errors.ts';
import { Grid } from '../grid.ts';
import { permutedServers } from '../permute.ts';
import { defaultDeadlines } from '../runtime/run.ts';
import { type ChartRecord, createRecorder, type Json, toJson } from '../runtime/trace.ts';
import { MemoryServer } from '../storage/memory.ts';
import type { ServerId } from '../storage/server.ts';
import { VirtualClock } from './clock.ts';
import { contentsOf } from './contents.ts';
import {
  describeShare,
  headerIn,
  plant,
  type RotField,
  rot,
  rotFields,
  type SimulatedFile,
  sharesOf,
} from './disk.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { type Answer, type Envelope, type Message, Network, RemoteServer } from './network.ts';
import { type OperationSpec, perform, type Result, type RunContext } from './operations.ts';
import { moving, settle } from './platform.ts';
import { Prng } from './prng.ts';
import { testKey } from './test-key.ts';

/** A share on a server at the beginning. */
export interface ShareSpec {
  readonly shnum: number;
  /** 1 by default. */
  readonly seqnum?: number | undefined;
  /** Tells versions of one seqnum apart; 0 by default. */
  readonly series?: number | undefined;
  readonly rot?: RotField | undefined;
  /** Created by somebody with another write enabler. */
  readonly isForeign?: boolean | undefined;
}

export interface ServerSpec {
  /** A number is share `n` of the first version. */
  readonly shares?: readonly (number | ShareSpec)[];
  /** Unknown to operations until it joins. */
  readonly joinsLater?: boolean | undefined;
}

/** A world is its options and its list of choices. */
export interface WorldOptions {
  /** For jitter and salts. */
  readonly seed?: number | undefined;
  /** `sdmf` by default. */
  readonly format?: Format | undefined;
  /** 2 (3) of 3 by default. */
  readonly encoding?: Encoding | undefined;
  /** k and N of the planted versions, where they are not the clients'. */
  readonly fileEncoding?: Pick<Encoding, 'required' | 'total'> | undefined;
  /** In the permuted order of the file. */
  readonly servers: readonly ServerSpec[];
  /** Bytes of the planted versions. Their words are `v1`, `v2`… */
  readonly size?: number | undefined;
  /** They begin when `start` is chosen. */
  readonly operations: readonly OperationSpec[];
  /** Kinds of fault among the choices; all by default. */
  readonly faults?: readonly FaultKind[] | undefined;
  /** Bytes of a share that are read first; 4000 by default, 123 make a message of every field. */
  readonly headLength?: number | undefined;
  /** Answers come even to those who no longer wait for them. */
  readonly isDeaf?: boolean | undefined;
}

/** Something that can happen next. */
export interface Choice {
  readonly kind: 'start' | 'deliver' | 'advance' | FaultKind;
  /** Unique among the choices of one moment; what a scenario writes. */
  readonly label: string;
  readonly operation?: string;
  readonly server?: ServerId;
  readonly shnum?: number;
  /** The id of a message in flight. */
  readonly message?: string;
  /** Of `rot`. */
  readonly field?: RotField;
  /** Of `copy` and `move`. */
  readonly to?: ServerId;
}

/** What the world itself records, beside what the charts do. */
export type WorldRecord =
  | { readonly kind: 'header'; readonly format: 'tahoe-mutable-trace 1'; readonly about: Json }
  | {
      readonly kind: 'choice';
      readonly step: number;
      readonly index: number;
      readonly label: string;
    }
  | {
      readonly kind: 'operation';
      readonly operation: string;
      readonly event: 'started' | 'ended' | 'killed' | 'cancelled';
      readonly spec: Json;
      readonly result: Result | null;
    }
  | {
      readonly kind: 'message';
      /** `lost` says that the caller heard of it, `dropped` that nobody did. */
      readonly event:
        | 'sent'
        | 'arrived'
        | 'delivered'
        | 'dropped'
        | 'lost'
        | 'refused'
        | 'abandoned'
        | 'delayed';
      readonly id: string | null;
      readonly operation: string;
      readonly server: ServerId;
      readonly what: string;
      readonly phase: Message['phase'];
      readonly detail: Json;
    }
  /** What a server holds in a slot has changed. Null: no share. */
  | {
      readonly kind: 'slot';
      readonly server: ServerId;
      readonly shnum: number;
      readonly before: string | null;
      readonly after: string | null;
      /** Whose write it was; null: the disk's doing. */
      readonly operation: string | null;
    }
  | { readonly kind: 'server'; readonly server: ServerId; readonly event: FaultKind }
  /** An operation tells a server that a share is corrupt. */
  | {
      readonly kind: 'advice';
      readonly operation: string;
      readonly server: ServerId;
      readonly shnum: number;
      readonly reason: string;
    }
  /** What a writer saw, and what the version that it writes next is to hold. */
  | {
      readonly kind: 'contents';
      readonly operation: string;
      readonly seen: readonly string[] | null;
      readonly made: readonly string[];
    }
  | { readonly kind: 'clock'; readonly now: number };

/** `seq` counts records from 0; `at` is in milliseconds of the world's clock; `step` counts choices. */
export type TraceRecord = (ChartRecord | WorldRecord) & {
  readonly seq: number;
  readonly at: number;
  readonly step: number;
};

/** A server as a visitor sees it. */
export interface ServerView {
  readonly id: ServerId;
  readonly isUp: boolean;
  readonly isKnown: boolean;
  readonly isPartitioned: boolean;
  readonly isMute: boolean;
  /** Per share number: `v1-1a2b3c4d`, `… damaged`, `unreadable`. */
  readonly shares: Readonly<Record<number, string>>;
}

export interface OperationView {
  readonly spec: OperationSpec;
  readonly status: 'waiting' | 'running' | 'ended' | 'killed';
  readonly result: Result | undefined;
}

interface Operation {
  readonly spec: OperationSpec;
  /** Its last chart has ended; only its caller does not know yet. */
  isOver: boolean;
  status: OperationView['status'];
  result: Result | undefined;
  readonly controller: AbortController;
}

interface Server {
  readonly id: ServerId;
  readonly store: MemoryServer;
  isUp: boolean;
  isKnown: boolean;
  isPartitioned: boolean;
  isMute: boolean;
  readonly shares: Map<number, string>;
  /** What a slot held before its changes, the last one last. */
  readonly history: { readonly shnum: number; readonly bytes: Uint8Array | undefined }[];
}

interface Client {
  /** Operations under way. Writes of one file take turns, so the first that is not over works. */
  readonly running: string[];
  readonly context: Omit<RunContext, 'signal' | 'onContents'>;
}

const hourMs = 3_600_000;

export class World {
  readonly options: WorldOptions;
  readonly encoding: Encoding;
  readonly trace: TraceRecord[] = [];
  /** The indices of the choices so far. */
  readonly path: number[] = [];
  /** The labels of the choices so far. */
  readonly labels: string[] = [];

  readonly #file: SimulatedFile;
  readonly #prng: Prng;
  readonly #clock = new VirtualClock();
  readonly #servers: readonly Server[];
  readonly #operations: readonly Operation[];
  readonly #clients = new Map<string, Client>();
  readonly #cuts = new Set<string>();
  readonly #network: Network;
  readonly #kinds: ReadonlySet<FaultKind>;
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
    this.#servers = makeServers(options, file, () => this.#clock.now / 1000);
    this.#operations = options.operations.map((spec) => ({
      spec,
      isOver: false,
      status: 'waiting',
      result: undefined,
      controller: new AbortController(),
    }));
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
      isDown: (server) => !this.#server(server).isUp,
      isDead: (operation) => this.#operation(operation).status === 'killed',
      isDeaf: options.isDeaf ?? false,
    });
  }

  /** A world at its beginning: nothing has started. */
  static async create(options: WorldOptions): Promise<World> {
    const { format = 'sdmf' } = options;
    const signing = await primitives.importSigningKey(testKey());
    const cap = writeCapOf(signing, format);
    const storageIndex = storageIndexOf(cap);
    const world = new World(options, { cap, storageIndex, signing, readkey: readkeyOf(cap) });
    await moving(
      (length) => world.#prng.bytes(length),
      () => world.#plant(),
    );
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

  get messages(): readonly Message[] {
    return this.#network.inFlight;
  }

  get servers(): readonly ServerView[] {
    return this.#servers.map(({ id, isUp, isKnown, isPartitioned, isMute, shares }) => {
      const view = { id, isUp, isKnown, isPartitioned, isMute };
      return { ...view, shares: Object.fromEntries(shares) };
    });
  }

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

  /** What can happen next, in an order that depends on the past only; faults come last. */
  get choices(): readonly Choice[] {
    this.#choices ??= [...this.plainChoices, ...faultKinds.flatMap((kind) => this.faultsOf(kind))];
    return this.#choices;
  }

  /** The beginning of {@link choices}: what can happen without a fault. */
  get plainChoices(): readonly Choice[] {
    this.#plain ??= this.#listPlain();
    return this.#plain;
  }

  /** The choices of one kind of fault; none when this world does not have it. */
  faultsOf(kind: FaultKind): readonly Choice[] {
    return this.#kinds.has(kind) ? this.#faultsOf(kind) : [];
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
    await moving(
      (length) => this.#prng.bytes(length),
      async () => {
        await this.#perform(chosen);
        await settle();
      },
    );
    this.#choices = undefined;
    this.#plain = undefined;
    return this.trace.slice(start);
  }

  /** What a server holds of the file, as bytes; for properties and tests. */
  shareBytes(server: ServerId, shnum: number): Uint8Array | undefined {
    return this.#server(server).store.shareBytes(this.#file.storageIndex, shnum);
  }

  // --- choosing -------------------------------------------------------------------------------

  #listPlain(): readonly Choice[] {
    const choices: Choice[] = [];
    for (const { spec, status } of this.#operations) {
      const { name: operation } = spec;
      if (status === 'waiting') {
        choices.push({ kind: 'start', label: `start ${operation}`, operation });
      }
    }
    for (const message of this.#network.inFlight) {
      if (this.#canArrive(message)) choices.push(this.#about('deliver', message));
    }
    if (this.#clock.nextDue !== undefined) choices.push({ kind: 'advance', label: 'advance' });
    return choices;
  }

  #about(kind: Choice['kind'], { id, label, operation, server }: Message): Choice {
    return { kind, label: `${kind} ${label}`, operation, server, message: id };
  }

  #canArrive(message: Envelope): boolean {
    const server = this.#server(message.server);
    if (message.isDelayed || server.isPartitioned) return false;
    if (this.#cuts.has(`${message.operation} ${message.server}`)) return false;
    return !(server.isMute && message.phase === 'answer');
  }

  #faultsOf(kind: FaultKind): Choice[] {
    switch (kind) {
      case 'arrive':
        return this.#ofMessages(kind, (m) => m.phase === 'request' && this.#canArrive(m));
      case 'drop':
      case 'reset':
        return this.#ofMessages(kind, () => true);
      case 'delay':
        return this.#ofMessages(kind, (m) => !m.isDelayed && this.#clock.nextDue !== undefined);
      case 'duplicate':
        return this.#ofMessages(kind, (m) => m.phase === 'request' && !m.label.includes('#'));
      case 'fail':
        return this.#ofMessages(kind, (m) => m.phase === 'request' && this.#canArrive(m));
      case 'deny':
        return this.#ofMessages(
          kind,
          (m) => m.call === 'write' && m.phase === 'request' && this.#canArrive(m),
        );
      case 'garble':
        return this.#ofMessages(kind, (m) => m.call === 'read' && this.#canArrive(m));
      case 'hide':
      case 'invent':
        return this.#ofMessages(kind, (m) => m.call === 'list' && this.#canArrive(m));
      case 'partition':
        return this.#ofServers(kind, (s) => s.isUp && !s.isPartitioned);
      case 'mute':
        return this.#ofServers(kind, (s) => s.isUp && !s.isMute && !s.isPartitioned);
      case 'crash':
        return this.#ofServers(kind, (s) => s.isUp);
      case 'restart':
        return this.#ofServers(kind, (s) => !s.isUp || s.isPartitioned || s.isMute);
      case 'rollback':
        return this.#ofServers(kind, (s) => !s.isUp && s.history.length > 0);
      case 'join':
        return this.#ofServers(kind, (s) => !s.isKnown);
      case 'leave':
        return this.#ofServers(kind, (s) => s.isKnown && this.#knownServers > 1);
      case 'cut':
        return this.#ofCuts();
      case 'stale':
        return this.#ofShares(kind, (s, shnum) => s.history.some((h) => h.shnum === shnum));
      case 'truncate':
      case 'delete':
      case 'newer':
      case 'alien':
        return this.#ofShares(kind, () => true);
      case 'rot':
        return this.#ofShares(kind, () => true).flatMap((choice) =>
          rotFields.map((field) => ({ ...choice, field, label: `${choice.label} ${field}` })),
        );
      case 'copy':
      case 'move':
        return this.#ofShares(kind, () => true).flatMap((choice) =>
          this.#servers
            .filter(({ shares }) => !shares.has(choice.shnum as number))
            .map(({ id: to }) => ({ ...choice, to, label: `${choice.label} ${to}` })),
        );
      case 'kill':
      case 'cancel':
        return this.#operations
          .filter(({ status }) => status === 'running')
          .map(({ spec: { name } }) => ({ kind, label: `${kind} ${name}`, operation: name }));
      case 'jump':
      case 'heal':
        return [{ kind, label: kind }];
    }
  }

  get #knownServers(): number {
    return this.#servers.filter(({ isKnown }) => isKnown).length;
  }

  #ofMessages(kind: FaultKind, isFit: (message: Envelope) => boolean): Choice[] {
    return this.#network.inFlight.filter(isFit).map((message) => this.#about(kind, message));
  }

  #ofServers(kind: FaultKind, isFit: (server: Server) => boolean): Choice[] {
    return this.#servers
      .filter(isFit)
      .map(({ id: server }) => ({ kind, label: `${kind} ${server}`, server }));
  }

  #ofShares(kind: FaultKind, isFit: (server: Server, shnum: number) => boolean): Choice[] {
    return this.#servers.flatMap((server) =>
      [...server.shares.keys()]
        .filter((shnum) => isFit(server, shnum))
        .map((shnum) => {
          const { id } = server;
          return { kind, label: `${kind} ${id} sh${shnum}`, server: id, shnum };
        }),
    );
  }

  #ofCuts(): Choice[] {
    return this.#operations.flatMap(({ spec: { name: operation }, status }) =>
      status !== 'running'
        ? []
        : this.#servers.map(({ id: server }) => {
            const verb = this.#cuts.has(`${operation} ${server}`) ? 'mend' : 'cut';
            return { kind: 'cut', label: `${verb} ${operation} ${server}`, operation, server };
          }),
    );
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
    for (const server of this.#servers) {
      server.isKnown = true;
      if (server.isUp && !server.isPartitioned && !server.isMute) continue;
      server.isUp = true;
      server.isPartitioned = false;
      server.isMute = false;
      this.#record({ kind: 'server', server: server.id, event: 'restart' });
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
    const servers = this.#servers
      .filter(({ isKnown }) => isKnown)
      .map(({ store }) => new RemoteServer(store, this.#network, owner));
    const grid = new Grid({
      servers,
      encoding: this.encoding,
      leaseSecret: new Uint8Array(32),
      deadlines: defaultDeadlines,
      clock: this.#clock.for(own),
      now: () => this.#clock.now,
      random: this.#prng.random,
      inspect: recorder,
      ...(this.options.headLength !== undefined && { headLength: this.options.headLength }),
    });
    const context = { grid, file: undefined, simulated: this.#file };
    const client: Client = { running: [], context };
    this.#clients.set(name ?? own, client);
    return client;
  }

  /** Whose last chart this was is over. */
  #noteEnd({ actor, chart }: Extract<ChartRecord, { kind: 'end' }>): void {
    const [name = '', , child] = actor.split('/');
    const operation = this.#operation(name);
    const last = operation.spec.task.kind === 'modify' ? 'modify' : 'publish';
    if (child === undefined && chart === last) operation.isOver = true;
  }

  async #advance(kind: 'advance' | 'jump'): Promise<void> {
    const { now, nextDue } = this.#clock;
    const time = kind === 'jump' ? now + hourMs : (nextDue as number);
    for (const message of this.#network.inFlight) message.isDelayed = false;
    const onTick = () => this.#record({ kind: 'clock', now: this.#clock.now });
    await this.#clock.advanceTo(time, settle, onTick);
  }

  #stop(kind: 'kill' | 'cancel', name: string): void {
    const operation = this.#operation(name);
    this.#operationRecord(operation, kind === 'kill' ? 'killed' : 'cancelled');
    if (kind === 'cancel') {
      operation.controller.abort(new DOMException('the caller lost interest', 'AbortError'));
      return;
    }
    operation.status = 'killed';
    this.#clock.forget(name);
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
        return this.#deliver(message);
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
      case 'deny':
        message.answer = { ok: false, error: new BadWriteEnablerError(message.server) };
        message.phase = 'answer';
        return this.#deliver(message);
      default:
        if (message.phase === 'request') await this.#arrive(message);
        message.answer = spoilt(kind, message.answer as Answer);
        message.spoiltBy = kind;
        return this.#deliver(message);
    }
  }

  #failure({ server }: Message, problem: string): Answer {
    return { ok: false, error: new ServerUnavailableError(server, problem) };
  }

  /** The request takes effect. */
  async #arrive(message: Envelope): Promise<void> {
    const server = this.#server(message.server);
    const before = message.call === 'write' ? this.#bytesOf(server) : new Map();
    message.answer = await message.execute().then(
      (value): Answer => ({ ok: true, value }),
      (error): Answer => ({ ok: false, error }),
    );
    message.phase = 'answer';
    this.#note(message, 'arrived', describeAnswer(message));
    if (message.call === 'write') await this.#compare(server, before, message.operation);
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
    const server = this.#server(id as ServerId);
    this.#record({ kind: 'server', server: server.id, event: kind as FaultKind });
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
        const last = kind === 'rollback' ? server.history.pop() : undefined;
        if (last !== undefined) await this.#put(server, last.shnum, last.bytes);
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

  /** Does something to one share on a disk. */
  async #spoil({ kind, server: id, shnum: number, field, to }: Choice): Promise<void> {
    const server = this.#server(id as ServerId);
    const shnum = number as number;
    const bytes = this.shareBytes(server.id, shnum) as Uint8Array;
    this.#record({ kind: 'server', server: server.id, event: kind as FaultKind });
    switch (kind) {
      case 'rot': {
        const before = this.#bytesOf(server);
        rot(this.#file, server.store, shnum, field as RotField);
        return this.#compare(server, before, null);
      }
      case 'truncate':
        return this.#put(server, shnum, bytes.subarray(0, Math.floor(bytes.length / 2)));
      case 'delete':
        return this.#put(server, shnum, undefined);
      case 'stale': {
        const earlier = server.history.findLast((h) => h.shnum === shnum);
        return this.#put(server, shnum, earlier?.bytes);
      }
      case 'alien':
        return this.#put(server, shnum, Uint8Array.of(2, ...bytes.subarray(1)));
      case 'newer':
        return this.#put(server, shnum, await this.#newerShare(shnum));
      case 'move':
        await this.#put(server, shnum, undefined);
    }
    if (to !== undefined) await this.#put(this.#server(to), shnum, bytes);
  }

  /** A share of a version above all that are there. */
  async #newerShare(shnum: number): Promise<Uint8Array> {
    const { required, total } = this.options.fileEncoding ?? this.encoding;
    const seqnums = this.#servers.flatMap(({ id, shares }) =>
      [...shares.keys()].map((n) => headerIn(this.shareBytes(id, n) as Uint8Array)?.seqnum ?? 0),
    );
    const spec = { seqnum: Math.max(0, ...seqnums) + 1, series: 7, required, total };
    const contents = contentsOf(['lost'], this.options.size);
    const made = sharesOf(this.#file, { ...spec, contents });
    await settle();
    return (await made)[shnum] as Uint8Array;
  }

  // --- the disks ------------------------------------------------------------------------------

  async #plant(): Promise<void> {
    const { happy } = this.encoding;
    const { required, total } = this.options.fileEncoding ?? this.encoding;
    const { size, seed = 0, format = 'sdmf', operations } = this.options;
    for (const [i, spec] of this.options.servers.entries()) {
      const server = this.#servers[i] as Server;
      for (const share of spec.shares ?? []) {
        const about = typeof share === 'number' ? { shnum: share } : share;
        const { shnum, seqnum = 1, series = 0, rot: field, isForeign = false } = about;
        const contents = contentsOf([`v${seqnum}`], size);
        const made = sharesOf(this.#file, { seqnum, series, required, total, contents });
        await settle();
        const enabler = isForeign ? ([new Uint8Array(32)] as const) : [];
        await plant(this.#file, server.store, shnum, (await made)[shnum] as Uint8Array, ...enabler);
        if (field !== undefined) rot(this.#file, server.store, shnum, field);
        const bytes = this.shareBytes(server.id, shnum) as Uint8Array;
        server.shares.set(shnum, await this.#describe(shnum, bytes));
      }
    }
    const servers = this.#servers.map(({ id, shares, isKnown }) => ({
      ...{ id, isKnown, shares: Object.fromEntries(shares) },
    }));
    const about = { seed, format, encoding: { required, happy, total }, servers, operations };
    this.#record({ kind: 'header', format: 'tahoe-mutable-trace 1', about: toJson(about) });
  }

  #bytesOf({ id, shares }: Server): ReadonlyMap<number, Uint8Array | undefined> {
    return new Map([...shares.keys()].map((shnum) => [shnum, this.shareBytes(id, shnum)]));
  }

  async #put(server: Server, shnum: number, bytes: Uint8Array | undefined): Promise<void> {
    const before = this.#bytesOf(server);
    if (bytes === undefined) server.store.deleteShare(this.#file.storageIndex, shnum);
    else await plant(this.#file, server.store, shnum, bytes);
    await this.#compare(server, before, null);
  }

  /** Records what has changed on a server. */
  async #compare(
    server: Server,
    before: ReadonlyMap<number, Uint8Array | undefined>,
    operation: string | null,
  ): Promise<void> {
    const held = server.store.sharesOf(this.#file.storageIndex);
    for (const shnum of new Set([...before.keys(), ...held])) {
      const old = before.get(shnum);
      const bytes = this.shareBytes(server.id, shnum);
      if (old === bytes || (old && bytes && equalBytes(old, bytes))) continue;
      const was = server.shares.get(shnum) ?? null;
      const is = bytes === undefined ? null : await this.#describe(shnum, bytes);
      if (is === null) server.shares.delete(shnum);
      else server.shares.set(shnum, is);
      server.history.push({ shnum, bytes: old });
      this.#record({ kind: 'slot', server: server.id, shnum, before: was, after: is, operation });
    }
  }

  async #describe(shnum: number, bytes: Uint8Array): Promise<string> {
    const description = describeShare(this.#file, shnum, bytes);
    await settle();
    return description;
  }

  // --- the record -----------------------------------------------------------------------------

  #server(id: ServerId): Server {
    const server = this.#servers.find((s) => s.id === id);
    if (server === undefined) throw new RangeError(`there is no server ${id}`);
    return server;
  }

  #operation(name: string): Operation {
    const operation = this.#operations.find(({ spec }) => spec.name === name);
    if (operation === undefined) throw new RangeError(`there is no operation ${name}`);
    return operation;
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
    const stamp = { seq: this.trace.length, at: this.#clock.now, step: this.path.length };
    this.trace.push({ ...stamp, ...record });
  }
}

/** s0, s1… with seeds that put them in this order for the file. */
function makeServers(
  { servers }: WorldOptions,
  { storageIndex }: SimulatedFile,
  now: () => number,
): readonly Server[] {
  const seeds = servers.map((_, i) => ({ id: `seed ${i}`, permutationSeed: utf8(`seed ${i}`) }));
  return permutedServers(seeds, storageIndex).map(({ permutationSeed }, i) => {
    const id = `s${i}`;
    return {
      id,
      store: new MemoryServer({ id, permutationSeed, now }),
      isUp: true,
      isKnown: !(servers[i]?.joinsLater ?? false),
      isPartitioned: false,
      isMute: false,
      shares: new Map(),
      history: [],
    };
  });
}

function describeAnswer({ call, answer, spoiltBy }: Envelope): Json {
  if (answer === undefined) return null;
  if (!answer.ok) return { error: (answer.error as Error).message };
  if (call === 'list') return { shnums: [...(answer.value as readonly number[])], spoiltBy };
  if (call === 'read') return { bytes: (answer.value as Uint8Array).length, spoiltBy };
  return { wrote: (answer.value as { wrote: boolean }).wrote };
}

/** An answer that was changed on its way. */
function spoilt(kind: FaultKind, answer: Answer): Answer {
  if (!answer.ok) return answer;
  if (kind === 'garble') {
    const bytes = (answer.value as Uint8Array).slice();
    const middle = Math.floor(bytes.length / 2);
    bytes.fill((bytes[middle] ?? 0) ^ 0xff, middle, middle + 1);
    return { ok: true, value: bytes };
  }
  const shnums = answer.value as readonly number[];
  if (kind === 'hide') return { ok: true, value: shnums.slice(1) };
  return { ok: true, value: [...shnums, (shnums.at(-1) ?? -1) + 1] };
}

/**
 * Goes on without further faults until nothing is left to happen: the oldest message first, and
 * time passes only when no message can arrive. Operations that have not started stay so.
 * @param isWanted which messages; all by default
 * @param isOver whether to stop before
 */
export async function runToEnd(
  world: World,
  isWanted: (message: Message) => boolean = () => true,
  isOver: (world: World) => boolean = () => false,
): Promise<readonly TraceRecord[]> {
  const start = world.trace.length;
  for (let steps = 0; steps < 10_000; steps++) {
    const next = isOver(world) ? undefined : nextToEnd(world, isWanted);
    if (next === undefined) return world.trace.slice(start);
    await world.choose(next);
  }
  throw new Error('the world does not come to rest');
}

/** What {@link runToEnd} would choose now. */
export function nextToEnd(
  world: World,
  isWanted: (message: Message) => boolean = () => true,
): Choice | undefined {
  const wanted = new Set(world.messages.filter(isWanted).map(({ id }) => id));
  const isNext = ({ kind, message }: Choice) => kind === 'deliver' && wanted.has(message as string);
  const isRunning = world.operations.some(({ status }) => status === 'running');
  const advance = () => world.plainChoices.find(({ kind }) => kind === 'advance');
  return world.plainChoices.find(isNext) ?? (isRunning ? advance() : undefined);
}
