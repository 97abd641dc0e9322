/**
 * @module quorum-world: servers, writers over a quorum, requests on their way; every step.
 *
 * A world is a row of numbers: of each server what it holds, of each writer where it is, the
 * requests that nobody waits for, where versions have landed that may yet win W servers, the newest
 * version that has, how many shares may still rot, how many disks lose what they hold, and what was
 * found before of the last look (`quorum-looks.ts`).
 *
 * A reading is observed by nobody, and what it brings depends on nothing but the writes to that
 * server. So it is put off as long as it can be: until just before a write changes the server, or
 * until its writer makes its plan (with `defers`, always until then: `quorum-looks.ts`). The same holds
 * of a request that does not land. A request that is given up may land at any time, or never; so may
 * those of an attempt that was left, as if its writer had died. A look that finds nothing to build on
 * is no step: its attempt is as well not begun.
 */
import { meetingSize } from '../../machines/quorum.ts';
import { Bars } from './quorum-bars.ts';
import { QuorumCast, shippedKernels } from './quorum-cast.ts';
import { Cover } from './quorum-cover.ts';
import { Deferral } from './quorum-defer.ts';
import { lossesOf, rotsOf, type Spoilt } from './quorum-disks.ts';
import { Judge } from './quorum-judge.ts';
import { type Look, Looks } from './quorum-looks.ts';
import type { Kernels, QuorumModel, Violation } from './quorum-model.ts';
import { Ends } from './quorum-over.ts';
import { type Flight, landed, type Mark, none } from './quorum-parts.ts';
import { marksAtFirst, newestAtFirst } from './quorum-start.ts';
import type { Covers, Emit, Landing, Names, Outcome, Told, World } from './quorum-step.ts';

export type { Emit, Landing, Names, Told, World } from './quorum-step.ts';

/** Whether a writer is told at once or never, and nothing comes back that was overwritten. */
function isPlain(model: QuorumModel): boolean {
  const { late, givesUp, covers, remembers, rots, losable, tests } = model;
  const isSound = rots === 0 && losable === 0 && tests === 'server';
  return isSound && !late && !givesUp && !covers && !remembers;
}

export class QuorumWorlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  readonly #actors: number;
  readonly #meeting: number;
  readonly #bars: Bars;
  readonly #judge: Judge;
  readonly #cover: Cover | null;
  readonly #deferral: Deferral | null;
  readonly #ends: Ends | null;
  readonly #looks: Looks | null;
  /** Of so many ways to be observed, the one that is emitted; null: all are. */
  choose: ((ways: number) => number) | null = null;
  // Where the parts of a world are.
  readonly strays: number;
  readonly landings: number;
  readonly acked: number;
  readonly rots: number;
  readonly losses: number;
  readonly shown: number;
  readonly length: number;

  constructor(model: QuorumModel, kernels: Kernels = shippedKernels) {
    this.cast = new QuorumCast(model, kernels);
    this.#bars = new Bars(this.cast, kernels);
    this.model = model;
    this.#actors = model.writers + model.readers;
    const isSound = model.rots === 0 && model.losable === 0 && model.repairs === 0;
    if (model.covers && (model.total > 1 || !isSound || model.parents !== 'all')) {
      throw new RangeError('one share on each server, sound, and named parents: nothing else');
    }
    if (model.defers && !isPlain(model)) {
      throw new RangeError('answers at once, sound disks, and no memory: nothing else is put off');
    }
    if (model.repairs > 0 && model.remembers) {
      throw new RangeError('a repair always looks');
    }
    this.#cover = model.covers ? new Cover(this) : null;
    this.#deferral = model.defers ? new Deferral(this) : null;
    this.#ends = model.defers ? new Ends(this, kernels) : null;
    this.#looks = this.#ends === null ? null : new Looks(this, this.#ends);
    this.#meeting = meetingSize(this.cast.quorum);
    this.strays = model.servers + this.#actors;
    this.landings = this.strays + 1;
    this.acked = this.strays + 2;
    this.rots = this.strays + 3;
    this.losses = this.strays + 4;
    this.shown = this.strays + 5;
    this.length = this.strays + 6;
    this.#judge = new Judge(this, kernels, this.landings, this.acked);
  }

  first(): World {
    const actors = Array.from({ length: this.#actors }, (_, i) => this.cast.newWriter(i));
    const rows = marksAtFirst(this.model).map((row) => this.cast.rowId(row));
    const { rots, losable } = this.model;
    return [...rows, ...actors, 0, 0, newestAtFirst(this.model), rots, losable, 0];
  }

  /** Whether no step to come breaks anything, as far as that is looked at. */
  isOver(world: World): boolean {
    return this.#cover?.isOver(world) ?? this.#ends?.isOver(world) ?? false;
  }

  /** Whether no request for `mark` is sent, nor lands, where `row` is. */
  isBarred(row: number, mark: Mark): boolean {
    return this.#bars.isBarred(row, mark);
  }

  /** Worlds that cover this one, with fewer attempts behind them. */
  youngerOf(world: World): Iterable<World> {
    return this.#cover?.younger(world) ?? [];
  }

  /** The least number that a version to come may have. */
  futureOf(world: World): number {
    return this.#cover?.futureOf(world) ?? 0;
  }

  /** Of versions that may yet win W servers. */
  landingsOf(world: World): readonly Landing[] {
    return this.#judge.landingsOf(world);
  }

  judged(rows: readonly number[], acked: Mark): Violation | undefined {
    return this.#judge.judged(rows, acked);
  }

  isShown(versions: readonly string[], acked: Mark): boolean {
    return this.#judge.isShown(versions, acked);
  }

  mayYetWin(world: World, landing: Landing): boolean {
    return this.#judge.mayYetWin(world, landing);
  }

  straysOf(world: World): readonly Flight[] {
    return this.cast.flights(world[this.strays] as number);
  }

  /** Calls `emit` with everything that may happen next. */
  everyStep(world: World, emit: Emit): void {
    if (this.#looks !== null) this.#looks.leavesOut = false;
    this.steps(world, emit);
    if (this.#looks !== null) this.#looks.leavesOut = true;
  }

  /** The same, less plans that come to nothing. */
  steps(before: World, onStep: Emit): void {
    const world = this.#looks?.seen(before) ?? before;
    const deferral = this.#deferral;
    const emit: Emit =
      deferral === null
        ? onStep
        : (next, ...found) => onStep(next === null ? null : deferral.settled(next), ...found);
    const { servers, writers } = this.model;
    for (let index = 0; index < this.#actors; index++) {
      const { phase } = this.cast.known(world[servers + index] as number).writer;
      if (phase === 'looking') this.#plans(world, index, emit);
      else if (phase === 'writing' && index < writers) this.#writes(world, index, emit);
    }
    this.#arrivals(world, emit);
    this.rot(world, emit);
    this.lose(world, emit);
  }

  // --- looks ------------------------------------------------------------------------------------

  /** `index` hears any of the servers that it has not heard, and makes its plan. */
  #plans(world: World, index: number, emit: Emit): void {
    const { servers } = this.model;
    const id = world[servers + index] as number;
    const { heard, isWarm } = this.cast.known(id).writer;
    if (this.#looks !== null) {
      this.#looks.plans(world, index, emit);
      return;
    }
    if (isWarm) {
      this.plan(world, index, [], emit);
      this.forget(world, index, emit);
      return;
    }
    const unheard = heard.flatMap((row, at) => (row === none ? [at] : []));
    const covers: Covers = [];
    // The larger sets first: they may cover what is in them.
    for (let set = (1 << unheard.length) - 1; set >= 0; set--) {
      const now = unheard.filter((_, i) => (set & (1 << i)) !== 0);
      // With fewer nothing can be won, and a reader asks for more.
      if (heard.length - unheard.length + now.length < this.#meeting) continue;
      this.plan(world, index, now, emit, this.model.covers ? covers : null);
    }
  }

  /**
   * `index` hears the servers `now`, and makes its plan; unless it is in `covers`, which it joins.
   */
  plan(
    world: World,
    index: number,
    now: readonly number[],
    emit: Emit,
    covers: Covers | null = null,
  ): void {
    const { cast } = this;
    let id = world[this.model.servers + index] as number;
    for (const at of now) id = this.#hears(id, world, at);
    const { acked } = cast.known(id).writer;
    const heard = now.map((at) => ({ at, row: world[at] as number }));
    this.planBy(world, index, { id, heard, acked }, emit, covers);
  }

  /** `index` makes the plan that comes of `look`. */
  planBy(world: World, index: number, look: Look, emit: Emit, covers: Covers | null): void {
    const { cast } = this;
    const { servers } = this.model;
    const { id, acked } = look;
    const { attempt, isWarm } = cast.known(id).writer;
    const { record, base, read, isNeedless } = cast.planned(id);
    const now = look.heard.map(({ at }) => at);
    const heard: Told = (name) =>
      look.heard.map(({ at, row }) => {
        return `${name.writer(index, attempt)} hears ${name.row(row)} from s${at}`;
      });
    if (read !== none && !cast.isBuiltOn(read, acked)) {
      emit(null, 'hidden', (name) => [
        ...heard(name),
        `a reader in the place of ${name.writer(index, attempt)} is given ${name.mark(read)}`,
      ]);
    }
    if (record === null) return;
    if (covers !== null) {
      const { seqnum } = record;
      const isIn = covers.some(
        (one) =>
          one.base === base && one.seqnum === seqnum && now.every((at) => one.now.includes(at)),
      );
      if (isIn) return;
      covers.push({ now, base, seqnum });
    }
    // Who did not look may build on an old version; that never wins W servers.
    const isSound = isWarm || cast.isBuiltOn(base, acked);
    const violation: Violation | undefined = !isSound
      ? 'lost'
      : isNeedless
        ? 'needless'
        : undefined;
    if (record.isAgain === true) {
      emit(world.with(servers + index, cast.begun(id, base)), violation, (name) => [
        ...heard(name),
        `${name.writer(index, attempt)} places ${name.mark(base)} again`,
      ]);
      return;
    }
    for (const mark of this.marksFor(world, id)) {
      const { rank } = cast.made(mark);
      const next = world.with(servers + index, cast.begun(id, mark));
      emit(next, violation, (name) => {
        const lines = heard(name);
        const over = base === none ? 'nothing' : name.mark(base);
        name.call(mark, index, attempt);
        const ranks = this.#ranksOf(world, record.seqnum);
        const order = ranks.length === 0 ? '' : `, ${ranks.filter((r) => r < rank).length} below`;
        return [...lines, `${name.writer(index, attempt)} writes over ${over}${order}`];
      });
    }
  }

  /** What the plan of `id` may be called. */
  marksFor(world: World, id: number): readonly Mark[] {
    const { cast } = this;
    const { record, base } = cast.planned(id);
    if (record === null) return [];
    const all = cast.ranksAmong(this.#ranksOf(world, record.seqnum));
    const isNaming = cast.known(id).writer.role === 'writer';
    return (this.model.ties === 'any' ? all : all.slice(-1)).map((rank) =>
      cast.markOf(record.seqnum, rank, base, isNaming),
    );
  }

  /** `index` looks, whatever it remembers. */
  forget(world: World, index: number, emit: Emit): void {
    const at = this.model.servers + index;
    const id = world[at] as number;
    const { attempt } = this.cast.known(id).writer;
    emit(world.with(at, this.cast.forgets(id)), undefined, (name) => [
      `${name.writer(index, attempt)} forgets what it remembers`,
    ]);
  }

  /** `index` hears the server `at`, as a step of its own. */
  hear(world: World, index: number, at: number) {
    const { cast, model } = this;
    const id = world[model.servers + index] as number;
    const { attempt } = cast.known(id).writer;
    const next = world.with(model.servers + index, this.#hears(id, world, at));
    const told: Told = (name) => [
      `${name.writer(index, attempt)} hears ${name.row(world[at] as number)} from s${at}`,
    ];
    return { next, violation: undefined, told };
  }

  #hears(id: number, world: World, at: number): number {
    return this.cast.hears(id, at, world[at] as number, world[this.acked] as number);
  }

  /** The ranks of the versions `seqnum` that can still be met, or are named by such. */
  #ranksOf(world: World, seqnum: number): readonly number[] {
    const met = new Set<Mark>();
    for (const live of this.marksIn(world)) {
      for (let at = live; at !== none; at = this.cast.made(at).base) met.add(at);
    }
    const ranks = new Set<number>();
    for (const mark of met) {
      const { version, rank } = this.cast.made(mark);
      if (version.seqnum === seqnum) ranks.add(rank);
    }
    return [...ranks].sort((a, b) => a - b);
  }

  /** The versions that somebody holds, or knows, or that may land. */
  marksIn(world: World): ReadonlySet<Mark> {
    const { cast } = this;
    const { servers } = this.model;
    const marks = new Set<Mark>([world[this.acked] as number]);
    for (let at = 0; at < servers; at++) {
      for (const mark of cast.row(world[at] as number)) marks.add(mark);
    }
    for (let i = 0; i < this.#actors; i++) {
      for (const mark of cast.known(world[servers + i] as number).marks) marks.add(mark);
    }
    for (const { from, mark } of this.straysOf(world)) {
      marks.add(mark);
      for (const tested of cast.row(from)) marks.add(tested);
    }
    for (const { mark } of this.landingsOf(world)) marks.add(mark);
    marks.delete(none);
    return marks;
  }

  // --- writes -----------------------------------------------------------------------------------

  /** Any request of `index` lands, is answered, or given up; or its attempt is. */
  #writes(world: World, index: number, emit: Emit): void {
    const { cast, model } = this;
    const id = world[model.servers + index] as number;
    const steps = this.#cover ?? this.#deferral;
    if (steps !== null) steps.writes(world, index, emit);
    else for (const flight of cast.known(id).flights) this.write(world, index, flight, emit);
    this.leave(world, index, emit);
  }

  /** `index` leaves its attempt, unless it is its last. */
  leave(world: World, index: number, emit: Emit): void {
    const { cast, model } = this;
    const id = world[model.servers + index] as number;
    const { writer, flights } = cast.known(id);
    const left = cast.left(id);
    if (left === none) return;
    if (this.#cover?.isIdle(world, index) === true) return;
    const strays = flights.filter(
      (flight) => writer.pending[flight.at] === none && this.mayLand(world, flight),
    );
    emit(this.#withStrays(world.with(model.servers + index, left), strays), undefined, (name) => [
      `${name.writer(index, writer.attempt)} leaves its attempt`,
    ]);
  }

  /** Calls `emit` with everything that may come of one request of `index`. */
  write(world: World, index: number, flight: Flight, emit: Emit): void {
    for (const what of this.outcomes(world, index, flight)) {
      this.comesTo(what, world, index, flight, emit);
    }
  }

  /** What may come of one request of `index`; to give it up is the last. */
  outcomes(world: World, index: number, flight: Flight): readonly Outcome[] {
    const { cast, model } = this;
    const { at, mark, shnums } = flight;
    const found = cast.known(world[model.servers + index] as number).writer.pending[at] as number;
    const row = world[at] as number;
    const outcomes: Outcome[] = [];
    if (found === landed) {
      outcomes.push('hears');
      // The answer is lost, and whoever reads again finds nothing of it.
      const isOurs = (one: Mark, n: number) => (shnums & (1 << n)) !== 0 && cast.isOf(one, mark);
      if (!cast.row(row).some(isOurs)) outcomes.push('finds');
    } else {
      const isMet = found === none && cast.rowAfter(row, flight) !== none;
      outcomes.push(isMet ? 'lands' : 'finds');
    }
    if (model.givesUp) outcomes.push('givesUp');
    return outcomes;
  }

  /** The request of `index` comes to `what`, one of its outcomes. */
  comesTo(what: Outcome, world: World, index: number, flight: Flight, emit: Emit): void {
    const { cast, model } = this;
    const { at } = flight;
    const id = world[model.servers + index] as number;
    const { writer } = cast.known(id);
    const found = writer.pending[at] as number;
    const row = world[at] as number;
    const become = (next: number) => world.with(model.servers + index, next);
    const say = (words: (name: Names) => string): Told => {
      return (name) => [`${name.writer(index, writer.attempt)} ${words(name)} s${at}`];
    };
    switch (what) {
      case 'hears':
        // By the answer, or by a re-read after it was lost.
        emit(
          become(cast.accepted(id, at)),
          undefined,
          say(() => 'hears that it landed on'),
        );
        return;
      case 'finds': {
        const it = found >= 0 ? found : row;
        const told = say((name) => `finds ${name.row(it)} on`);
        emit(become(cast.surprised(id, at, it)), undefined, told);
        return;
      }
      case 'lands': {
        const told = model.late ? cast.pending(id, at, landed) : cast.accepted(id, at);
        const after = cast.rowAfter(row, flight);
        this.lands(
          become(told),
          flight,
          after,
          index,
          emit,
          say(() => 'lands on'),
        );
        return;
      }
      case 'givesUp': {
        const isUnderWay = found === none && this.mayLand(world, flight);
        const gaveUp = become(cast.gaveUp(id, at));
        const next = isUnderWay ? this.#withStrays(gaveUp, [flight]) : gaveUp;
        emit(
          next,
          undefined,
          say(() => 'gives up its write to'),
        );
      }
    }
  }

  /** Now, or once a disk has gone back to what `flight` tests for. */
  mayLand(world: World, flight: Flight): boolean {
    if ((world[this.losses] as number) > 0) return true;
    return this.cast.rowAfter(world[flight.at] as number, flight) !== none;
  }

  /** Forgets the requests that cannot land any more. */
  #dropStrays(next: number[]): void {
    const strays = this.straysOf(next);
    const kept = strays.filter((flight) => this.mayLand(next, flight));
    if (kept.length < strays.length) next[this.strays] = this.cast.flightsId(kept);
  }

  #withStrays(world: World, more: readonly Flight[]): World {
    if (more.length === 0) return world;
    return world.with(this.strays, this.cast.flightsId([...this.straysOf(world), ...more]));
  }

  #arrivals(world: World, emit: Emit): void {
    const strays = this.straysOf(world);
    strays.forEach((flight, i) => {
      if (i > 0 && flight === strays[i - 1]) return;
      this.arrive(world, i, emit);
    });
  }

  /** The stray request number `i` lands. */
  arrive(world: World, i: number, emit: Emit): void {
    const strays = this.straysOf(world);
    const flight = strays[i] as Flight;
    const after = this.cast.rowAfter(world[flight.at] as number, flight);
    if (after === none) return;
    const rest = world.with(this.strays, this.cast.flightsId(strays.toSpliced(i, 1)));
    this.lands(rest, flight, after, none, emit, (name) => [
      `a late write of ${name.mark(flight.mark)} lands on s${flight.at}`,
    ]);
  }

  /** Any share rots. */
  rot(world: World, emit: Emit): void {
    this.#spoil(world, this.rots, emit, (row) => rotsOf(this.cast, row));
  }

  /** The disk of any server loses what it held, or goes back. */
  lose(world: World, emit: Emit): void {
    const olds = [none, ...this.marksIn(world)];
    this.#spoil(world, this.losses, emit, (row) => lossesOf(this.cast, row, olds));
  }

  /** Every server comes to each of `waysOf` what it holds, as often as `left` in `world` says. */
  #spoil(
    world: World,
    left: number,
    emit: Emit,
    waysOf: (row: readonly Mark[]) => readonly Spoilt[],
  ): void {
    if (world[left] === 0) return;
    for (let at = 0; at < this.model.servers; at++) {
      for (const { row, told } of waysOf(this.cast.row(world[at] as number))) {
        const next = [...world];
        next[at] = this.cast.rowId(row);
        next[left] = (world[left] as number) - 1;
        this.#dropStrays(next);
        const tell: Told = (name) => told(name).map((line) => `${line} s${at}`);
        this.#observed(world, next, at, none, emit, this.#judge.judge(next), tell);
      }
    }
  }

  /** The request lands; `by` is the writer that it is of, if it is still waited for. */
  lands(world: World, flight: Flight, after: number, by: number, emit: Emit, told: Told): void {
    const { at, mark, shnums } = flight;
    const next = [...world];
    next[at] = after;
    this.#dropStrays(next);
    const isWorth = this.#cover?.dropsSpent(next) ?? true;
    const isForked = this.#judge.record(next, mark, 1 << at, shnums);
    const violation = isForked ? 'chain' : this.#judge.judge(next);
    if (!isWorth) {
      if (violation !== undefined) emit(null, violation, told);
      return;
    }
    this.#observed(world, next, at, by, emit, violation, told);
  }

  /** `next`, with every set of those who hear of `at` what it held before. */
  #observed(
    before: World,
    next: number[],
    at: number,
    by: number,
    emit: Emit,
    violation: Violation | undefined,
    told: Told,
  ): void {
    const { cast } = this;
    const { servers } = this.model;
    const row = before[at] as number;
    const observers: (readonly [place: number, become: () => number, told: Told])[] = [];
    for (let i = 0; i < this.#actors; i++) {
      if (i === by) continue;
      const id = next[servers + i] as number;
      const { writer, flights } = cast.known(id);
      const { phase } = writer;
      if (phase === 'looking' && this.model.defers) {
        next[servers + i] = cast.passes(id, at, row, before[this.acked] as number);
      } else if (phase === 'looking' && !writer.isWarm && writer.heard[at] === none) {
        const hears: Told = (name) => [
          `${name.writer(i, writer.attempt)} hears ${name.row(row)} from s${at}`,
        ];
        observers.push([servers + i, () => this.#hears(id, before, at), hears]);
      } else if (phase === 'writing' && writer.pending[at] === none) {
        const flight = flights.find((one) => one.at === at);
        if (flight === undefined || cast.rowAfter(row, flight) !== none) continue;
        if (this.#cover?.isNoNews(before, i, row, next[at] as number) === true) continue;
        const finds: Told = (name) => [
          `the request of ${name.writer(i, writer.attempt)} finds ${name.row(row)} on s${at}`,
        ];
        const { late, covers } = this.model;
        const found = () =>
          late || covers ? cast.pending(id, at, row) : cast.surprised(id, at, row);
        observers.push([servers + i, found, finds]);
      }
    }
    const sets = 1 << observers.length;
    // A walk takes one of them.
    const from = this.choose === null ? 0 : this.choose(sets);
    for (let set = from; set < (this.choose === null ? sets : from + 1); set++) {
      const those = observers.filter((_, i) => (set & (1 << i)) !== 0);
      const world = [...next];
      for (const [place, become] of those) world[place] = become();
      emit(world, violation, (name) => [...those.flatMap(([, , it]) => it(name)), ...told(name)]);
    }
  }
}
