/**
 * @module writers: two writers of one file, every interleaving, each led by the shipped kernel.
 *
 * S servers hold one share each of a first version. A writer reads servers one at a time, goes on
 * once it has R answers, picks its base as the engine does (`bestVersion`), plans with `planWrites`
 * and keeps its books with `applyWrite`; it is told "published" by `decideOutcome` alone. Between
 * any two steps of one writer the other may take any number of its own, or may have died. A write
 * may land, find something else, fail without effect, or lose its answer after its effect.
 *
 * What is checked in every state: see {@link Findings}.
 */
import type { SeenShare } from '../../machines/io.ts';
import {
  applyWrite,
  canSucceed,
  decideOutcome,
  isSettled,
  newerEvidence,
  type PublishKind,
  type PublishPlanInput,
  type PublishRecord,
  planWrites,
  type Write,
} from '../../machines/publish-kernel.ts';
import { bestVersion, type Version } from '../../machines/servermap.ts';
import { goodSlot, mapOf, versionOf } from '../support/facts.ts';

export interface WritersModel {
  readonly servers: number;
  /** k; N is the number of servers. */
  readonly required: number;
  /** R: answers that a reader waits for. */
  readonly reads: number;
  /** W: servers that have to hold a version before its writer is told so. */
  readonly writes: number;
  /** Whether a version that is newer and can not be read is written over. */
  readonly ignoresNewer: boolean;
  /**
   * How many writes may fail without effect, each by itself; or `servers`: any set of servers may
   * be out of a writer's reach from its first write on (fewer worlds, for larger grids).
   */
  readonly failures: number | 'servers';
  /** How many writes may have their effect and lose their answer. */
  readonly losses: number;
}

/**
 * What may be met in some state.
 *
 * - `fork`: both writers were told "published", and neither had built on the other's version
 * - `lostUpdate`: one that began after the other was told "published" was told so too, on an older base
 * - `unrecoverable`: no version has k shares
 * - `falseAlarm`: one was told "uncoordinated" before the other had written anything
 * - `shortAck`: one was told "published" while fewer than W servers hold its version, the other
 *   having written nothing
 */
export type Finding = 'fork' | 'lostUpdate' | 'unrecoverable' | 'falseAlarm' | 'shortAck';

export interface Findings {
  readonly states: number;
  readonly transitions: number;
  /** A shortest path to each that was met, one line a step. */
  readonly traces: Readonly<Partial<Record<Finding, readonly string[]>>>;
}

/** A version by its writer; `o` is the first one, `-` is no share. */
type Letter = 'o' | 'a' | 'b' | '-';

interface Writer {
  readonly letter: 'a' | 'b';
  readonly phase: 'reading' | 'writing' | 'ended';
  /** What each server said when it was asked, by share number; null before. */
  readonly heard: readonly (string | null)[];
  /** The servers that its writes can not reach. */
  readonly unreached: readonly string[];
  /** The versions that had been told "published" when it began. */
  readonly acked: readonly Letter[];
  readonly base: Letter;
  readonly record: PublishRecord | null;
  readonly outcome: PublishKind | 'refused' | null;
}

interface World {
  /** What led here, for traces. */
  readonly told: string;
  /** Per server, the letters of its shares, by share number. */
  readonly servers: readonly string[];
  readonly writers: readonly Writer[];
  /** How many of each may still come. */
  readonly failures: number;
  readonly losses: number;
}

const first = versionOf(1, 'o');

const versions = new Map<string, Version>();

/** What the writer of `letter` writes; there is at most one version of each. */
function versionBy(model: WritersModel, letter: Letter, seqnum: number): Version {
  const { required, servers } = model;
  const key = `${letter}${seqnum} ${required} ${servers}`;
  const version = versions.get(key) ?? versionOf(seqnum, letter, { required, total: servers });
  versions.set(key, version);
  return version;
}

function start(model: WritersModel): World {
  const { servers, failures, losses } = model;
  const row = (i: number) => `${'-'.repeat(i)}o${'-'.repeat(servers - i - 1)}`;
  const writer = (letter: 'a' | 'b'): Writer => ({
    letter,
    phase: 'reading',
    heard: Array.from({ length: servers }, () => null),
    unreached: [],
    acked: [],
    base: '-',
    record: null,
    outcome: null,
  });
  return {
    told: '',
    servers: Array.from({ length: servers }, (_, i) => row(i)),
    writers: [writer('a'), writer('b')],
    failures: failures === 'servers' ? 0 : failures,
    losses,
  };
}

/** The version that a letter stands for in this world. */
function versionIn(model: WritersModel, world: World, letter: Letter): Version {
  if (letter === 'o') return versionBy(model, 'o', first.seqnum);
  const writer = world.writers.find((w) => w.letter === letter) as Writer;
  return versionBy(model, letter, (writer.record as PublishRecord).seqnum);
}

function planInput(model: WritersModel, world: World, writer: Writer): PublishPlanInput {
  const letters = new Set(writer.heard.flatMap((row) => (row === null ? [] : [...row])));
  letters.delete('-');
  const versionFor = (letter: string) => versionIn(model, world, letter as Letter);
  const slots = writer.heard.flatMap((row, server) =>
    [...(row ?? '')].flatMap((letter, shnum) =>
      letter === '-' ? [] : [goodSlot(`s${server}`, shnum, versionFor(letter))],
    ),
  );
  const failed = writer.heard.flatMap((row, i) => (row === null ? [[`s${i}`, 'failed']] : []));
  const { servers, required, writes, ignoresNewer } = model;
  return {
    map: mapOf(servers, slots, [...letters].map(versionFor), Object.fromEntries(failed)),
    required,
    total: servers,
    happy: writes,
    wholeShares: true,
    force: ignoresNewer,
  };
}

/** The writer once it has heard enough: it plans, or refuses. */
function planned(model: WritersModel, world: World, writer: Writer): readonly World[] {
  const input = planInput(model, world, writer);
  const base = bestVersion(input.map);
  const record = planWrites(input);
  if (base === undefined || newerEvidence(input).length > 0 || !canSucceed(record)) {
    const refused: Writer = { ...writer, phase: 'ended', outcome: 'refused' };
    return [{ ...withWriter(world, refused), told: `${writer.letter} writes nothing` }];
  }
  const { checkstring } = versionBy(model, writer.letter, record.seqnum);
  const letter = base.seqnum === first.seqnum ? 'o' : writer.letter === 'a' ? 'b' : 'a';
  return unreachable(model, record).flatMap((unreached) => {
    const next: Writer = { ...writer, phase: 'writing', base: letter, unreached };
    const without = unreached.length === 0 ? '' : ` and can not reach ${unreached.join()}`;
    const told = `${writer.letter} writes over ${letter}${without}`;
    return started({ ...withWriter(world, next), told }, next, { ...record, checkstring });
  });
}

/** The sets of servers that may be out of reach: all that leave a quorum. */
function unreachable({ failures }: WritersModel, record: PublishRecord) {
  const sets: (readonly string[])[] = [[]];
  if (failures !== 'servers') return sets;
  const reached = record.servers.filter((server) => !record.avoided.includes(server));
  for (const server of reached) {
    for (const set of [...sets]) {
      if (reached.length - set.length > record.quorum) sets.push([...set, server]);
    }
  }
  return sets;
}

/**
 * The worlds in which the planned writes are under way, those that are to fail having failed. A
 * failure has no effect, so that it may as well come at once: what it would do later, after a
 * surprise, is less than a writer does that dies.
 */
function started(world: World, writer: Writer, record: PublishRecord): readonly World[] {
  const at = record.writes.findIndex(({ status }) => status === 'planned');
  if (at < 0) return [withWriter(world, told(writer, record))];
  const write = { ...(record.writes[at] as Write), status: 'writing' as const };
  const books = { ...record, writes: record.writes.with(at, write) };
  const { server, shnum } = write;
  const report = { server, shnum, status: 'failed', seen: [], failure: null } as const;
  if (writer.unreached.includes(server)) return started(world, writer, applyWrite(books, report));
  const worlds = started(world, writer, books);
  if (world.failures === 0) return worlds;
  const poorer = {
    ...world,
    told: `${world.told}; its write to ${server}:${shnum} fails`,
    failures: world.failures - 1,
  };
  return [...worlds, ...started(poorer, writer, applyWrite(books, report))];
}

/** The writer with these books; it is told how it ended when everything is answered. */
function told(writer: Writer, record: PublishRecord): Writer {
  if (!isSettled(record)) return { ...writer, record };
  return { ...writer, record, phase: 'ended', outcome: decideOutcome(record) };
}

function withWriter(world: World, writer: Writer): World {
  return { ...world, writers: world.writers.map((w) => (w.letter === writer.letter ? writer : w)) };
}

/** Everything that can happen next. */
function stepsFrom(model: WritersModel, world: World): readonly World[] {
  return world.writers.flatMap((writer) => {
    if (writer.phase === 'reading') return readSteps(model, world, writer);
    if (writer.phase === 'ended') return [];
    const open = (writer.record as PublishRecord).writes.filter((w) => w.status === 'writing');
    return open.flatMap((write) => writeSteps(model, world, writer, write));
  });
}

function readSteps(model: WritersModel, world: World, writer: Writer): readonly World[] {
  const isFirst = writer.heard.every((row) => row === null);
  const acked = isFirst
    ? world.writers.filter((w) => w.outcome === 'published').map((w) => w.letter)
    : writer.acked;
  const reads = writer.heard.flatMap((row, i) => {
    if (row !== null) return [];
    const heard = writer.heard.with(i, world.servers[i] as string);
    const told = `${writer.letter} hears ${world.servers[i]} from s${i}`;
    return [{ ...withWriter(world, { ...writer, heard, acked }), told }];
  });
  const answers = writer.heard.filter((row) => row !== null).length;
  if (answers < model.reads) return reads;
  return [...reads, ...planned(model, world, writer)];
}

function writeSteps(
  model: WritersModel,
  world: World,
  writer: Writer,
  { server, shnum, test }: Write,
): readonly World[] {
  const at = Number(server.slice(1));
  const row = world.servers[at] as string;
  const seen: readonly SeenShare[] = [...row].flatMap((letter, n) =>
    letter === '-'
      ? []
      : [{ shnum: n, checkstring: versionIn(model, world, letter as Letter).checkstring }],
  );
  const held = seen.find((share) => share.shnum === shnum)?.checkstring ?? '';
  const wrote = test.kind === 'absent' ? held === '' : held !== '' && held.startsWith(test.head);
  const after = row.slice(0, shnum) + writer.letter + row.slice(shnum + 1);
  const what = `${writer.letter}'s write to ${server}:${shnum}`;
  const landed = wrote
    ? { ...world, told: `${what} lands`, servers: world.servers.with(at, after) }
    : { ...world, told: `${what} finds ${row}` };
  const record = writer.record as PublishRecord;
  const report = { server, shnum, seen, failure: null };
  const ours = { shnum, checkstring: record.checkstring as string };
  const status = wrote ? 'accepted' : 'surprised';
  const answered = started(landed, writer, applyWrite(record, { ...report, status }));
  if (world.losses === 0 || !wrote) return answered;
  const told = `${what} lands and its answer is lost`;
  const poorer = { ...landed, told, losses: world.losses - 1 };
  // All shares there are read again: that tells what the answer would have told, or fails, too.
  const reread = seen.map((share) => (share.shnum === shnum ? ours : share));
  const ends = [
    { ...report, seen: [...reread, ours], status: 'accepted' },
    { ...report, seen: [], status: 'unknown' },
  ] as const;
  return [...answered, ...ends.flatMap((end) => started(poorer, writer, applyWrite(record, end)))];
}

function keyOf(world: World): string {
  const writers = world.writers.map((writer) => {
    const { phase, letter, heard, acked, base, record, outcome } = writer;
    if (phase === 'reading') return `${heard}|${acked}`;
    const seqnum = record?.seqnum;
    // Nobody will look at the books of a writer again that has not been told "published".
    if (phase === 'ended') {
      return outcome === 'published' ? `${letter}${seqnum}|${base}|${acked}` : `x${seqnum}`;
    }
    const { writes, surprises, avoided, replaceable } = record as PublishRecord;
    const isLost = surprises.length > 0;
    const slots = writes
      .filter(({ status }) => !isLost || status === 'writing')
      .map(({ server, shnum, status, test, attempt }) => {
        const head =
          test.kind === 'absent' ? '' : `${test.head.slice(17, 18)}${test.head.slice(-2)}`;
        return `${server}${shnum}${status[0]}${head}${attempt}`;
      })
      .sort();
    const out = isLost ? '' : writer.unreached;
    const more = isLost
      ? ''
      : `${base}${acked}${[...avoided].sort()}|${replaceable.map((h) => h.slice(-2)).sort()}`;
    return `${seqnum}|${slots}|${isLost}|${out}|${more}`;
  });
  return `${world.servers}#${world.failures}${world.losses}#${writers.join('#')}`;
}

/**
 * Every interleaving of two writers.
 * @param until stop as soon as all of these were met
 */
export function explore(model: WritersModel, until: readonly Finding[] = []): Findings {
  const worlds: (World | null)[] = [start(model)];
  const origins: Origin[] = [{ parent: -1, choice: -1 }];
  const seen = new Set([keyOf(worlds[0] as World)]);
  const firsts = new Map<Finding, number>();
  let transitions = 0;
  for (let at = 0; at < worlds.length; at++) {
    const world = worlds[at] as World;
    for (const finding of findingsIn(model, world)) {
      if (!firsts.has(finding)) firsts.set(finding, at);
    }
    if (until.length > 0 && until.every((finding) => firsts.has(finding))) break;
    worlds[at] = null;
    stepsFrom(model, world).forEach((next, choice) => {
      transitions++;
      const key = keyOf(next);
      if (seen.has(key)) return;
      seen.add(key);
      worlds.push(next);
      origins.push({ parent: at, choice });
    });
  }
  const traces = Object.fromEntries(
    [...firsts].map(([name, at]) => [name, traceTo(model, origins, at)]),
  );
  return { states: seen.size, transitions, traces };
}

/** Which step of which state led to a state first. */
interface Origin {
  readonly parent: number;
  readonly choice: number;
}

function traceTo(model: WritersModel, origins: readonly Origin[], end: number) {
  const choices: number[] = [];
  for (let at = end; at > 0; at = (origins[at] as Origin).parent) {
    choices.unshift((origins[at] as Origin).choice);
  }
  let world = start(model);
  return choices.map((choice) => {
    world = stepsFrom(model, world)[choice] as World;
    return `${world.told}  [${world.servers.join(' ')}]`;
  });
}

/** What is to be seen in this state. */
function findingsIn(model: WritersModel, world: World): readonly Finding[] {
  const [a, b] = world.writers as readonly [Writer, Writer];
  const findings: Finding[] = [];
  const isAcked = (writer: Writer) => writer.outcome === 'published';
  if (isAcked(a) && isAcked(b) && a.base !== 'b' && b.base !== 'a') findings.push('fork');
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (isAcked(one) && one.acked.includes(other.letter) && one.base !== other.letter) {
      findings.push('lostUpdate');
    }
    if (other.phase !== 'reading') continue;
    if (one.outcome === 'uncoordinated') findings.push('falseAlarm');
    const holders = world.servers.filter((row) => row.includes(one.letter)).length;
    if (isAcked(one) && holders < model.writes) findings.push('shortAck');
  }
  const sharesOf = (letter: Letter) =>
    new Set(world.servers.flatMap((row) => [...row].flatMap((l, n) => (l === letter ? [n] : []))));
  const most = Math.max(...(['o', 'a', 'b'] as const).map((letter) => sharesOf(letter).size));
  if (most < model.required) findings.push('unrecoverable');
  return findings;
}
