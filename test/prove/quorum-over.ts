/**
 * @module quorum-over: worlds in which nobody looks any more, and nothing can be broken.
 *
 * What is left then is that requests land, those that are on their way and those that writers may
 * still send. Of each server by itself it is worked out what it may come to hold by that, and what
 * may have landed there on the way. That is more than can be: any writer may send to any server that
 * does not bar its version (`quorum-bars.ts`), at any time, whether or not its rules let it. Then every
 * combination of these is judged, each server in any state that it may come to. If none of them
 * breaks anything, then nothing that this world leads to does, and it is gone through no further.
 * If one does, that may be for nothing, and the world is gone through like any other.
 */
import type { PublishRecord } from '../../machines/publish-kernel.ts';
import type { QuorumCast } from './quorum-cast.ts';
import type { QuorumModel, Violation } from './quorum-model.ts';
import { bitsIn, type Flight, keyOf, type Mark, none, type Writer } from './quorum-parts.ts';
import type { Landing, World } from './quorum-step.ts';

/** What is asked of the worlds that are looked at. */
interface Worlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  isBarred(row: number, mark: Mark): boolean;
  /** Where in a world the newest acknowledged version is. */
  readonly acked: number;
  straysOf(world: World): readonly Flight[];
  landingsOf(world: World): readonly Landing[];
  judged(rows: readonly number[], acked: Mark): Violation | undefined;
}

/** A version of which more may be sent to a server, and what: bits of share numbers. */
interface Sender {
  readonly mark: Mark;
  /** Where there is a free place for them. */
  readonly shnums: number;
}

/** What there is at a server, and may land. */
interface Prospect {
  readonly row: number;
  readonly flights: readonly Flight[];
  readonly senders: readonly Sender[];
}

/** What a server may come to hold, and what has landed there on the way. */
interface Future {
  readonly row: number;
  readonly landed: readonly Mark[];
}

/** Of more combinations it is not asked. */
const combinationsMax = 1000;

export class Ends {
  readonly #worlds: Worlds;
  readonly #futures = new Map<string, readonly Future[]>();
  readonly #over = new Map<string, boolean>();

  constructor(worlds: Worlds) {
    this.#worlds = worlds;
  }

  /** Whether no step to come breaks anything; if that is not easily seen, false. */
  isOver(world: World): boolean {
    const { model } = this.#worlds;
    const left = this.#writing(world);
    if (left === null || model.readers > 0) return false;
    const landings = this.#worlds.landingsOf(world);
    const acked = world[this.#worlds.acked] as Mark;
    const prospects = Array.from({ length: model.servers }, (_, at) =>
      this.#prospectOf(world, left, at),
    );
    const books = landings.flatMap(({ mark, servers }) => [mark, servers]);
    const key = [...prospects.map(nameOf), keyOf([acked, ...books])].join('\uffff');
    const known = this.#over.get(key);
    if (known !== undefined) return known;
    const isOver =
      !this.#areRivals(prospects, landings) &&
      this.#areSafe(
        prospects.map((prospect) => this.#futuresOf(prospect)),
        acked,
        landings,
      );
    this.#over.set(key, isOver);
    return isOver;
  }

  /** Those who still write; null: somebody looks, or is to look again. */
  #writing(world: World): readonly Writer[] | null {
    const { cast, model } = this.#worlds;
    const { servers, writers, attempts } = model;
    const left: Writer[] = [];
    for (let place = servers; place < servers + writers; place++) {
      const { writer } = cast.known(world[place] as number);
      if (writer.phase === 'looking') return null;
      if (writer.phase === 'writing' && writer.attempt + 1 < attempts) return null;
      if (writer.phase === 'writing') left.push(writer);
    }
    return left;
  }

  #prospectOf(world: World, left: readonly Writer[], at: number): Prospect {
    const { cast, model } = this.#worlds;
    const row = world[at] as number;
    const flights = [...this.#worlds.straysOf(world)];
    for (let place = model.servers; place < model.servers + model.writers; place++) {
      flights.push(...cast.known(world[place] as number).flights);
    }
    const senders = left.flatMap(({ record, mark }): readonly Sender[] => {
      const shnums = this.#freeFor(record as PublishRecord, at);
      return shnums === null || this.#worlds.isBarred(row, mark) ? [] : [{ mark, shnums }];
    });
    return {
      row,
      flights: flights.filter((one) => one.at === at && cast.rowAfter(row, one) !== none),
      senders: senders.sort((a, b) => a.mark - b.mark),
    };
  }

  /**
   * The share numbers of which a server may be sent one that it has a free place for; null: it is
   * sent nothing. A number that is placed needs no other home; only where too few servers have any
   * does one that has none get a copy.
   */
  #freeFor({ targets, total, quorum }: PublishRecord, at: number): number | null {
    const all = (1 << total) - 1;
    const target = targets[at];
    if (target === undefined || target.status === 'closed') return null;
    const placed = targets.map((one) => one.placed);
    const isSpread = placed.filter((numbers) => numbers.length > 0).length >= quorum.size;
    if (!isSpread && target.placed.length === 0) return all;
    return placed.flat().reduce((rest, n) => rest & ~(1 << n), all);
  }

  /** Whether two versions may plainly both come to W servers, and neither contains the other. */
  #areRivals(prospects: readonly Prospect[], landings: readonly Landing[]): boolean {
    const { cast, model } = this.#worlds;
    const mayWin = (mark: Mark, isIn: (prospect: Prospect) => boolean) => {
      const before = landings.find((one) => one.mark === mark)?.servers ?? 0;
      const bits = prospects.map((it, at) => (isIn(it) ? 1 << at : 0));
      return bitsIn(bits.reduce((all, bit) => all | bit, before)) >= model.size;
    };
    const isSender = (mark: Mark) => (it: Prospect) => it.senders.some((one) => one.mark === mark);
    const senders = new Set(prospects.flatMap((it) => it.senders.map(({ mark }) => mark)));
    // It lands after the other one, wherever that does.
    const last = [...senders].filter((mark) => mayWin(mark, isSender(mark)));
    return last.some((newer) =>
      [...senders].some((mark) => {
        const isOlder = cast.made(mark).order < cast.made(newer).order;
        return isOlder && !cast.isBuiltOn(newer, mark) && mayWin(mark, isSender(mark));
      }),
    );
  }

  #futuresOf(prospect: Prospect): readonly Future[] {
    const name = nameOf(prospect);
    const known = this.#futures.get(name);
    if (known !== undefined) return known;
    const met = new Map<string, Future>();
    const reach = (row: number, landed: readonly Mark[]) => {
      const its = keyOf([row, ...landed]);
      if (met.has(its) || met.size > combinationsMax) return;
      met.set(its, { row, landed });
      for (const [mark, after] of this.#landingsOn(row, prospect)) {
        reach(after, landed.includes(mark) ? landed : [...landed, mark].sort((a, b) => a - b));
      }
    };
    reach(prospect.row, []);
    const futures = worst([...met.values()]);
    this.#futures.set(name, futures);
    return futures;
  }

  /** What may land on `row`: the version, and the row then. */
  #landingsOn(row: number, { flights, senders }: Prospect): readonly (readonly [Mark, number])[] {
    const { cast } = this.#worlds;
    const there = cast.row(row);
    const sent = flights.map((flight) => [flight.mark, cast.rowAfter(row, flight)] as const);
    const more = senders.flatMap(({ mark, shnums }) => {
      if (this.#worlds.isBarred(row, mark)) return [];
      const bitsOf = (isIt: (one: Mark) => boolean) =>
        there.reduce((bits, one, n) => (isIt(one) ? bits | (1 << n) : bits), 0);
      // All that is there gives way, or nothing does.
      const others = bitsOf((one) => one !== none && one !== mark);
      const free = bitsOf((one) => one === none) & shnums;
      return subsetsOf(free).flatMap((set) =>
        [set, set | others].map((bits) => {
          const after = there.map((one, n) => ((bits & (1 << n)) !== 0 ? mark : one));
          return [mark, bits === 0 ? none : cast.rowId(after)] as const;
        }),
      );
    });
    return [...sent, ...more].filter(([, after]) => after !== none);
  }

  #areSafe(
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
      if (!this.#isSafe(those, acked, landings)) return false;
    }
    return true;
  }

  /** Whether what has won W servers by then is one line, and these rows are as they should be. */
  #isSafe(those: readonly Future[], acked: Mark, landings: readonly Landing[]): boolean {
    const { cast, model } = this.#worlds;
    let newest = acked;
    for (const mark of new Set(those.flatMap(({ landed }) => landed))) {
      const before = landings.find((one) => one.mark === mark)?.servers ?? 0;
      const on = those.reduce(
        (bits, { landed }, at) => (landed.includes(mark) ? bits | (1 << at) : bits),
        before,
      );
      // That there are k distinct shares of it is not asked: so more counts as acknowledged.
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

/**
 * Of those with one row the ones on which most has landed, which break whatever others do: more is
 * acknowledged then. The worst first, to find what breaks soon.
 */
function worst(futures: readonly Future[]): readonly Future[] {
  const sorted = futures.toSorted((a, b) => b.landed.length - a.landed.length);
  return sorted.filter(({ row, landed }, i) => {
    const others = sorted.slice(0, i).filter((one) => one.row === row);
    return !others.some((one) => landed.every((mark) => one.landed.includes(mark)));
  });
}

function nameOf({ row, flights, senders }: Prospect): string {
  const kinds = flights.map(({ kind }) => kind).sort((a, b) => a - b);
  const more = senders.flatMap(({ mark, shnums }) => [mark, shnums]);
  return keyOf([row, kinds.length, ...kinds, ...more]);
}

function subsetsOf(bits: number): readonly number[] {
  const subsets = [0];
  for (let set = bits; set > 0; set = (set - 1) & bits) subsets.push(set);
  return subsets;
}
