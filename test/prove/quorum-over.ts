/**
 * @module quorum-over: worlds in which nobody looks any more, and nothing can be broken.
 *
 * What is left then is that requests land, those that are on their way and those that writers may
 * still send. Of each server by itself it is worked out what it may come to (`quorum-futures.ts`), and
 * every combination of that is judged. If one breaks something, then of all servers together, with
 * what keeps one version off while another may win (`quorum-joint.ts`). If nothing breaks, nothing
 * that this world leads to does, and it is gone through no further. If something breaks, that may be
 * for nothing, and the world is gone through like any other.
 *
 * Both are more than can be if the publish kernel sends only where `isReplaceable` lets it, counts as
 * won only where its shares landed, writes over all that is there or into free places, and sends the
 * numbers that `freeFor` says. `quorum-over.test.ts` sees that it does: what a world may come to
 * holds what each of the worlds after it may come to.
 */
import { type Future, Futures, worst } from './quorum-futures.ts';
import { bitsOf, type Joint, Joints, type Site, siteOf } from './quorum-joint.ts';
import type { Kernels, Violation } from './quorum-model.ts';
import { bitsIn, keyOf, type Mark } from './quorum-parts.ts';
import {
  isWithin,
  joined,
  type Last,
  type OpenWorlds,
  type Outset,
  outsetOf,
  type Past,
  type Prospect,
  versionsOn,
} from './quorum-prospects.ts';
import type { World } from './quorum-step.ts';

/** What is asked of the worlds that are looked at. */
interface Worlds extends OpenWorlds {
  judged(rows: readonly number[], acked: Mark): Violation | undefined;
  isShown(versions: readonly string[], acked: Mark): boolean;
}

/** What may become of a server that stands so. */
interface Outlook {
  readonly futures: readonly Future[];
  /** Of which versions it holds shares: their key. */
  readonly versions: string;
  /** The same as a number, of this server. */
  readonly holds: number;
  /** Of each mark of the joint the share numbers that are there in all of these. */
  readonly always: readonly number[];
}

/** So many worlds that are over are kept, of one kind. */
const coversMax = 31;

/** So that what six servers hold is one number. */
const holdsMax = 64;

/** Of more combinations it is not asked. */
const combinationsMax = 1000;

export class Ends {
  readonly #worlds: Worlds;
  readonly #joints: Joints;
  readonly #futures: Futures;
  readonly #known = new Map<string, boolean>();
  /** What may come of worlds that are over, by what there is and has been. */
  readonly #over = new Map<string, readonly (readonly Prospect[])[]>();

  constructor(worlds: Worlds, kernels: Kernels) {
    this.#worlds = worlds;
    this.#joints = new Joints(worlds.cast, kernels);
    this.#futures = new Futures(worlds.cast, (row, mark) => worlds.isBarred(row, mark));
  }

  /** Whether no step to come breaks anything; if that is not easily seen, false. */
  isOver(world: World): boolean {
    const outset = outsetOf(this.#worlds, world);
    return outset !== null && this.#isSeenOver(outset);
  }

  /** The same, once the last look in it has come to any plan for a mark, and nobody else looks. */
  isOverFor(world: World, look: Last): boolean {
    const outset = outsetOf(this.#worlds, world, look);
    return outset !== null && this.#isSeenOver(outset);
  }

  #isSeenOver(outset: Outset): boolean {
    const { prospects, past, now, key } = outset;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#isCovered(outset)) return true;
    const more = this.#widened(outset);
    const isOver = more !== null || this.#isSeen(prospects, past);
    this.#known.set(key, isOver);
    if (isOver) this.#covers(now, more ?? prospects);
    return isOver;
  }

  #isSeen(prospects: readonly Prospect[], past: Past): boolean {
    return this.#isOverByItself(prospects, past) || this.#isOverTogether(prospects, past);
  }

  /** Whether as much or more may come of a world that was found to be over. */
  #isCovered({ prospects, now }: Outset): boolean {
    return (this.#over.get(now) ?? []).some((more) => areWithin(prospects, more));
  }

  /**
   * All that may come of this world or of another one that stands so and is over, if that is over as
   * well: else null. So it is asked once of most that differ in what is on its way. The other one
   * has all versions of this: more of them would be much more to go through.
   */
  #widened({ prospects, past, now }: Outset): readonly Prospect[] | null {
    const marks = comingIn(prospects);
    const other = this.#over.get(now)?.findLast((more) => {
      const all = comingIn(more);
      return marks.every((mark) => all.includes(mark));
    });
    if (other === undefined) return null;
    const both = prospects.map((one, at) => joined(one, other[at] as Prospect));
    return this.#isSeen(both, past) ? both : null;
  }

  #covers(now: string, prospects: readonly Prospect[]): void {
    const rest = (this.#over.get(now) ?? []).filter((less) => !areWithin(less, prospects));
    this.#over.set(now, [...rest.slice(-coversMax), prospects]);
  }

  // --- each server by itself --------------------------------------------------------------------

  #isOverByItself(prospects: readonly Prospect[], past: Past): boolean {
    if (this.#areRivals(prospects, past)) return false;
    const futures = prospects.map((prospect) => this.#futures.of(prospect));
    if (futures.includes(null)) return false;
    return this.#areSafe(
      futures.map((all) => worst(all ?? [])),
      past,
    );
  }

  /** Whether two versions may plainly both come to W servers, and neither contains the other. */
  #areRivals(prospects: readonly Prospect[], { landings }: Past): boolean {
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

  /** Whether nothing breaks, whichever of its futures each server comes to. */
  #areSafe(futures: readonly (readonly Future[])[], past: Past): boolean {
    const count = combinationsOf(futures);
    if (count > combinationsMax) return false;
    for (let n = 0; n < count; n++) {
      let rest = n;
      const those = futures.map((all) => {
        const one = all[rest % all.length] as Future;
        rest = Math.floor(rest / all.length);
        return one;
      });
      if (!this.#isSafe(those, past)) return false;
    }
    return true;
  }

  /** Whether what has won W servers by then is one line, and these rows are as they should be. */
  #isSafe(those: readonly Future[], { acked, landings }: Past): boolean {
    const { cast, model } = this.#worlds;
    let newest = acked;
    for (const mark of new Set(those.flatMap(({ landed }) => [...landed.keys()]))) {
      const before = landings.find((one) => one.mark === mark);
      let servers = before?.servers ?? 0;
      let shnums = before?.shnums ?? 0;
      those.forEach(({ landed }, at) => {
        const bits = landed.get(mark);
        if (bits === undefined) return;
        servers |= 1 << at;
        shnums |= bits;
      });
      const isWon = bitsIn(servers) >= model.size && bitsIn(shnums) >= model.required;
      if (!isWon || cast.isBuiltOn(newest, mark)) continue;
      if (!cast.isBuiltOn(mark, newest)) return false;
      newest = mark;
    }
    const rows = those.map(({ row }) => row);
    return this.#worlds.judged(rows, newest) === undefined;
  }

  // --- all servers together ---------------------------------------------------------------------

  #isOverTogether(prospects: readonly Prospect[], past: Past): boolean {
    const sites = prospects.map((prospect) => siteOf(this.#worlds.cast, prospect));
    const joint = this.#joints.of(sites, past.acked);
    if (joint === null) return false;
    const outlooks: (readonly Outlook[])[] = [];
    for (const [at, prospect] of prospects.entries()) {
      const futures = this.#futures.of(prospect);
      if (futures === null) return false;
      const its = this.#outlooksOf(futures, sites[at] as Site, joint, at);
      if (its.some(({ holds }) => holds >= holdsMax)) return false;
      outlooks.push(its);
    }
    const those: Outlook[] = [];
    const shown = new Map<number, boolean>();
    return joint.every(past.acked, (places, newest) => {
      for (let at = 0; at < places.length; at++) {
        those[at] = (outlooks[at] as readonly Outlook[])[places[at] as number] as Outlook;
        if (those[at]?.futures.length === 0) return true;
      }
      return (
        this.#isSafeAnyway(those, joint, newest, shown) ||
        this.#areSafe(
          those.map(({ futures }) => futures),
          past,
        )
      );
    });
  }

  /** What may become of a server, by what that is in `joint`. */
  #outlooksOf(
    futures: readonly Future[],
    { had }: Site,
    joint: Joint,
    at: number,
  ): readonly Outlook[] {
    const { cast } = this.#worlds;
    const { marks } = joint;
    const before = bitsOf(had, marks);
    const all = futures.map((future) => {
      const holds = bitsOf(versionsOn(cast, future.row), marks);
      return { future, holds, had: before | bitsOf([...future.landed.keys()], marks) };
    });
    const holds = [...new Set(joint.standsOf(at).map((stand) => stand.holds))];
    return joint.standsOf(at).map((stand): Outlook => {
      const its = all
        .filter((one) => one.holds === stand.holds && one.had === stand.had)
        .map(({ future }) => future);
      const always = marks.map((mark) =>
        its.reduce((bits, { row }) => bits & shnumsOf(cast.row(row), mark), -1),
      );
      const versions = keyOf(marks.filter((_, i) => ((stand.holds >> i) & 1) === 1));
      return { futures: worst(its), versions, holds: holds.indexOf(stand.holds), always };
    });
  }

  /**
   * Whether nothing breaks where servers stand so, whatever share numbers are where.
   * @param shown what was found before, by the newest acknowledged mark and what each server holds
   */
  #isSafeAnyway(
    outlooks: readonly Outlook[],
    { marks }: Joint,
    newest: Mark,
    shown: Map<number, boolean>,
  ): boolean {
    const { cast, model } = this.#worlds;
    const isWhole = (i: number) => {
      let shnums = 0;
      for (const { always } of outlooks) shnums |= always[i] as number;
      return bitsIn(shnums) >= model.required;
    };
    if (!marks.some((mark, i) => isWhole(i) && cast.isBuiltOn(mark, newest))) return false;
    const key = outlooks.reduce((sum, { holds }) => sum * holdsMax + holds, marks.indexOf(newest));
    const known = shown.get(key);
    if (known !== undefined) return known;
    const versions = outlooks.map((outlook) => outlook.versions);
    const isShown = this.#worlds.isShown(versions, newest);
    shown.set(key, isShown);
    return isShown;
  }
}

function combinationsOf(futures: readonly (readonly Future[])[]): number {
  return futures.reduce((product, { length }) => product * length, 1);
}

function shnumsOf(row: readonly Mark[], mark: Mark): number {
  return row.reduce((bits, one, n) => (one === mark ? bits | (1 << n) : bits), 0);
}

/** The versions of which more may land. */
function comingIn(prospects: readonly Prospect[]): readonly Mark[] {
  return prospects.flatMap(({ flights, senders }) =>
    [...flights, ...senders].map(({ mark }) => mark),
  );
}

/** Whether no more may come of servers with the same rows. */
function areWithin(less: readonly Prospect[], more: readonly Prospect[]): boolean {
  for (let at = 0; at < less.length; at++) {
    if (!isWithin(less[at] as Prospect, more[at] as Prospect)) return false;
  }
  return true;
}
