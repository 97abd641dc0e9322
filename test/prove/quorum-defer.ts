/**
 * @module quorum-defer: what a request has found is told to its writer only when it matters.
 *
 * A request whose test does not hold any more never lands; all that can come of it is that its
 * writer learns what is there. Until then it is *owed* that. To be told is seen by nobody else, so
 * it can be put off for as long as the writer does the same without it, and comes to the same when
 * it is told later:
 *
 * - until another request is sent because of it, or
 * - until the server comes to hold something else (`QuorumWorlds` tells any of its observers
 *   then, or none, for they may as well be told of that), or
 * - until one of the writer's own requests lands, or it is told something else, and it is not all
 *   the same which comes first.
 *
 * Whether it is the same is asked of the shipped kernels, each time: the books have to be equal. So
 * what a world comes to with every tell a step of its own, it comes to here, too, less what is owed.
 * An attempt that ends by being told that it has failed is as well left (`QuorumWorlds.leave`): what
 * it was owed can not land. One that ends well by it need never be told: it does nothing more.
 */
import type { QuorumCast } from './quorum-cast.ts';
import type { QuorumModel } from './quorum-model.ts';
import { type Flight, type Mark, none } from './quorum-parts.ts';
import type { Emit, Told, World } from './quorum-step.ts';

/** What is asked of the worlds whose steps these are. */
interface Worlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  isBarred(row: number, mark: Mark): boolean;
  lands(world: World, flight: Flight, after: number, by: number, emit: Emit, told: Told): void;
}

/** What a server is found to hold. */
interface Tell {
  readonly at: number;
  readonly row: number;
}

/** A writer that was told something, and what. */
interface Taught {
  readonly id: number;
  readonly tells: readonly Tell[];
}

export class Deferral {
  readonly #worlds: Worlds;
  readonly #cast: QuorumCast;

  constructor(worlds: Worlds) {
    this.#worlds = worlds;
    this.#cast = worlds.cast;
  }

  /** Any request of `index` lands; or it is told what can not be put off. */
  writes(world: World, index: number, emit: Emit): void {
    const cast = this.#cast;
    const place = this.#worlds.model.servers + index;
    const id = world[place] as number;
    const { writer, flights } = cast.known(id);
    const rowAfter = (flight: Flight) => cast.rowAfter(world[flight.at] as number, flight);
    const owed = flights
      .filter((flight) => rowAfter(flight) === none)
      .map(({ at }): Tell => ({ at, row: world[at] as number }));
    const telling =
      (tells: readonly Tell[]): Told =>
      (name) =>
        tells.map(
          ({ at, row }) => `${name.writer(index, writer.attempt)} finds ${name.row(row)} on s${at}`,
        );
    for (const flight of flights) {
      const after = rowAfter(flight);
      if (after === none) continue;
      for (const { id: next, tells } of this.#accepted(id, flight.at, owed)) {
        this.#worlds.lands(world.with(place, next), flight, after, index, emit, (name) => [
          ...telling(tells)(name),
          `${name.writer(index, writer.attempt)} lands on s${flight.at}`,
        ]);
      }
    }
    for (const { id: next, tells } of this.#due(id, owed)) {
      emit(world.with(place, next), undefined, telling(tells));
    }
  }

  /** `world` without the attempts of which nothing comes any more: they were left. */
  settled(world: World): World {
    const { servers, writers } = this.#worlds.model;
    let next: number[] | null = null;
    for (let place = servers; place < servers + writers; place++) {
      const id = world[place] as number;
      if (!this.#isSpent(world, id)) continue;
      next ??= [...world];
      next[place] = this.#cast.spent(id);
    }
    return next ?? world;
  }

  /**
   * Whether nothing of the writer `id` can land any more: every server holds something newer, is
   * left out, or has all that it is ever to get.
   */
  #isSpent(world: World, id: number): boolean {
    const cast = this.#cast;
    const { record, mark, phase } = cast.known(id).writer;
    if (phase !== 'writing' || record === null) return false;
    const { targets, total } = record;
    const own = record.version?.checkstring;
    const isAllPlaced = new Set(targets.flatMap(({ placed }) => placed)).size === total;
    return targets.every(({ status, held, placed }, at) => {
      if (status === 'closed' || this.#worlds.isBarred(world[at] as number, mark)) return true;
      const isDone = placed.length > 0 && held.every(({ head }) => head === own);
      return status === 'open' && isAllPlaced && isDone;
    });
  }

  /** What the writer `id` comes to by being told what can not be put off any more. */
  #due(id: number, owed: readonly Tell[]): readonly Taught[] {
    const quiet = this.#quiet(id, owed);
    const steps: Taught[] = [];
    owed.forEach((last, i) => {
      const bit = 1 << i;
      steps.push(
        ...this.#apart(owed, (set) => {
          const isDue = (set & bit) === 0 && quiet[set] !== none && quiet[set | bit] === none;
          return isDue ? this.#cast.surprised(quiet[set] as number, last.at, last.row) : none;
        }).map((told) => ({ ...told, tells: [...told.tells, last] })),
      );
    });
    return steps;
  }

  /**
   * What the writer `id` comes to when its request to `at` lands, and it may have been told before
   * what it was owed.
   */
  #accepted(id: number, at: number, owed: readonly Tell[]): readonly Taught[] {
    const quiet = this.#quiet(id, owed);
    return this.#apart(owed, (set) =>
      quiet[set] === none ? none : this.#cast.accepted(quiet[set] as number, at),
    );
  }

  /**
   * What `become` makes of each set of tells (none: nothing), but for those that come of a smaller
   * set when the rest is told after it.
   */
  #apart(owed: readonly Tell[], become: (set: number) => number): readonly Taught[] {
    const kept: (readonly [set: number, id: number])[] = [];
    for (let set = 0; set < 1 << owed.length; set++) {
      const id = become(set);
      if (id === none) continue;
      const isLater = kept.some(([less, before]) => {
        if ((less & set) !== less) return false;
        const rest = owed.filter((_, i) => (set & ~less & (1 << i)) !== 0);
        return this.#quiet(before, rest).at(-1) === id;
      });
      if (!isLater) kept.push([set, id]);
    }
    return kept.map(([set, id]) => ({ id, tells: owed.filter((_, i) => (set & (1 << i)) !== 0) }));
  }

  /**
   * The writer `id` after each set of tells, by the set's bits; none where it sends something
   * because of them, or where it matters which comes first.
   */
  #quiet(id: number, owed: readonly Tell[]): readonly number[] {
    const after = [id];
    for (let set = 1; set < 1 << owed.length; set++) {
      const ways = owed.flatMap(({ at, row }, i) => {
        const before = after[set & ~(1 << i)] as number;
        return (set & (1 << i)) === 0 ? [] : [this.#quietly(before, at, row)];
      });
      const [first = none] = ways;
      after[set] = ways.every((way) => way === first) ? first : none;
    }
    return after;
  }

  /** The writer `id` after one tell; none if it sends something because of it. */
  #quietly(id: number, at: number, row: number): number {
    const cast = this.#cast;
    if (id === none || cast.known(id).writer.phase !== 'writing') return none;
    const { flights } = cast.known(id);
    const told = cast.surprised(id, at, row);
    const isSent = cast
      .known(told)
      .flights.some(
        (one) => !flights.some(({ at: to, kind }) => to === one.at && kind === one.kind),
      );
    return isSent ? none : told;
  }
}
