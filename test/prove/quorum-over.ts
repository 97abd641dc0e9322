/**
 * @module quorum-over: worlds in which nobody looks any more, and nothing can be broken.
 */
import type { QuorumCast } from './quorum-cast.ts';
import type { QuorumModel, Violation } from './quorum-model.ts';
import { bitsIn, type Flight, keyOf, type Mark, none } from './quorum-parts.ts';
import type { Landing, World } from './quorum-step.ts';

/** What is asked of the worlds that are looked at. */
interface Worlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  isBarred(row: number, mark: Mark): boolean;
  readonly acked: number;
  straysOf(world: World): readonly Flight[];
  landingsOf(world: World): readonly Landing[];
  judged(rows: readonly number[], acked: Mark): Violation | undefined;
}

/** What a server may come to hold, and what has landed there on the way. */
interface Future {
  readonly row: number;
  readonly landed: readonly Mark[];
}

/** Of more combinations it is not asked. */
const combinationsMax = 5000;

export class Ends {
  readonly #worlds: Worlds;
  readonly #futures = new Map<string, readonly Future[]>();
  readonly #over = new Map<string, boolean>();

  constructor(worlds: Worlds) {
    this.#worlds = worlds;
  }

  isOver(world: World): boolean {
    const { cast, model } = this.#worlds;
    const { servers, writers, attempts, readers } = model;
    if (readers > 0) return false;
    const flights = [...this.#worlds.straysOf(world)];
    const senders: Mark[][] = Array.from({ length: servers }, () => []);
    for (let i = 0; i < writers; i++) {
      const { writer, flights: own } = cast.known(world[servers + i] as number);
      if (writer.phase === 'ended') continue;
      if (writer.phase === 'looking' || writer.attempt + 1 < attempts) return false;
      flights.push(...own);
      writer.record?.targets.forEach(({ status }, at) => {
        if (status !== 'closed') senders[at]?.push(writer.mark);
      });
    }
    const landings = this.#worlds.landingsOf(world);
    const acked = world[this.#worlds.acked] as Mark;
    const parts = senders.map((marks, at) => {
      const here = flights
        .filter((one) => one.at === at && cast.rowAfter(world[at] as number, one) !== none)
        .map(({ kind }) => kind);
      const may = marks.filter((mark) => !this.#worlds.isBarred(world[at] as number, mark));
      return [world[at] as number, here.length, ...here.sort(), ...may.sort()];
    });
    const books = landings.flatMap(({ mark, servers: on }) => [mark, on]);
    const key = `${parts.map(keyOf).join('\uffff')}\ufffe${keyOf([acked, ...books])}`;
    const known = this.#over.get(key);
    if (known !== undefined) return known;
    const futures = parts.map((part, at) => {
      const kinds = part.slice(2, 2 + (part[1] as number));
      const here = flights.filter((one) => one.at === at && kinds.includes(one.kind));
      return this.#futuresOf(part[0] as number, here, part.slice(2 + kinds.length));
    });
    const isOver = this.#isSafe(futures, acked, landings);
    this.#over.set(key, isOver);
    return isOver;
  }

  #futuresOf(row: number, flights: readonly Flight[], senders: readonly Mark[]): readonly Future[] {
    const { cast, model } = this.#worlds;
    const key = keyOf([row, flights.length, ...flights.map(({ kind }) => kind), ...senders]);
    const known = this.#futures.get(key);
    if (known !== undefined) return known;
    const met = new Map<string, Future>();
    const reach = (next: number, landed: readonly Mark[]) => {
      const it = { row: next, landed: [...landed].sort((a, b) => a - b) };
      const its = keyOf([next, ...it.landed]);
      if (met.has(its) || met.size > combinationsMax) return;
      met.set(its, it);
      const withMark = (mark: Mark) => (landed.includes(mark) ? landed : [...landed, mark]);
      for (const flight of flights) {
        const after = cast.rowAfter(next, flight);
        if (after !== none) reach(after, withMark(flight.mark));
      }
      for (const mark of senders) {
        if (this.#worlds.isBarred(next, mark)) continue;
        for (let set = 1; set < 1 << model.total; set++) {
          const after = cast.row(next).map((one, n) => ((set & (1 << n)) !== 0 ? mark : one));
          reach(cast.rowId(after), withMark(mark));
        }
      }
    };
    reach(row, []);
    const all = [...met.values()];
    this.#futures.set(key, all);
    return all;
  }

  #isSafe(
    futures: readonly (readonly Future[])[],
    acked: Mark,
    landings: readonly Landing[],
  ): boolean {
    const count = futures.reduce((product, { length }) => product * length, 1);
    if (count > combinationsMax) return false;
    for (let n = 0; n < count; n++) {
      let rest = n;
      const those = futures.map((all) => {
        const one = all[rest % all.length] as Future;
        rest = Math.floor(rest / all.length);
        return one;
      });
      if (!this.#isFine(those, acked, landings)) return false;
    }
    return true;
  }

  #isFine(those: readonly Future[], acked: Mark, landings: readonly Landing[]): boolean {
    const { cast, model } = this.#worlds;
    let newest = acked;
    for (const mark of new Set(those.flatMap(({ landed }) => landed))) {
      let on = landings.find((one) => one.mark === mark)?.servers ?? 0;
      those.forEach(({ landed }, at) => {
        if (landed.includes(mark)) on |= 1 << at;
      });
      if (bitsIn(on) < model.size || cast.isBuiltOn(newest, mark)) continue;
      if (!cast.isBuiltOn(mark, newest)) return false;
      newest = mark;
    }
    return (
      this.#worlds.judged(
        those.map(({ row }) => row),
        newest,
      ) === undefined
    );
  }
}
