/**
 * @module trace: a run of charts as plain records, in the order of cause and effect.
 *
 * Built on `@xstate.microstep`: XState sends `@xstate.snapshot` after everything that the step set
 * off, so a parent would be seen to react before its child has moved. Actors are named by their
 * path (`w1/writeFile/servermapUpdate/query:s3`), never by XState's session ids, so two recordings
 * of one run are equal byte for byte. Records are JSON and hold no secret and no byte of a share: a
 * version is told by its seqnum and the beginning of its root hash.
 */
import type {
  AnyActor,
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  InspectionEvent,
} from 'xstate';
import { blockReadSummary } from '../../machines/block-read.machine.ts';
import { downloadFileSummary } from '../../machines/download-file.machine.ts';
import { publishSummary } from '../../machines/publish.machine.ts';
import { readFileSummary } from '../../machines/read-file.machine.ts';
import { readVersionSummary } from '../../machines/read-version.machine.ts';
import { reasonOf } from '../../machines/reason.ts';
import { repairFileSummary } from '../../machines/repair-file.machine.ts';
import { retrieveSummary } from '../../machines/retrieve.machine.ts';
import { serverQuerySummary } from '../../machines/server-query.machine.ts';
import type { Verdict } from '../../machines/servermap.ts';
import { servermapUpdateSummary } from '../../machines/servermap-update.machine.ts';
import { shareWriteSummary } from '../../machines/share-write.machine.ts';
import { verifyFileSummary } from '../../machines/verify-file.machine.ts';
import { verifyImmutableSummary } from '../../machines/verify-immutable.machine.ts';
import { writeFileSummary } from '../../machines/write-file.machine.ts';
import { redacted, withoutSecrets } from '../redacted.ts';
import { stateText } from './state-text.ts';

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** One transition that a step took; `index` counts the guarded alternatives of one event. */
export interface TakenTransition {
  /** State it leaves, `collecting.awaiting`; '' is the root. */
  readonly source: string;
  /** '' for an eventless one. */
  readonly event: string;
  /** Which of the guarded alternatives, from 0. */
  readonly index: number;
  /** Null: it stays where it is. */
  readonly target: string | null;
}

/** What `createRecorder` writes. */
export type ChartRecord =
  /** A chart begins; `chart` is the machine's id. IO actors are not recorded. */
  | {
      readonly kind: 'actor';
      readonly actor: string;
      readonly chart: string;
      readonly parent: string | null;
      /** What it was given; null for one of many, which stands for a server or a share. */
      readonly input: Json;
    }
  /** An event comes to a chart. `source` is null when the caller sent it. */
  | {
      readonly kind: 'event';
      readonly actor: string;
      readonly source: string | null;
      readonly type: string;
      readonly data: Json;
    }
  /** One microstep; none of `transitions` means that the event was ignored. */
  | {
      readonly kind: 'step';
      readonly actor: string;
      readonly chart: string;
      readonly event: string;
      /** `collecting.awaiting`; every region of parallel states: `up.idle & down.busy`. */
      readonly state: string;
      readonly transitions: readonly TakenTransition[];
      readonly context: Json;
    }
  /** A chart is over: `done` with its output, or it was stopped by its parent. */
  | {
      readonly kind: 'end';
      readonly actor: string;
      readonly chart: string;
      readonly status: 'done' | 'stopped' | 'error';
      readonly output: Json;
    };

export interface RecorderOptions {
  readonly write: (record: ChartRecord) => void;
  /** In front of every actor's path: whose operation it is. Asked when a root actor begins. */
  readonly prefix?: (() => string) | undefined;
  /** What a root is called that nothing is in front of: `checkout~2`. As it is by default. */
  readonly nameOfRoot?: ((id: string) => string) | undefined;
  /** What a chart is called; asked before the first record of an actor. Its id by default. */
  readonly nameOfChart?: ((machine: AnyStateMachine) => string) | undefined;
}

/** What to hand to XState (or `Grid`) as `inspect`. One recorder may see many runs. */
export function createRecorder(options: RecorderOptions): (event: InspectionEvent) => void {
  const { write, nameOfChart = ({ id }) => id } = options;
  const names = new ActorNames(options);
  const stepped = new WeakSet<object>();

  const step = (ref: AnyActorRef, snapshot: AnyMachineSnapshot, event: string, taken: Taken) => {
    stepped.add(ref);
    const chart = nameOfChart(snapshot.machine as AnyStateMachine);
    const state = stateText(snapshot.value);
    const transitions = taken.map(transitionOf);
    const context = summarise(chart, snapshot.context);
    write({ kind: 'step', actor: names.of(ref), chart, event, state, transitions, context });
  };

  const end = (ref: AnyActorRef, snapshot: AnyMachineSnapshot) => {
    const { status, output, error } = snapshot;
    if (status === 'active') return;
    const chart = nameOfChart(snapshot.machine as AnyStateMachine);
    const given = { done: output, error, stopped: null }[status];
    write({ kind: 'end', actor: names.of(ref), chart, status, output: toJson(given) });
  };

  const arrival = (ref: AnyActorRef, { event, sourceRef }: InspectedEventEvent) => {
    const { type, ...data } = event;
    if (type === 'xstate.stop') return;
    if (type === 'xstate.init') {
      // The first state of an actor that has not taken a step yet.
      if (!stepped.has(ref)) step(ref, ref.getSnapshot() as AnyMachineSnapshot, type, []);
      return;
    }
    const source = sourceRef === undefined ? null : names.of(sourceRef as AnyActorRef);
    write({ kind: 'event', actor: names.of(ref), source, type, data: toJson(data) });
  };

  return (event) => {
    const ref = event.actorRef as AnyActorRef;
    const actor = names.of(ref);
    const machine = machineOf(ref);
    if (machine === undefined) return;
    if (event.type === '@xstate.actor') {
      const parent = ref._parent === undefined ? null : names.of(ref._parent);
      // The input of an actor for one server or share is not recorded: its parent's events tell it.
      const input = ref.id.includes(':') ? null : toJson((ref as AnyActor).options.input);
      write({ kind: 'actor', actor, chart: nameOfChart(machine), parent, input });
    } else if (event.type === '@xstate.event') {
      arrival(ref, event);
    } else if (event.type === '@xstate.microstep') {
      const snapshot = event.snapshot as AnyMachineSnapshot;
      const { type } = event.event;
      if (type !== 'xstate.stop') step(ref, snapshot, type, event._transitions);
      end(ref, snapshot);
    }
  };
}

/** The paths of actors; the second of one name in one place is called `name~2`. */
class ActorNames {
  readonly #prefix: RecorderOptions['prefix'];
  readonly #nameOfRoot: RecorderOptions['nameOfRoot'];
  readonly #paths = new WeakMap<object, string>();
  /** Names in use, by parent: they are forgotten with the parent. */
  readonly #used = new WeakMap<object, Map<string, number>>();

  constructor({ prefix, nameOfRoot }: RecorderOptions) {
    this.#prefix = prefix;
    this.#nameOfRoot = nameOfRoot;
  }

  of(ref: AnyActorRef): string {
    const known = this.#paths.get(ref);
    if (known !== undefined) return known;
    const path = this.#newName(ref);
    this.#paths.set(ref, path);
    return path;
  }

  #newName(ref: AnyActorRef): string {
    const parent = ref._parent === undefined ? this.#prefix?.() : this.of(ref._parent);
    if (parent === undefined && this.#nameOfRoot) {
      // XState numbers a root that nobody has named: `x:0`. Its machine has a name.
      const isUnnamed = ref.id === ref.sessionId;
      return this.#nameOfRoot((isUnnamed && machineOf(ref)?.id) || ref.id);
    }
    const plain = parent === undefined ? ref.id : `${parent}/${ref.id}`;
    const siblings = ref._parent ?? this;
    const used = this.#used.get(siblings) ?? new Map<string, number>();
    this.#used.set(siblings, used);
    const count = (used.get(plain) ?? 0) + 1;
    used.set(plain, count);
    return count === 1 ? plain : `${plain}~${count}`;
  }
}

function machineOf(ref: AnyActorRef): AnyStateMachine | undefined {
  const { logic } = ref as unknown as { logic: Partial<AnyStateMachine> };
  return logic.root === undefined ? undefined : (logic as AnyStateMachine);
}

type InspectedEventEvent = Extract<InspectionEvent, { type: '@xstate.event' }>;
type Taken = readonly Transition[];

interface Transition {
  readonly source: AnyStateNode;
  readonly eventType: string;
  readonly target?: readonly AnyStateNode[] | undefined;
}

function transitionOf(transition: Transition): TakenTransition {
  const { source, eventType, target } = transition;
  const alternatives = eventType === '' ? source.always : source.transitions.get(eventType);
  return {
    source: pathOf(source),
    event: eventType,
    index: (alternatives as readonly unknown[] | undefined)?.indexOf(transition) ?? -1,
    target: target?.[0] === undefined ? null : pathOf(target[0]),
  };
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

// --- what a context tells -----------------------------------------------------------------------

/** What each chart shows, a few words: a whole context per step would be quadratic. */
const summaries = {
  readFile: readFileSummary,
  downloadFile: downloadFileSummary,
  writeFile: writeFileSummary,
  verifyFile: verifyFileSummary,
  verifyImmutable: verifyImmutableSummary,
  repairFile: repairFileSummary,
  readVersion: readVersionSummary,
  servermapUpdate: servermapUpdateSummary,
  publish: publishSummary,
  retrieve: retrieveSummary,
  serverQuery: (context: Parameters<typeof serverQuerySummary>[0]) => {
    const { judged, ...rest } = serverQuerySummary(context);
    const words = Object.entries(judged).map(
      ([shnum, verdict]) => [shnum, wordOf(verdict)] as const,
    );
    return { ...rest, judged: Object.fromEntries(words) };
  },
  shareWrite: shareWriteSummary,
  blockRead: blockReadSummary,
};

/** What the steps of each chart tell in a trace: `summaryOf` finds it in a record. */
export type Summaries = {
  [Chart in keyof typeof summaries]: ReturnType<(typeof summaries)[Chart]>;
};

function summarise(chart: string, context: unknown): Json {
  const summary = (summaries as Readonly<Record<string, ((context: never) => object) | undefined>>)[
    chart
  ];
  return toJson(summary === undefined ? context : summary(context as never));
}

function wordOf(verdict: Verdict): string {
  if (verdict.kind === 'good') return `good ${versionName(verdict.version)}`;
  return `${verdict.kind}: ${wordsOf(verdict.reason)}`;
}

// --- to JSON, without secrets -------------------------------------------------------------------

/** Bytes in hex that begin with a format byte, a seqnum and a root hash. */
const versionHex = /^0[01][0-9a-f]{80,}$/;
const longHex = /^[0-9a-f]{32,}$/;

/**
 * `v2-1a2b3c4d`: the seqnum and the beginning of the root hash in a signed prefix or a checkstring
 * (hex).
 */
export function versionName(hex: string): string {
  if (!versionHex.test(hex)) return hex.length === 0 ? 'nothing' : `bytes ${hex.slice(0, 8)}`;
  return `v${Number.parseInt(hex.slice(2, 18), 16)}-${hex.slice(18, 26)}`;
}

const unrecorded = new Set(['parent', 'deadlines', 'self']);
/** What a property is that was assigned. */
const ordinary = { configurable: true, enumerable: true, writable: true };

/** The fields that hold what somebody else says of a failure. */
const fieldsOfWords = new Set(['advice', 'detail', 'error', 'message', 'problem', 'reason']);

/** Why something failed, without caps, keys and long bytes, whatever was thrown. */
export function wordsOf(problem: unknown): string {
  return withoutSecrets(reasonOf(problem));
}

/** JSON of `value`: versions by name, no long bytes, no caps, no actors. It never throws. */
export function toJson(value: unknown): Json {
  try {
    return jsonOf(value, []);
  } catch (error) {
    // A getter that throws, in somebody else's context.
    return `not to be told: ${wordsOf(error)}`;
  }
}

/** @param around what it is in */
function jsonOf(value: unknown, around: object[]): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Error) return { error: value.name, message: wordsOf(value) };
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value !== 'object') return String(typeof value);
  if (around.includes(value)) return 'what it is in';
  around.push(value);
  const json = Array.isArray(value)
    ? value.map((item) => jsonOf(item, around))
    : fieldsOf(value, around);
  around.pop();
  return json;
}

/** Of an object that is no record, an actor or a date say, its class is told. */
function fieldsOf(value: object, around: object[]): Json {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return String(value.constructor?.name);
  }
  const json: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const field = (value as Readonly<Record<string, unknown>>)[key];
    if (field === undefined || unrecorded.has(key)) continue;
    const name = textOf(key);
    const isWords = typeof field === 'string' && fieldsOfWords.has(key);
    const told = isWords ? withoutSecrets(field) : jsonOf(field, around);
    if (name !== '__proto__') json[name] = told;
    // By assignment that is something else.
    else Object.defineProperty(json, name, { ...ordinary, value: told });
  }
  return json;
}

function textOf(text: string): string {
  if (text.length < 32) return text;
  if (versionHex.test(text)) return versionName(text);
  return longHex.test(text) ? `${text.slice(0, 8)}…` : redacted(text);
}
