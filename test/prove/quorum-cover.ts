/**
 * @module quorum-cover: steps that need not be gone through, since others come to all that they do.
 *
 * One share on each server (N = 1), and versions that name their parents. One writer *covers*
 * another if it has sent all that the other has, and will send all that the other would: its requests
 * need not land, and it need not be told. What it may send hangs on the servers that it has won, on
 * what it knows that keeps rivals from others (D2), and on which was built on which. More of
 * each never means less that is sent; `quorum.test.ts` compares what comes of it. So
 *
 * - a writer hears at once that its request has landed. One whose answer is lost, or that gives a
 *   request up, or asks no more after four tries, is covered by one that never hears;
 * - from its plan on it knows the parents of all that it meets. So it lacks nothing that it could
 *   learn by a re-read that shows somebody else where its own had landed;
 * - it is told what its requests have found only when that lets it send something; what it is told
 *   may be of before (`isNoNews`), for there it may be another that keeps rivals away;
 * - of plans on one base with one number those from the most servers cover the rest;
 * - an attempt that has come to nothing is as well not begun, and whoever stands just so with fewer
 *   attempts behind it covers the one with more.
 */

import type { QuorumCast } from './quorum-cast.ts';
import type { QuorumModel } from './quorum-model.ts';
import { type Flight, type Mark, none } from './quorum-parts.ts';
import type { Emit, Landing, Names, Told, World } from './quorum-step.ts';

/** What is asked of the worlds whose steps these are. */
interface Worlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  /** Where in a world the newest acknowledged version is. */
  readonly acked: number;
  lands(world: World, flight: Flight, after: number, by: number, emit: Emit, told: Told): void;
  mayLand(world: World, flight: Flight): boolean;
  marksIn(world: World): ReadonlySet<Mark>;
  straysOf(world: World): readonly Flight[];
  landingsOf(world: World): readonly Landing[];
  mayYetWin(world: World, landing: Landing): boolean;
}

export class Cover {
  readonly #worlds: Worlds;

  constructor(worlds: Worlds) {
    this.#worlds = worlds;
  }

  #known(world: World, index: number) {
    const { cast, model } = this.#worlds;
    return cast.known(world[model.servers + index] as number);
  }

  /** The one version on a server. */
  #on(row: number): Mark {
    return this.#worlds.cast.row(row)[0] as Mark;
  }

  /** Any request of `index` lands; or it is told enough to send more. */
  writes(world: World, index: number, emit: Emit): void {
    const { cast, model } = this.#worlds;
    const { writer, flights } = this.#known(world, index);
    const place = model.servers + index;
    const id = world[place] as number;
    const tells: (readonly [at: number, row: number])[] = [];
    for (const flight of flights) {
      const { at } = flight;
      const row = world[at] as number;
      const found = writer.pending[at] as number;
      const after = found === none ? cast.rowAfter(row, flight) : none;
      if (after === none) {
        tells.push([at, found === none ? row : found]);
        continue;
      }
      const next = world.with(place, cast.accepted(id, at));
      const told: Told = (name) => [`${name.writer(index, writer.attempt)} lands on s${at}`];
      this.#worlds.lands(next, flight, after, index, emit, told);
    }
    const kept: number[] = [];
    for (let set = 1; set < 1 << tells.length; set++) {
      // Fewer do as well: the rest is told when it lets something be sent.
      if (kept.some((one) => (one & set) === one)) continue;
      const those = tells.filter((_, i) => (set & (1 << i)) !== 0);
      const next = this.#told(id, those);
      if (!this.#sends(next, flights)) continue;
      kept.push(set);
      emit(world.with(place, next), undefined, (name: Names) =>
        those.map(
          ([at, row]) => `${name.writer(index, writer.attempt)} finds ${name.row(row)} on s${at}`,
        ),
      );
    }
  }

  /** The writer when it was told what its requests have found; or when its attempt is over by it. */
  #told(id: number, tells: readonly (readonly [at: number, row: number])[]): number {
    const { cast } = this.#worlds;
    return tells.reduce((one, [at, row]) => {
      const isWriting = cast.known(one).writer.phase === 'writing';
      return isWriting ? cast.surprised(one, at, row) : one;
    }, id);
  }

  #sends(id: number, before: readonly Flight[]): boolean {
    const { flights } = this.#worlds.cast.known(id);
    return flights.some(
      (one) => !before.some(({ at, kind }) => at === one.at && kind === one.kind),
    );
  }

  /** Whether nothing of the attempt of `index` has landed, nor may. */
  isIdle(world: World, index: number): boolean {
    const { writer, flights } = this.#known(world, index);
    const isThere = writer.record?.targets.some(({ placed }) => placed.length > 0) ?? false;
    return !isThere && flights.every((flight) => !this.#worlds.mayLand(world, flight));
  }

  /**
   * Ends attempts that have won, or lost, every server: where something newer is, nothing lands.
   * @returns whether the world is worth while: one of them has come to something
   */
  dropsSpent(world: number[]): boolean {
    const { cast, model } = this.#worlds;
    for (let i = 0; i < model.writers; i++) {
      const { writer, slots, flights } = this.#known(world, i);
      if (writer.phase !== 'writing') continue;
      const { order } = cast.made(writer.mark);
      const isNewer = (at: number) => cast.made(this.#on(world[at] as number)).order > order;
      if (!slots.every((slot, at) => slot === null || isNewer(at))) continue;
      // That it does not write over these is for the kernel to say.
      const id = world[model.servers + i] as number;
      const tells = flights.map(({ at }) => [at, world[at] as number] as const);
      if (cast.known(this.#told(id, tells)).writer.phase === 'writing') continue;
      if (this.isIdle(world, i)) return false;
      world[model.servers + i] = cast.spent(id);
    }
    return true;
  }

  /** The least number that a version to come may have; infinite: there is none to come. */
  futureOf(world: World, but = none): number {
    const { model } = this.#worlds;
    const rows = world.slice(0, model.servers);
    let isToCome = false;
    for (let i = 0; i < model.writers; i++) {
      const { phase, attempt, heard } = this.#known(world, i).writer;
      if (phase === 'looking') rows.push(...heard.filter((row) => row !== none));
      if (i === but || phase === 'ended') continue;
      if (phase === 'looking' || attempt + 1 < model.attempts) isToCome = true;
    }
    const { cast } = this.#worlds;
    const seqnums = rows.map((row) => cast.made(this.#on(row)).version.seqnum);
    return isToCome ? 1 + Math.min(...seqnums) : Number.POSITIVE_INFINITY;
  }

  /**
   * Whether it is nothing to writer `index` that a server held `row` before `after` took its place:
   * that keeps the same rivals away, and is as much, or as little, to be written over.
   */
  isNoNews(world: World, index: number, row: number, after: number): boolean {
    const { cast } = this.#worlds;
    const { base, order } = cast.made(this.#known(world, index).writer.mark);
    const there = this.#on(row);
    const { order: its, version } = cast.made(there);
    const isKept = (one: Mark) =>
      cast.made(one).order < its && !cast.isBuiltOn(there, one) && !cast.isBuiltOn(base, one);
    const areKept = (newest: Mark) => {
      for (let at = newest; at !== none; at = cast.made(at).base) if (isKept(at)) return true;
      return false;
    };
    if (areKept(cast.made(this.#on(after)).base)) return false;
    if (its > order) return true;
    if (version.seqnum >= this.futureOf(world, index)) return false;
    return ![...this.#worlds.marksIn(world)].some(areKept);
  }

  /** Whether nobody looks any more, nobody can win, and all contains what is acknowledged. */
  isOver(world: World): boolean {
    const { cast, model } = this.#worlds;
    const acked = world[this.#worlds.acked] as Mark;
    const may = new Set(this.#worlds.straysOf(world).map(({ mark }) => mark));
    for (let i = 0; i < model.writers + model.readers; i++) {
      const { phase, attempt, mark } = this.#known(world, i).writer;
      if (phase === 'ended') continue;
      if (phase === 'looking' || attempt + 1 < model.attempts) return false;
      may.add(mark);
    }
    const rows = world.slice(0, model.servers).map((row) => this.#on(row));
    if (![...rows, ...may].every((mark) => cast.isBuiltOn(mark, acked))) return false;
    const landings = this.#worlds.landingsOf(world);
    return [...may].every((mark) => {
      const landing = landings.find((one) => one.mark === mark);
      return !this.#worlds.mayYetWin(world, landing ?? { mark, servers: 0, shnums: 0 });
    });
  }

  /** Worlds that differ from this one in that writers have fewer attempts behind them. */
  *younger(world: World): Generator<World> {
    const { cast, model } = this.#worlds;
    const behind = Array.from({ length: model.writers }, (_, i) => {
      const { attempt, phase } = this.#known(world, i).writer;
      return phase === 'ended' ? model.attempts : attempt;
    });
    const count = behind.reduce((product, attempts) => product * (attempts + 1), 1);
    for (let n = 0; n < count - 1; n++) {
      const less = [...world];
      let rest = n;
      behind.forEach((attempts, i) => {
        const attempt = rest % (attempts + 1);
        rest = Math.floor(rest / (attempts + 1));
        const place = model.servers + i;
        if (attempt < attempts) less[place] = cast.withAttempt(world[place] as number, attempt);
      });
      yield less;
    }
  }
}
