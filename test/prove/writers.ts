/**
 * @module writers: several writers of one file, every interleaving.
 *
 * S servers hold the shares of a first version. Between any two steps of one writer the others may
 * take any number of theirs, or may have died.
 *
 * A reading is observed by nobody, and what it brings depends on nothing but the writes to that
 * server. So it is put off as long as it can be: until just before somebody else's write changes
 * the server, or until its writer makes its plan. Every other order of the same steps leads to
 * the same worlds.
 */
import type { PublishRecord } from '../../machines/publish-kernel.ts';
import { bestVersion } from '../../machines/servermap.ts';
import { Cast, type Fate, type Mark, type Writer, type WritersModel } from './writer.ts';

/**
 * What may be met in some world.
 *
 * - `fork`: two were told "published", and neither had built on the other's version
 * - `lostUpdate`: one whose last look began after the other was told "published" was told so too,
 *   on an older base; every such pair is a fork, too
 * - `unrecoverable`: no version has k shares
 * - `hidden`: a reader that hears every server is given a version that does not hold one that was
 *   told "published"
 * - `falseAlarm`: one was told "uncoordinated" before any other had written anything
 * - `shortAck`: one was told "published" while fewer than W servers hold its version, no other
 *   having written anything
 * - `twice`: one was told "published" that had built on an earlier attempt of its own
 */
export type Finding =
  | 'fork'
  | 'lostUpdate'
  | 'unrecoverable'
  | 'hidden'
  | 'falseAlarm'
  | 'shortAck'
  | 'twice';

export interface Findings {
  readonly states: number;
  readonly transitions: number;
  /** Servers whose loss, in the worst world, leaves no version that can be read; 0: it is lost. */
  readonly fatal: number;
  /** A shortest path to each that was met, one line a step. */
  readonly traces: Readonly<Partial<Record<Finding, readonly string[]>>>;
}

interface World {
  /** By server: the number of its row. */
  readonly rows: readonly number[];
  /** The number of each writer. */
  readonly writers: readonly number[];
  /** How many of each may still come. */
  readonly failures: number;
  readonly losses: number;
}

interface Step extends World {
  readonly told: readonly string[];
}

function keyOf({ rows, writers, failures, losses }: World): string {
  return String.fromCharCode(
    ...rows,
    ...writers.flatMap((id) => [id >> 16, id & 0xffff]),
    failures,
    losses,
  );
}

function worldOf({ servers, writers }: WritersModel, key: string): World {
  const at = (i: number) => key.charCodeAt(i);
  return {
    rows: Array.from({ length: servers }, (_, i) => at(i)),
    writers: Array.from(
      { length: writers },
      (_, i) => at(servers + 2 * i) * 0x1_0000 + at(servers + 2 * i + 1),
    ),
    failures: at(servers + 2 * writers),
    losses: at(servers + 2 * writers + 1),
  };
}

/** The marks of all versions that were told "published", in the order of their writers. */
function ackedIn(cast: Cast, world: World): string {
  return world.writers
    .map((id) => cast.writer(id))
    .map(({ outcome, mark }) => (outcome === 'published' ? mark : ''))
    .join('');
}

function stepsFrom(cast: Cast, world: World): readonly Step[] {
  return world.writers.flatMap((id, index) => {
    const { phase } = cast.writer(id);
    if (phase === 'reading')
      return mayPlan(cast, world, index) ? planSteps(cast, world, index) : [];
    return phase === 'writing' ? writeSteps(cast, world, index) : [];
  });
}

/**
 * Writers that try only once are interchangeable, since none sees two versions of one seqnum: so
 * the first whose look ends may always be `a`, and no world is left out.
 */
function mayPlan(cast: Cast, { writers }: World, index: number): boolean {
  const before = cast.model.attempts === 1 ? writers.slice(0, index) : [];
  return before.every((id) => {
    const { phase, books } = cast.writer(id);
    return phase !== 'reading' || books.map !== null;
  });
}

/** Writer `index` hears any of the servers that it has not heard, and makes its plan. */
function planSteps(cast: Cast, world: World, index: number): readonly Step[] {
  const id = world.writers[index] as number;
  const writer = cast.writer(id);
  const { heard } = writer;
  const acked = ackedIn(cast, world);
  const name = cast.nameOf(writer);
  let listeners = [
    { id, answers: heard.filter((row) => row !== null).length, told: [] as string[] },
  ];
  heard.forEach((row, at) => {
    if (row !== null) return;
    const now = world.rows[at] as number;
    listeners = listeners.flatMap((one) => [
      one,
      {
        id: cast.hears(one.id, at, now, acked),
        answers: one.answers + 1,
        told: [...one.told, `${name} hears ${cast.spelled(cast.row(now))} from s${at}`],
      },
    ]);
  });
  const steps = new Map<string, Step>();
  for (const one of listeners.sort((a, b) => a.told.length - b.told.length)) {
    if (one.answers < cast.model.reads) continue;
    for (const fate of cast.planFates(one.id, world.failures, world.losses)) {
      const key = `${fate.id},${fate.failures}`;
      if (steps.has(key)) continue;
      const { failures, losses } = fate;
      const writers = world.writers.with(index, fate.id);
      const told = [...one.told, fate.told];
      steps.set(key, { rows: world.rows, writers, failures, losses, told });
    }
  }
  return [...steps.values()];
}

/** Any open write of writer `index`; who has not heard its server may hear it just before. */
function writeSteps(cast: Cast, world: World, index: number): readonly Step[] {
  const id = world.writers[index] as number;
  const { writes } = cast.writer(id).record as PublishRecord;
  return writes.flatMap(({ status, server }, place) => {
    if (status !== 'writing') return [];
    const at = Number(server.slice(1));
    const row = world.rows[at] as number;
    const fates = cast.writeFates(id, place, row, world.failures, world.losses);
    const others = fates.some((fate) => fate.row !== row) ? before(cast, world, index, at) : [];
    return fates.flatMap((fate) => [
      after(world, index, at, fate, { writers: world.writers, told: [] }),
      ...(fate.row === row ? [] : others.map((other) => after(world, index, at, fate, other))),
    ]);
  });
}

function after(
  world: World,
  index: number,
  at: number,
  fate: Fate,
  { writers, told }: Pick<Step, 'writers' | 'told'>,
): Step {
  return {
    rows: world.rows.with(at, fate.row),
    writers: writers.with(index, fate.id),
    failures: fate.failures,
    losses: fate.losses,
    told: [...told, fate.told],
  };
}

/** Every non-empty set of other writers that hear server `at` now. */
function before(cast: Cast, world: World, index: number, at: number) {
  const acked = ackedIn(cast, world);
  const row = world.rows[at] as number;
  let sets: Pick<Step, 'writers' | 'told'>[] = [{ writers: world.writers, told: [] }];
  world.writers.forEach((id, i) => {
    const writer = cast.writer(id);
    const { phase, heard } = writer;
    if (i === index || phase !== 'reading' || heard[at] !== null) return;
    const told = `${cast.nameOf(writer)} hears ${cast.spelled(cast.row(row))} from s${at}`;
    sets = sets.flatMap((set) => [
      set,
      {
        writers: set.writers.with(i, cast.hears(id, at, row, acked)),
        told: [...set.told, told],
      },
    ]);
  });
  return sets.slice(1);
}

/** Every interleaving, by number of steps. */
class Exploration {
  readonly #cast: Cast;
  readonly #keys: string[] = [];
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  readonly #ids = new Map<string, number>();
  /** By number of steps from the start. */
  readonly #frontier: number[][] = [];
  readonly #reads = new Map<string, { best: Mark | null; fatal: number }>();
  readonly #firsts = new Map<Finding, number>();
  #transitions = 0;
  #fatal = Number.POSITIVE_INFINITY;

  constructor(model: WritersModel) {
    this.#cast = new Cast(model);
  }

  run(until: readonly Finding[]): Findings {
    const cast = this.#cast;
    const { model } = cast;
    const { writers, failures, losses } = model;
    const start = {
      rows: cast.firstRows(),
      writers: Array.from({ length: writers }, (_, i) => cast.idOf(cast.newWriter(i))),
      failures: failures === 'servers' ? 0 : failures,
      losses,
    };
    this.#reach(keyOf(start), 0, -1);
    for (let depth = 0; depth < this.#frontier.length; depth++) {
      for (const at of this.#frontier[depth] ?? []) {
        if (this.#depths[at] !== depth) continue;
        const world = worldOf(model, this.#keys[at] as string);
        this.#note(world, at);
        if (until.length > 0 && until.every((one) => this.#firsts.has(one))) return this.#found();
        for (const step of stepsFrom(cast, world)) {
          this.#transitions++;
          this.#reach(keyOf(step), depth + step.told.length, at);
        }
      }
      delete this.#frontier[depth];
    }
    return this.#found();
  }

  #reach(key: string, depth: number, parent: number): void {
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#keys.push(key) - 1;
      this.#ids.set(key, id);
    } else if ((this.#depths[id] as number) <= depth) return;
    this.#depths[id] = depth;
    this.#parents[id] = parent;
    while (this.#frontier.length <= depth) this.#frontier.push([]);
    this.#frontier[depth]?.push(id);
  }

  #found(): Findings {
    const traces = Object.fromEntries(
      [...this.#firsts].map(([name, at]) => [name, this.#traceTo(at)]),
    );
    const states = this.#keys.length;
    return { states, transitions: this.#transitions, fatal: this.#fatal, traces };
  }

  #traceTo(at: number): readonly string[] {
    const parent = this.#parents[at] as number;
    if (parent < 0) return [];
    const world = worldOf(this.#cast.model, this.#keys[parent] as string);
    const key = this.#keys[at] as string;
    const steps = stepsFrom(this.#cast, world).filter((step) => keyOf(step) === key);
    const lines = steps.reduce((a, b) => (b.told.length < a.told.length ? b : a)).told;
    const rows = worldOf(this.#cast.model, key).rows.map((row) =>
      this.#cast.spelled(this.#cast.row(row)),
    );
    return [
      ...this.#traceTo(parent),
      ...lines.slice(0, -1),
      `${lines.at(-1)}  [${rows.join(' ')}]`,
    ];
  }

  #note(world: World, at: number): void {
    const found = this.#findingsIn(world);
    for (const finding of found) if (!this.#firsts.has(finding)) this.#firsts.set(finding, at);
  }

  #findingsIn(world: World): ReadonlySet<Finding> {
    const cast = this.#cast;
    const found = new Set<Finding>();
    const { best, fatal } = this.#readOf(world);
    this.#fatal = Math.min(this.#fatal, fatal);
    if (fatal === 0) found.add('unrecoverable');
    const all = world.writers.map((id) => cast.writer(id));
    for (const one of all) {
      const others = all.filter((other) => other !== one);
      const areAloof = others.every(
        ({ phase, books }) => phase === 'reading' && books.attempt === 0,
      );
      if (areAloof && one.outcome === 'uncoordinated') found.add('falseAlarm');
      if (one.outcome !== 'published') continue;
      const mark = one.mark as Mark;
      if (best !== null && !cast.isBuiltOn(best, mark)) found.add('hidden');
      if (areAloof && this.#holders(world, mark) < cast.model.writes) found.add('shortAck');
      if (this.#isTwice(one)) found.add('twice');
      for (const other of others) {
        const theirs = other.outcome === 'published' ? (other.mark as Mark) : null;
        if (theirs === null || cast.isBuiltOn(mark, theirs)) continue;
        if (!cast.isBuiltOn(theirs, mark)) found.add('fork');
        if (one.acked?.includes(theirs)) found.add('lostUpdate');
      }
    }
    return found;
  }

  #holders({ rows }: World, mark: Mark): number {
    return rows.filter((row) => this.#cast.row(row).includes(mark)).length;
  }

  #isTwice({ mark, index }: Writer): boolean {
    const cast = this.#cast;
    const first = cast.nameAt(index, 0);
    for (let at = cast.made(mark as Mark).base; at !== null; at = cast.made(at).base) {
      if (cast.made(at).name === first) return true;
    }
    return false;
  }

  /** What a reader of every server is given, and how many servers it takes to leave it nothing. */
  #readOf({ rows }: World): { best: Mark | null; fatal: number } {
    const key = String.fromCharCode(...rows);
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const cast = this.#cast;
    const heard = rows.map((row) => cast.row(row));
    const { required } = cast.model;
    const best = bestVersion(cast.mapOf(heard));
    const marks = [...new Set(heard.join(''))].filter((mark) => mark !== '-');
    const isReadable = (kept: readonly string[]) =>
      marks.some((mark) => shnumsOf(kept, mark) >= required);
    const read = {
      best: marks.find((mark) => cast.made(mark).version.id === best?.id) ?? null,
      fatal: Math.min(
        ...subsets(heard)
          .filter((kept) => !isReadable(kept))
          .map((kept) => heard.length - kept.length),
      ),
    };
    this.#reads.set(key, read);
    return read;
  }
}

function shnumsOf(rows: readonly string[], mark: Mark): number {
  const shnums = rows.flatMap((row) => [...row].flatMap((m, n) => (m === mark ? [n] : [])));
  return new Set(shnums).size;
}

function subsets<T>(items: readonly T[]): readonly (readonly T[])[] {
  const sets: (readonly T[])[] = [[]];
  for (const item of items) sets.push(...sets.map((set) => [...set, item]));
  return sets;
}

/**
 * Every interleaving of the writers.
 * @param until stop as soon as all of these were met
 */
export function explore(model: WritersModel, until: readonly Finding[] = []): Findings {
  return new Exploration(model).run(until);
}
