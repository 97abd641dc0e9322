/**
 * @module quorum-walk: random courses of writers over a quorum, for sizes that can not be exhausted.
 *
 * The steps are those of the exploration. But here a reading is a step of its own, and a reader
 * reads again and again.
 */
import { meetingSize } from '../../machines/quorum.ts';
import { Prng } from '../../src/simulation/prng.ts';
import type { Kernels, QuorumModel, Violation } from './quorum-model.ts';
import { modelOf } from './quorum-model.ts';
import { type Flight, none } from './quorum-parts.ts';
import { Narrator } from './quorum-trace.ts';
import { type Emit, QuorumWorlds, type Told, type World } from './quorum-world.ts';

export interface WalkOptions {
  readonly walks: number;
  /** Of the first walk; the next one has the next. */
  readonly seed: number;
  /** Whether to stop at the first violation. */
  readonly first?: boolean;
  readonly kernels?: Kernels | undefined;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface WalkFindings {
  readonly walks: number;
  /** Worlds that were gone through, each as often as it was. */
  readonly states: number;
  /** Walks by S. */
  readonly sizes: Readonly<Record<number, number>>;
  /** Walks that broke something. */
  readonly violations: number;
  /** The shortest course to each kind of that. */
  readonly traces: Readonly<Partial<Record<Violation, readonly string[]>>>;
}

/** So many walks, in the order of their seeds, have one model: what it works out once is kept. */
const batch = 100;

/** S of each of a thousand batches: a walk of many servers takes a hundred times as long. */
const sizesOfBatches: readonly number[] = Object.entries({
  ...{ 3: 560, 4: 230, 5: 100, 6: 45, 7: 30, 8: 15 },
  ...{ 9: 4, 10: 4, 11: 4, 12: 4, 13: 4 },
}).flatMap(([servers, batches]) => Array.from({ length: batches }, () => Number(servers)));

export function walkQuorum(model: QuorumModel, options: WalkOptions): WalkFindings {
  return walkEach(() => model, options);
}

/** Sizes that the seeds choose: 3 to 13 servers, up to 4 writers with up to 4 attempts each. */
export function walkSizes(options: WalkOptions): WalkFindings {
  return walkEach(sizeOf, options);
}

function sizeOf(number: number): QuorumModel {
  // Steps of the golden section: however many batches there are, each S has its part of them.
  const place = Math.floor(((number * 0.618_033_988_75) % 1) * 1000);
  const servers = sizesOfBatches[place] as number;
  const random = new Prng(number);
  const most = Math.floor(servers / 2) + 1;
  const size = most + random.below(servers - most + 1);
  const required = 1 + random.below(Math.min(size, 4));
  const total = random.chance(0.3) ? undefined : Math.max(required, 1 + random.below(servers + 2));
  const writers = 1 + random.below(4);
  const attempts = 1 + random.below(4);
  const parents = random.pick(['all', 'all', 'some', 'none'] as const);
  const losable = random.chance(0.25) ? Math.min(random.below(3), 2 * size - servers - 1) : 0;
  return modelOf(
    { servers, required, size, writers, attempts, total, losable },
    { parents, readers: 1, late: true, remembers: number % 2 === 1 },
  );
}

function walkEach(modelFor: (batch: number) => QuorumModel, options: WalkOptions): WalkFindings {
  const { walks, seed, first = false, kernels, onProgress } = options;
  const traces: Partial<Record<Violation, readonly string[]>> = {};
  const sizes: Record<number, number> = {};
  let worlds = new QuorumWorlds(modelFor(Math.floor(seed / batch)), kernels);
  let states = 0;
  let violations = 0;
  for (let i = 0; i < walks; i++) {
    if (i % batch === 0) onProgress?.(i, walks);
    if ((seed + i) % batch === 0) {
      worlds = new QuorumWorlds(modelFor((seed + i) / batch), kernels);
    }
    const { servers } = worlds.model;
    sizes[servers] = (sizes[servers] ?? 0) + 1;
    const course = new Course(worlds, new Prng(seed + i));
    const violation = course.run();
    states += course.steps;
    if (violation === undefined) continue;
    violations++;
    const told = new Course(worlds, new Prng(seed + i), true);
    told.run();
    const shortest = traces[violation]?.length ?? Number.POSITIVE_INFINITY;
    if (told.lines.length < shortest) traces[violation] = told.lines;
    if (first) return { walks: i + 1, states, sizes, violations, traces };
  }
  return { walks, states, sizes, violations, traces };
}

interface Step {
  readonly next: World | null;
  readonly violation: Violation | undefined;
  readonly told: Told;
}

/** Who took a step, for whoever follows one. */
export interface Taken {
  readonly index: number;
  /** The request that it is about, if it is about one. */
  readonly flight: Flight | null;
}

/** One random course of a world. */
export class Course {
  readonly #worlds: QuorumWorlds;
  readonly #random: Prng;
  readonly #narrator: Narrator | null;
  readonly #active: Set<number>;
  readonly lines: string[] = [];
  world: World;
  steps = 0;

  /** @param isTold whether its steps are put in words */
  constructor(worlds: QuorumWorlds, random: Prng, isTold = false) {
    this.#worlds = worlds;
    this.#random = random;
    this.#narrator = isTold ? new Narrator(worlds) : null;
    this.world = worlds.first();
    worlds.choose = (ways) => random.below(ways);
    const { writers, readers } = worlds.model;
    this.#active = new Set(Array.from({ length: writers + readers }, (_, i) => i));
  }

  /** @param onStep is told of the world before each step, and who took it */
  run(onStep?: (before: World, taken: Taken | null) => void): Violation | undefined {
    for (;;) {
      const before = this.world;
      const { violation, taken, isOver } = this.#step();
      if (isOver) return undefined;
      if (violation !== undefined) return violation;
      if (this.world !== before) onStep?.(before, taken);
    }
  }

  #step(): { violation?: Violation | undefined; taken: Taken | null; isOver?: boolean } {
    const { cast, model } = this.#worlds;
    const random = this.#random;
    this.steps++;
    const active = [...this.#active];
    const areWriting = active.some((index) => index < model.writers);
    const strays = this.#worlds.straysOf(this.world);
    if (strays.length > 0 && random.chance(areWriting ? 0.15 : 0.7)) {
      const steps = this.#emitted((emit) =>
        this.#worlds.arrive(this.world, random.below(strays.length), emit),
      );
      if (steps.length > 0) return { violation: this.#take(random.pick(steps)), taken: null };
    }
    if (model.rots > 0 && random.chance(0.05)) {
      const steps = this.#emitted((emit) => this.#worlds.rot(this.world, emit));
      if (steps.length > 0) return { violation: this.#take(random.pick(steps)), taken: null };
    }
    if (model.losable > 0 && random.chance(0.05)) {
      const steps = this.#emitted((emit) => this.#worlds.lose(this.world, emit));
      if (steps.length > 0) return { violation: this.#take(random.pick(steps)), taken: null };
    }
    if (!areWriting && (active.length === 0 || random.chance(0.1))) {
      return { taken: null, isOver: true };
    }
    const index = random.pick(active);
    const id = this.world[model.servers + index] as number;
    const { phase } = cast.known(id).writer;
    if (phase === 'ended') {
      this.#active.delete(index);
      return { taken: null };
    }
    return phase === 'looking' ? this.#look(index, id) : this.#write(index, id);
  }

  #look(index: number, id: number) {
    const { cast, model } = this.#worlds;
    const random = this.#random;
    const taken = { index, flight: null };
    const { heard, isWarm } = cast.known(id).writer;
    if (isWarm && random.chance(0.4)) {
      const steps = this.#emitted((emit) => this.#worlds.forget(this.world, index, emit));
      return { violation: this.#take(random.pick(steps)), taken };
    }
    const unheard = heard.flatMap((row, at) => (row === none ? [at] : []));
    const isReader = index >= model.writers;
    const enough = isReader ? meetingSize(cast.quorum) : model.size;
    const isEnough = heard.length - unheard.length >= enough;
    if (!isWarm && unheard.length > 0 && !(isEnough && random.chance(0.15))) {
      const step = this.#worlds.hear(this.world, index, random.pick(unheard));
      return { violation: this.#take(step), taken };
    }
    const steps = this.#emitted((emit) => this.#worlds.plan(this.world, index, [], emit));
    const bad = steps.find(({ violation }) => violation !== undefined);
    if (bad !== undefined) return { violation: this.#take(bad), taken };
    if (steps.length > 0) return { violation: this.#take(random.pick(steps)), taken };
    // Nothing to build on: the attempt is over; a reader reads again.
    const next = isReader ? cast.newWriter(index) : cast.left(id);
    if (next === none) this.#active.delete(index);
    else this.world = this.world.with(model.servers + index, next);
    return { taken: null };
  }

  #write(index: number, id: number) {
    const { cast, model } = this.#worlds;
    const random = this.#random;
    const { flights } = cast.known(id);
    if (cast.left(id) !== none && random.chance(0.05)) {
      const steps = this.#emitted((emit) => this.#worlds.leave(this.world, index, emit));
      return { violation: this.#take(random.pick(steps)), taken: { index, flight: null } };
    }
    const flight = random.pick(flights);
    const outcomes = this.#worlds.outcomes(this.world, index, flight);
    const isPatient = model.givesUp && random.chance(0.9);
    const what = random.pick(isPatient ? outcomes.slice(0, -1) : outcomes);
    const steps = this.#emitted((emit) =>
      this.#worlds.comesTo(what, this.world, index, flight, emit),
    );
    return { violation: this.#take(random.pick(steps)), taken: { index, flight } };
  }

  #emitted(from: (emit: Emit) => void): readonly Step[] {
    const steps: Step[] = [];
    from((next, violation, told) => steps.push({ next, violation, told }));
    return steps;
  }

  #take({ next, violation, told }: Step): Violation | undefined {
    this.lines.push(...(this.#narrator?.lines(told, next) ?? []));
    this.world = next ?? this.world;
    return violation;
  }
}
