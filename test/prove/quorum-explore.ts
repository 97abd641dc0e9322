/**
 * @module quorum-explore: several writers over a quorum, every interleaving.
 *
 * A reading is observed by nobody, and what it brings depends on nothing but the writes to that
 * server. So it is put off as long as it can be: until just before a write changes the server, or
 * until its writer makes its plan. A request that is given up may land at any time, or never; so
 * may those of an attempt that was left, as if its writer had died.
 */
import { type Flight, Interned, type Mark, QuorumCast, type QuorumModel } from './quorum-writer.ts';

/**
 * What may be met in some world.
 *
 * - `chain`: two versions won W servers, and neither contains the other
 * - `lost`: a base without a version that had been acknowledged before its writer began to look
 * - `hidden`: the same of what a reader is given
 * - `unreadable`: no version that contains all that was acknowledged has k shares
 */
export type Violation = 'chain' | 'lost' | 'hidden' | 'unreadable';

export interface QuorumFindings {
  readonly states: number;
  readonly transitions: number;
  readonly ended: 'exhausted' | 'limit';
  /** A shortest path to each violation that was met. */
  readonly traces: Readonly<Partial<Record<Violation, readonly string[]>>>;
}

/** Where a version has landed: bits of servers and of share numbers. */
interface Landing {
  readonly mark: Mark;
  readonly servers: number;
  readonly shnums: number;
}

interface World {
  readonly rows: readonly string[];
  readonly writers: readonly number[];
  /** Requests whose writers do not wait for them any more. */
  readonly strays: readonly Flight[];
  readonly landings: readonly Landing[];
}

interface Step extends World {
  readonly told: readonly string[];
  readonly violation?: Violation | undefined;
}

export class QuorumExploration {
  readonly #cast: QuorumCast;
  readonly #rows = new Interned<string>();
  readonly #strays = new Interned<readonly Flight[]>();
  readonly #landings = new Interned<readonly Landing[]>();
  readonly #ids = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #parents: number[] = [];
  readonly #firsts = new Map<Violation, readonly string[]>();
  #transitions = 0;

  constructor(model: QuorumModel) {
    this.#cast = new QuorumCast(model);
  }

  run(limit: number, until: readonly Violation[] = []): QuorumFindings {
    const { model } = this.#cast;
    this.#reach(
      {
        rows: this.#cast.firstRows(),
        writers: Array.from({ length: model.writers }, (_, i) => this.#cast.newWriter(i)),
        strays: [],
        landings: [],
      },
      -1,
    );
    for (let at = 0; at < this.#keys.length; at++) {
      if (this.#keys.length > limit) return this.#found('limit');
      const world = this.#worldOf(this.#keys[at] as string);
      for (const step of this.#stepsFrom(world)) {
        this.#transitions++;
        if (step.violation !== undefined && !this.#firsts.has(step.violation)) {
          this.#firsts.set(step.violation, [...this.#traceTo(at), ...this.#lines(step)]);
          if (until.includes(step.violation)) return this.#found('limit');
        }
        this.#reach(step, at);
      }
    }
    return this.#found('exhausted');
  }

  /**
   * One random course of a world, for sizes that cannot be exhausted.
   * @returns the violation that it came to, and its steps; undefined: none
   */
  walk(random: () => number): { readonly violation: Violation; readonly trace: string[] } | undefined {
    const { model } = this.#cast;
    let world: World = {
      rows: this.#cast.firstRows(),
      writers: Array.from({ length: model.writers }, (_, i) => this.#cast.newWriter(i)),
      strays: [],
      landings: [],
    };
    const trace: string[] = [];
    for (;;) {
      const step = this.#randomStep(world, random);
      if (step === undefined) return undefined;
      trace.push(...this.#lines(step));
      if (step.violation !== undefined) return { violation: step.violation, trace };
      world = step;
    }
  }

  #randomStep(world: World, random: () => number): Step | undefined {
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const active = world.writers.flatMap((id, index) =>
      this.#cast.writer(id).phase === 'ended' ? [] : [index],
    );
    if (world.strays.length > 0 && (active.length === 0 || random() < 0.2)) {
      return pick(this.#arrivals(world).filter(({ writers }) => writers === world.writers));
    }
    if (active.length === 0) return undefined;
    const index = pick(active);
    const id = world.writers[index] as number;
    const cast = this.#cast;
    const writer = cast.writer(id);
    if (writer.phase === 'writing') {
      const steps = this.#writes(world, index).filter(({ writers }) =>
        writers.every((other, i) => i === index || other === world.writers[i]),
      );
      const isQuiet = ({ told }: Step) => !/gives up|leaves/.test(told.at(-1) as string);
      const quiet = steps.filter(isQuiet);
      return pick(quiet.length > 0 && random() < 0.85 ? quiet : steps);
    }
    const unheard = writer.heard.flatMap((row, at) => (row === null ? [at] : []));
    const answers = writer.heard.length - unheard.length;
    const { size, servers } = model(cast);
    const mayPlan = answers >= Math.min(size, servers - size + 1);
    if (unheard.length === 0 || (mayPlan && random() < 0.15)) {
      const plan = cast.planned(id);
      const violation = this.#violationOf(plan, writer.acked ?? '');
      const writers = world.writers.with(index, plan.id);
      return { ...world, writers, told: [plan.told], violation };
    }
    const at = pick(unheard);
    const row = world.rows[at] as string;
    const writers = world.writers.with(index, cast.hears(id, at, row, this.#acked(world)));
    return { ...world, writers, told: [`${cast.nameOf(writer)} hears ${cast.spelled(row)} from s${at}`] };
  }

  #found(ended: QuorumFindings['ended']): QuorumFindings {
    const traces = Object.fromEntries(this.#firsts);
    return { states: this.#keys.length, transitions: this.#transitions, ended, traces };
  }

  #reach(world: World, parent: number): void {
    const key = this.#keyOf(world);
    if (this.#ids.has(key)) return;
    this.#ids.set(key, this.#keys.push(key) - 1);
    this.#parents.push(parent);
  }

  #keyOf({ rows, writers, strays, landings }: World): string {
    const strayKeys = strays.map(({ at, from, to }) => `${at}${from}>${to}`).sort();
    const sorted = [...landings].sort((a, b) => (a.mark < b.mark ? -1 : 1));
    const landingKey = sorted.map((l) => `${l.mark}${l.servers}.${l.shnums}`).join();
    return String.fromCharCode(
      ...rows.map((row) => this.#rows.idOf(row, row)),
      ...writers.flatMap((id) => [id >> 16, id & 0xffff]),
      this.#strays.idOf(strayKeys.join(), strays),
      this.#landings.idOf(landingKey, sorted),
    );
  }

  #worldOf(key: string): World {
    const { servers, writers } = this.#cast.model;
    const at = (i: number) => key.charCodeAt(i);
    const end = servers + 2 * writers;
    return {
      rows: Array.from({ length: servers }, (_, i) => this.#rows.items[at(i)] as string),
      writers: Array.from(
        { length: writers },
        (_, i) => at(servers + 2 * i) * 0x1_0000 + at(servers + 2 * i + 1),
      ),
      strays: this.#strays.items[at(end)] as readonly Flight[],
      landings: this.#landings.items[at(end + 1)] as readonly Landing[],
    };
  }

  #traceTo(at: number): readonly string[] {
    const parent = this.#parents[at] as number;
    if (parent < 0) return [];
    const key = this.#keys[at] as string;
    const steps = this.#stepsFrom(this.#worldOf(this.#keys[parent] as string));
    const step = steps.find((one) => this.#keyOf(one) === key) as Step;
    return [...this.#traceTo(parent), ...this.#lines(step)];
  }

  #lines({ told, rows }: Step): readonly string[] {
    const spelled = rows.map((row) => this.#cast.spelled(row)).join(' ');
    return [...told.slice(0, -1), `${told.at(-1)}  [${spelled}]`];
  }

  // --- steps ------------------------------------------------------------------------------------

  #stepsFrom(world: World): readonly Step[] {
    const ofWriters = world.writers.flatMap((id, index) => {
      const { phase } = this.#cast.writer(id);
      if (phase === 'looking') return this.#plans(world, index);
      return phase === 'writing' ? this.#writes(world, index) : [];
    });
    return [...ofWriters, ...this.#arrivals(world)];
  }

  /** Writer `index` hears any of the servers that it has not heard, and makes its plan. */
  #plans(world: World, index: number): readonly Step[] {
    const cast = this.#cast;
    const id = world.writers[index] as number;
    const { heard } = cast.writer(id);
    const acked = this.#acked(world);
    const name = cast.nameOf(cast.writer(id));
    let looks = [{ id, told: [] as string[] }];
    heard.forEach((row, at) => {
      if (row !== null) return;
      const now = world.rows[at] as string;
      looks = looks.flatMap((look) => [
        look,
        {
          id: cast.hears(look.id, at, now, acked),
          told: [...look.told, `${name} hears ${cast.spelled(now)} from s${at}`],
        },
      ]);
    });
    const steps = new Map<number, Step>();
    for (const look of looks) {
      const looker = cast.writer(look.id);
      // With fewer nothing can be won, and a reader asks for more.
      const answers = looker.heard.filter((row) => row !== null).length;
      if (answers < Math.min(cast.model.size, cast.model.servers - cast.model.size + 1)) continue;
      const plan = cast.planned(look.id);
      const violation = this.#violationOf(plan, looker.acked ?? '');
      if (steps.has(plan.id) && violation === undefined) continue;
      const writers = world.writers.with(index, plan.id);
      steps.set(plan.id, { ...world, writers, told: [...look.told, plan.told], violation });
    }
    return [...steps.values()];
  }

  #violationOf(
    { base, read }: { base: Mark | null; read: Mark | null },
    acked: string,
  ): Violation | undefined {
    const lacks = (given: Mark | null) =>
      given !== null && [...acked].some((mark) => !this.#cast.isBuiltOn(given, mark));
    if (lacks(base)) return 'lost';
    return lacks(read) ? 'hidden' : undefined;
  }

  /** Any request of writer `index` is answered, or given up; or its attempt is. */
  #writes(world: World, index: number): readonly Step[] {
    const cast = this.#cast;
    const id = world.writers[index] as number;
    const writer = cast.writer(id);
    const name = cast.nameOf(writer);
    const flights = cast.flightsOf(id);
    const steps = flights.flatMap((flight) => {
      const { at, from } = flight;
      const row = world.rows[at] as string;
      const isThere = row === from;
      const answered = cast.answered(id, flight, row);
      const told = isThere
        ? `${name} lands on s${at}`
        : `${name} finds ${cast.spelled(row)} on s${at}`;
      const after = { ...world, writers: world.writers.with(index, answered) };
      const gaveUp: Step = {
        ...world,
        writers: world.writers.with(index, cast.gaveUp(id, flight)),
        strays: isThere ? [...world.strays, flight] : world.strays,
        told: [`${name} gives up its write to s${at}`],
      };
      if (!isThere) return [{ ...after, told: [told] }, gaveUp];
      return [...this.#landed(after, flight, told), gaveUp];
    });
    if (writer.attempt + 1 >= cast.model.attempts) return steps;
    const strays = flights.filter(({ at, from }) => world.rows[at] === from);
    const left: Step = {
      ...world,
      writers: world.writers.with(index, cast.given(writer)),
      strays: [...world.strays, ...strays],
      told: [`${name} leaves its attempt`],
    };
    return [...steps, left];
  }

  #arrivals(world: World): readonly Step[] {
    return world.strays.flatMap((flight, i) => {
      const strays = world.strays.toSpliced(i, 1);
      const told = `a late write of ${this.#cast.spelled(flight.to)} lands on s${flight.at}`;
      return this.#landed({ ...world, strays }, flight, told);
    });
  }

  /** The request lands; who has not heard its server may hear it just before. */
  #landed(world: World, { at, from, to }: Flight, told: string): readonly Step[] {
    const mark = [...to].find((m, n) => m !== from[n]) as Mark;
    const shnums = [...to].reduce((bits, m, n) => (m === mark ? bits | (1 << n) : bits), 0);
    const known = world.landings.find((one) => one.mark === mark);
    const landing = {
      mark,
      servers: (known?.servers ?? 0) | (1 << at),
      shnums: (known?.shnums ?? 0) | shnums,
    };
    const landings = [...world.landings.filter((one) => one.mark !== mark), landing];
    const rows = world.rows.with(at, to);
    // No server comes back to what it held.
    const strays = world.strays.filter((one) => one.at !== at || one.from === to);
    const after = { rows, strays, landings };
    const violation = this.#violationIn({ ...world, ...after }, mark);
    return this.#listeners(world, at).map(({ writers, told: before }) => ({
      ...after,
      writers,
      told: [...before, told],
      violation,
    }));
  }

  /** Every set of writers that hear server `at` now, among them none. */
  #listeners(world: World, at: number): readonly Pick<Step, 'writers' | 'told'>[] {
    const cast = this.#cast;
    const acked = this.#acked(world);
    const row = world.rows[at] as string;
    let sets: Pick<Step, 'writers' | 'told'>[] = [{ writers: world.writers, told: [] }];
    world.writers.forEach((id, i) => {
      const writer = cast.writer(id);
      if (writer.phase !== 'looking' || writer.heard[at] !== null) return;
      const told = `${cast.nameOf(writer)} hears ${cast.spelled(row)} from s${at}`;
      sets = sets.flatMap((set) => [
        set,
        {
          writers: set.writers.with(i, cast.hears(id, at, row, acked)),
          told: [...set.told, told],
        },
      ]);
    });
    return sets;
  }

  // --- what may not be --------------------------------------------------------------------------

  /** The versions that have won W servers, whether or not their writers know. */
  #acked({ landings }: Pick<World, 'landings'>): string {
    const { size, required } = this.#cast.model;
    return landings
      .filter(({ servers, shnums }) => bitsIn(servers) >= size && bitsIn(shnums) >= required)
      .map(({ mark }) => mark)
      .sort()
      .join('');
  }

  #violationIn(world: World, latest: Mark): Violation | undefined {
    const cast = this.#cast;
    const acked = [...this.#acked(world)];
    const isApart = (one: Mark, other: Mark) =>
      !cast.isBuiltOn(one, other) && !cast.isBuiltOn(other, one);
    if (acked.includes(latest) && acked.some((mark) => isApart(mark, latest))) return 'chain';
    const { required } = cast.model;
    const marks = new Set([...world.rows.join('')].filter((mark) => mark !== '-'));
    const isWhole = (mark: Mark) => {
      const shnums = world.rows.flatMap((row) => [...row].flatMap((m, n) => (m === mark ? n : [])));
      return new Set(shnums).size >= required && acked.every((one) => cast.isBuiltOn(mark, one));
    };
    return [...marks].some(isWhole) ? undefined : 'unreadable';
  }
}

function bitsIn(bits: number): number {
  let count = 0;
  for (let rest = bits; rest > 0; rest &= rest - 1) count++;
  return count;
}

function model({ model: it }: QuorumCast): QuorumModel {
  return it;
}
