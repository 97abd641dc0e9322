/**
 * @module facts: what a trace says so far, for properties to look at. A fold over records and
 * nothing else, so a saved trace is judged like a live one.
 */
import type { Deadlines } from '../../machines/io.ts';
import type { PublishInput } from '../../machines/publish.machine.ts';
import type { PublishReport } from '../../machines/publish-kernel.ts';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import type { ServerReport } from '../../machines/update-kernel.ts';
import type { Encoding } from '../encoding.ts';
import { defaultDeadlines } from '../runtime/run.ts';
import type { OperationAbout, RunResult } from '../runtime/run-records.ts';
import type { ChartRecord, Json } from '../runtime/trace.ts';
import { effectOf, wordsAfter } from './effects.ts';
import type { OperationResult, OperationSpec, Task } from './operations.ts';
import type { TraceRecord } from './world-types.ts';

// As records have them, with versions by their names.
export type MapFact = Servermap;
export type HoldingFact = Holding;
export type ReportFact = ServerReport;
export type PublishInputFact = Omit<PublishInput, 'deadlines'>;
export type PublishOutputFact = PublishReport;

/** What a server showed in a place, and whether its signature was seen. */
export interface TellingFact {
  readonly place: string;
  readonly version: string;
  readonly isProven: boolean;
}

/** One chart at work. */
export interface ActorFact {
  readonly path: string;
  readonly chart: string;
  readonly operation: string;
  readonly parent: string | null;
  readonly input: Json;
  readonly startedAt: number;
  readonly startedSeq: number;
  /** What it has begun, in that order. A long trace has too many actors to look through for them. */
  readonly children: ActorFact[];
  state: string;
  /** When it came into its state. */
  since: number;
  context: Json;
  status: 'active' | 'done' | 'stopped' | 'error';
  output: Json;
  /** Of a write: whether the server said that it has written. */
  hasWritten: boolean;
  /** Of a publish: which versions its servers told of, in which places. */
  readonly told: TellingFact[];
  /** Of a servermap update: what its children reported, and what servers answered. */
  readonly reports: Map<string, ReportFact>;
  readonly answers: Map<string, readonly number[]>;
}

export interface OperationFact {
  readonly spec: OperationSpec;
  readonly startedAt: number;
  readonly startedSeq: number;
  endedSeq: number | undefined;
  status: 'running' | 'ended' | 'killed';
  result: OperationResult | RunResult | null;
  /** Its charts but those of single servers and shares, in the order of their beginning. */
  readonly charts: ActorFact[];
  /** Servers with which anything went wrong while it ran. */
  readonly troubled: Set<string>;
  /** Servers of which it was given an answer that was changed on its way. */
  readonly lied: Set<string>;
  /** Those of them that said that they had written, and had not. */
  readonly feigned: Set<string>;
  /** Shares (`s0:1`) whose bytes were wrong at any time while it ran. */
  readonly damaged: Set<string>;
  /** Shares that changed while it ran, by somebody else's doing. */
  readonly changed: Set<string>;
  /** What its modifier was given, attempt by attempt, and what its next version is to hold. */
  readonly attempts: AttemptFact[];
}

export interface AttemptFact {
  readonly seen: readonly string[] | null;
  readonly made: readonly string[];
  /** The version that was read for it. */
  readonly base: string | undefined;
  /** The version that came of it, once it has a name. */
  version: string | undefined;
}

export interface RunFacts {
  /** Of one file in a real run: what a world would have recorded beside is not known. */
  readonly isReal: boolean;
  readonly deadlines: Deadlines;
  readonly encoding: Encoding;
  /** d: how many servers may lose what they hold. */
  readonly losable: number;
  readonly operations: Map<string, OperationFact>;
  readonly actors: Map<string, ActorFact>;
  /** Those of them that go on. */
  readonly active: Set<ActorFact>;
  /** Of all publishes: the most servers, the smallest quorum, and whether one was by `force`. */
  readonly quorums: { servers: number; size: number; isForced: boolean };
  /** `s0:1` -> what it holds. */
  readonly places: Map<string, string>;
  readonly initialPlaces: ReadonlyMap<string, string>;
  readonly servers: readonly string[];
  readonly down: Set<string>;
  /** Partitioned, mute, or cut off from somebody. */
  readonly unreachable: Set<string>;
  /** Servers whose disk did something to a share. */
  readonly spoilt: Set<string>;
  /** Those whose disk has lost a share, or brought back what was there before. */
  readonly forgetful: Set<string>;
  /** `s0:1` -> the field that rots there, until the share is written again. */
  readonly rotten: Map<string, string>;
  /** Places where a field was rotten that readers do not need. */
  readonly keyless: Set<string>;
  /** The field that rots in the share that a disk puts somewhere else next. */
  onItsWay: string | undefined;
  /** Version -> words, as far as known. */
  readonly contents: Map<string, readonly string[]>;
  /** Versions that writers have made and put into places, by the writer. */
  readonly writtenBy: Map<string, string>;
  /** Where a version has ever been put. */
  readonly landed: Map<string, Set<string>>;
  /** Where a disk has put a share of a version, right or damaged. */
  readonly copies: Map<string, Set<string>>;
  /** Writes that somebody had given up on. They may arrive all the same. */
  lateWrites: number;
  /** Versions that a quorum holds: whose they are, and the record that says so. */
  readonly acknowledged: Map<string, { readonly writer: string; readonly seq: number }>;
  /** Those that servers have shown, and that writers were acknowledged for. */
  readonly versions: Map<string, Version>;
  /** The same by their tags, by which their children name them. */
  readonly tagged: Map<string, Version>;
  /** Version -> what its writer built it on; null: nothing. */
  readonly bases: Map<string, string | null>;
  now: number;
}

export function placeName(server: string, shnum: number): string {
  return `${server}:${shnum}`;
}

/**
 * Whether nothing moves when this record comes: all that the one before has set off is over. What
 * comes to a chart from outside (an answer, a deadline, the caller) finds all charts at rest.
 */
export function isAtRest(record: TraceRecord, { isReal, actors }: RunFacts): boolean {
  if (!isReal) return record.kind === 'choice';
  if (record.kind !== 'event') return false;
  const { source, type } = record;
  return source === null || !actors.has(source) || type.startsWith('xstate.after');
}

/** `v2-1a2b3c4d` as its parts; nothing for what is no version. */
export function parseVersion(name: string): { seqnum: number; root: string } | undefined {
  const match = /^v(\d+)-([0-9a-f]{8})$/.exec(name);
  return match === null ? undefined : { seqnum: Number(match[1]), root: match[2] as string };
}

export function emptyFacts(): RunFacts {
  return {
    isReal: false,
    deadlines: defaultDeadlines,
    encoding: { required: 1, happy: 1, total: 1 },
    losable: 0,
    operations: new Map(),
    actors: new Map(),
    active: new Set(),
    quorums: { servers: 0, size: Number.POSITIVE_INFINITY, isForced: false },
    places: new Map(),
    initialPlaces: new Map(),
    servers: [],
    down: new Set(),
    unreachable: new Set(),
    spoilt: new Set(),
    forgetful: new Set(),
    rotten: new Map(),
    keyless: new Set(),
    onItsWay: undefined,
    contents: new Map(),
    writtenBy: new Map(),
    landed: new Map(),
    copies: new Map(),
    lateWrites: 0,
    acknowledged: new Map(),
    versions: new Map(),
    tagged: new Map(),
    bases: new Map(),
    now: 0,
  };
}

/** `facts` after `record`; the same object, changed, but for the header. */
export function learn(facts: RunFacts, record: TraceRecord): RunFacts {
  facts.now = record.at;
  const after = learnt(facts, record);
  if (/^(header|server|place)$/.test(record.kind)) noteKeyless(after);
  return after;
}

function noteKeyless({ rotten, keyless }: RunFacts): void {
  for (const [place, field] of rotten) {
    if (field === 'privkey' || field === 'offsets') keyless.add(place);
  }
}

function learnt(facts: RunFacts, record: TraceRecord): RunFacts {
  switch (record.kind) {
    case 'header':
      return fromHeader(record.about);
    case 'grid': {
      const { encoding, deadlines, servers } = record;
      return { ...facts, encoding, deadlines, servers: servers.map(({ id }) => id) };
    }
    case 'actor':
      learnOfActor(facts, record);
      break;
    case 'event':
    case 'step':
    case 'end':
      learnOfChart(facts, record);
      break;
    case 'operation':
      learnOfOperation(facts, record);
      break;
    case 'contents': {
      const operation = facts.operations.get(record.operation);
      const read = operation?.charts.findLast(({ chart }) => chart === 'retrieve')?.input;
      const { version: base } = (read ?? {}) as { version?: { id: string } };
      const { seen, made } = record;
      operation?.attempts.push({ seen, made, base: base?.id, version: undefined });
      break;
    }
    case 'message':
      learnOfMessage(facts, record);
      break;
    case 'place':
      learnOfPlace(facts, record);
      break;
    case 'server':
      learnOfServer(facts, record);
  }
  return facts;
}

function fromHeader(about: Json): RunFacts {
  if ((about as { run?: unknown }).run === 'real') return { ...emptyFacts(), isReal: true };
  const {
    encoding,
    losable = 0,
    servers,
  } = about as unknown as {
    encoding: Encoding;
    losable?: number;
    servers: readonly {
      id: string;
      shares: Record<string, string>;
      rotten?: Record<string, string>;
    }[];
  };
  const places = new Map<string, string>();
  for (const { id, shares } of servers) {
    for (const [shnum, held] of Object.entries(shares))
      places.set(placeName(id, Number(shnum)), held);
  }
  const facts: RunFacts = {
    ...emptyFacts(),
    encoding,
    losable,
    places,
    initialPlaces: new Map(places),
    servers: servers.map(({ id }) => id),
  };
  for (const { id, rotten = {} } of servers) {
    for (const [shnum, field] of Object.entries(rotten)) {
      facts.spoilt.add(id);
      facts.rotten.set(placeName(id, Number(shnum)), field);
    }
  }
  for (const [place, held] of places) {
    const name = held.replace(/ .*/, '');
    const version = parseVersion(name);
    if (version === undefined) continue;
    facts.contents.set(name, [`v${version.seqnum}`]);
    placesOf(facts.landed, name).add(place);
    // Planted damage and planted newer shares count as the disk's doing.
    if (held !== name) facts.spoilt.add(place.split(':')[0] as string);
  }
  return facts;
}

function placesOf(versions: Map<string, Set<string>>, version: string): Set<string> {
  const places = versions.get(version) ?? new Set();
  versions.set(version, places);
  return places;
}

function noteQuorum({ quorums }: RunFacts, { quorum, force }: PublishInputFact): void {
  quorums.servers = Math.max(quorums.servers, quorum.servers);
  quorums.size = Math.min(quorums.size, quorum.size);
  quorums.isForced ||= force;
}

function noteVersion({ versions, tagged }: RunFacts, name: string, version: Version): void {
  versions.set(name, version);
  if (!tagged.has(version.tag)) tagged.set(version.tag, version);
}

function learnOfActor(facts: RunFacts, record: TraceRecord & { kind: 'actor' }): void {
  const operation = record.actor.split('/')[0] as string;
  const actor: ActorFact = {
    path: record.actor,
    chart: record.chart,
    operation,
    parent: record.parent,
    input: record.input,
    startedAt: record.at,
    startedSeq: record.seq,
    children: [],
    state: '',
    since: record.at,
    context: null,
    status: 'active',
    output: null,
    hasWritten: false,
    told: [],
    reports: new Map(),
    answers: new Map(),
  };
  facts.actors.set(record.actor, actor);
  facts.actors.get(record.parent ?? '')?.children.push(actor);
  facts.active.add(actor);
  const charts = facts.operations.get(operation)?.charts;
  if (record.input === null || charts === undefined) return;
  charts.push(actor);
  if (record.chart === 'publish') noteQuorum(facts, record.input as unknown as PublishInputFact);
}

type OfChart = Exclude<ChartRecord['kind'], 'actor'>;

function learnOfChart(facts: RunFacts, record: TraceRecord & { kind: OfChart }): void {
  const actor = facts.actors.get(record.actor);
  if (actor === undefined) return;
  if (record.kind === 'step') {
    if (actor.state !== record.state) actor.since = record.at;
    actor.state = record.state;
    actor.context = record.context;
    if (record.chart === 'publish') learnOfPublish(facts, actor);
  } else if (record.kind === 'end') {
    actor.status = record.status;
    facts.active.delete(actor);
    actor.output = record.output;
    const { kind, version } = (record.output ?? {}) as Partial<PublishOutputFact>;
    if (record.chart === 'publish' && kind === 'published' && version) {
      facts.acknowledged.set(version.checkstring, { writer: actor.operation, seq: record.seq });
      noteVersion(facts, version.checkstring, version);
    }
  } else if (record.type === 'xstate.done.actor.writeShare') {
    const { output } = record.data as { output?: { wrote?: boolean } };
    actor.hasWritten = output?.wrote === true;
  } else if (record.type === 'write.settled') {
    actor.told.push(...toldBy(record.data));
  } else if (record.type === 'server.answered') {
    const { server, shnums } = record.data as unknown as { server: string; shnums: number[] };
    actor.answers.set(server, shnums);
  } else if (record.type === 'server.settled') {
    const { report } = record.data as unknown as { report: ReportFact };
    if (!actor.reports.has(report.server)) actor.reports.set(report.server, report);
    for (const version of report.versions) noteVersion(facts, version.id, version);
  }
}

/** What the server showed that a write was sent to. */
function toldBy(settled: Json): readonly TellingFact[] {
  const { report } = settled as unknown as {
    report: {
      server: string;
      seen: { shnum: number; checkstring: string }[];
      proven: { shnum: number }[];
    };
  };
  const isProven = (shnum: number) => report.proven.some((share) => share.shnum === shnum);
  return report.seen.map(({ shnum, checkstring: version }) => {
    return { place: placeName(report.server, shnum), version, isProven: isProven(shnum) };
  });
}

/** Once it is prepared, the version that a publish writes has a name, and so its contents do. */
function learnOfPublish(facts: RunFacts, { operation, context, input }: ActorFact): void {
  const { checkstring } = context as { checkstring: string | null };
  if (checkstring === null || facts.bases.has(checkstring)) return;
  const plan = input as unknown as PublishInputFact;
  const { base, isAgain } = plan;
  // It was made before, and of that all is known.
  if (isAgain) return;
  facts.bases.set(checkstring, base?.id ?? null);
  const { spec, attempts } = facts.operations.get(operation) as OperationFact;
  const attempt = attempts.at(-1);
  if (attempt !== undefined) attempt.version = checkstring;
  const told = isKept(plan) ? undefined : attempt?.made;
  const made = told ?? madeBlindly(spec, plan, facts);
  if (made !== undefined) facts.contents.set(checkstring, made);
}

/** What a writer makes that has not looked at the words of its base. */
function madeBlindly(
  { name, task }: OperationSpec,
  input: PublishInputFact,
  { contents }: RunFacts,
): readonly string[] | undefined {
  const { base: version } = input;
  const effect = isKept(input) ? 'keep' : effectOf(task);
  const base = version === null ? [] : contents.get(version.id);
  if (base === undefined || effect === 'none' || effect === 'unknown') return undefined;
  return wordsAfter(effect, name, base);
}

/** Whether a version holds what its base did: what was to be written is in that. */
export function isKept({ recipe }: PublishInputFact): boolean {
  return recipe.kind === 'whole' && recipe.parts.every(({ kind }) => kind === 'kept');
}

function learnOfOperation(facts: RunFacts, record: TraceRecord & { kind: 'operation' }): void {
  const { operation: name, event, spec, result } = record;
  if (event === 'started') {
    const unreachable = [...facts.down, ...facts.unreachable];
    facts.operations.set(name, {
      spec: facts.isReal ? specOf(name, spec) : (spec as unknown as OperationSpec),
      startedAt: record.at,
      startedSeq: record.seq,
      endedSeq: undefined,
      status: 'running',
      result: null,
      charts: [],
      troubled: new Set(unreachable),
      lied: new Set(),
      feigned: new Set(),
      damaged: new Set([...facts.places].filter(([, held]) => !parseVersion(held)).map(([s]) => s)),
      changed: new Set(),
      attempts: [],
    });
    return;
  }
  const operation = facts.operations.get(name);
  if (operation === undefined || event === 'cancelled') return;
  operation.status = event;
  operation.result = result;
  operation.endedSeq = record.seq;
  if (event === 'killed') {
    for (const actor of facts.active) {
      if (actor.operation !== name) continue;
      actor.status = 'stopped';
      facts.active.delete(actor);
    }
  }
}

/** Of a real operation; what it does to words is not known. */
function specOf(name: string, about: Json): OperationSpec {
  const { kind } = about as unknown as OperationAbout;
  return { name, task: { kind } as Task };
}

function learnOfMessage(facts: RunFacts, record: TraceRecord & { kind: 'message' }): void {
  const { operation: name, server, event, what, phase, detail } = record;
  const operation = facts.operations.get(name);
  if (operation === undefined) return;
  const answer = detail as { spoiltBy?: string; error?: string } | null;
  if (event === 'delivered' || event === 'arrived') {
    if (answer?.spoiltBy !== undefined || answer?.error !== undefined)
      operation.troubled.add(server);
    if (answer?.spoiltBy !== undefined) operation.lied.add(server);
    if (answer?.spoiltBy === 'feign') operation.feigned.add(server);
    const shnum = /sh(\d+)/.exec(what)?.[1];
    // What is said of a write is a claim: nobody need believe it.
    if (answer?.spoiltBy !== undefined && shnum !== undefined && !what.startsWith('write')) {
      operation.damaged.add(placeName(server, Number(shnum)));
    }
    if (event === 'arrived' && what.startsWith('write') && operation.status !== 'running') {
      facts.lateWrites++;
    }
    return;
  }
  if (event === 'abandoned' && phase === 'request' && what.startsWith('write')) facts.lateWrites++;
  if (event !== 'sent') operation.troubled.add(server);
}

function learnOfPlace(facts: RunFacts, record: TraceRecord & { kind: 'place' }): void {
  const { server, shnum, after, before, operation: writer } = record;
  const place = placeName(server, shnum);
  if (after === null) facts.places.delete(place);
  else facts.places.set(place, after);
  if (writer === null) {
    facts.spoilt.add(server);
    // Damage leaves to be seen what a share claims to be.
    if (after === null || parseVersion(after) !== undefined) facts.forgetful.add(server);
  }
  // A writer makes a share whole, and so does a disk that brings back what was readable; damage
  // that leaves the version readable does not.
  const wasReadable = before !== null && parseVersion(before) !== undefined;
  const isReadable = after === null || parseVersion(after) !== undefined;
  if (writer !== null || (isReadable && !wasReadable)) facts.rotten.delete(place);
  if (writer === null && after !== null && facts.onItsWay !== undefined) {
    facts.rotten.set(place, facts.onItsWay);
  }
  for (const [name, operation] of facts.operations) {
    if (operation.status !== 'running' || name === writer) continue;
    operation.changed.add(place);
    // What was damaged when it was read may be whole now, and disks may bring back what was there.
    if (
      writer === null ||
      (after !== null && !parseVersion(after)) ||
      (before !== null && !parseVersion(before))
    ) {
      operation.damaged.add(place);
    }
  }
  if (after === null) return;
  if (writer === null) placesOf(facts.copies, after.replace(/ .*/, '')).add(place);
  if (parseVersion(after) === undefined) return;
  // Placed again it is still the version of whoever made it.
  const isNew = !facts.landed.has(after);
  placesOf(facts.landed, after).add(place);
  if (writer === null) {
    const { seqnum = 0 } = parseVersion(after) ?? {};
    if (!facts.contents.has(after)) facts.contents.set(after, seqnum === 0 ? [] : ['lost']);
  } else if (isNew) {
    facts.writtenBy.set(after, writer);
  }
}

/** After a rollback: it is not said which share of the server is what it was before. */
function forgetRot({ rotten }: RunFacts, server: string): void {
  for (const place of rotten.keys()) if (place.startsWith(`${server}:`)) rotten.delete(place);
}

function learnOfServer(facts: RunFacts, record: TraceRecord & { kind: 'server' }): void {
  const { server, event, shnum, field } = record;
  const share = placeName(server, shnum ?? -1);
  // What comes to another place is as rotten there.
  const isCopied = event === 'copy' || event === 'move';
  facts.onItsWay = isCopied ? facts.rotten.get(share) : undefined;
  // The share has other bytes now than those that rotted.
  if (shnum !== null && event !== 'rot' && event !== 'copy') facts.rotten.delete(share);
  if (event === 'rollback') forgetRot(facts, server);
  if (event === 'rot' && field !== null) facts.rotten.set(share, field);
  if ((event === 'rot' && field === 'prefix') || event === 'alien') facts.forgetful.add(server);
  // The private key of SDMF is at the end.
  if (event === 'truncate') facts.rotten.set(share, 'privkey');
  // A share of an unknown format is as good as one with a rotten prefix.
  if (event === 'alien') facts.rotten.set(share, 'prefix');
  const trouble = () => {
    for (const operation of facts.operations.values()) {
      if (operation.status === 'running') operation.troubled.add(server);
    }
  };
  switch (event) {
    case 'crash':
      facts.down.add(server);
      trouble();
      return;
    case 'restart':
    case 'rollback':
      facts.down.delete(server);
      facts.unreachable.delete(server);
      return;
    case 'partition':
    case 'mute':
    case 'cut':
      facts.unreachable.add(server);
      trouble();
  }
}
