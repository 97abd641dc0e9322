/**
 * @module quorum-looks: what was heard of each server is settled only when the plan is made.
 *
 * A reading is seen by nobody, so what a server holds while somebody looks is no more than kept, with
 * what was acknowledged by then (`Passed`). A plan is made of any of it: of each server what it holds,
 * what it has held since the look began, or nothing. The look began, at the latest, just before the
 * first server of these came to hold something else.
 *
 * Of the last look of all, most plans lead to worlds that are over (`quorum-over.ts`). So it is asked
 * first, once for all plans of one base, whether whatever is sent for it comes to nothing. What is so
 * stays so while the look goes on, for that it may be sent at any time is among it.
 */
import { meetingSize } from '../../machines/quorum.ts';
import type { QuorumCast } from './quorum-cast.ts';
import type { QuorumModel, Violation } from './quorum-model.ts';
import type { Ends } from './quorum-over.ts';
import { Interned, keyOf, type Mark, none, type Passed } from './quorum-parts.ts';
import type { Covers, Emit, World } from './quorum-step.ts';

/** A look that is over. */
export interface Look {
  /** The writer, with all that it has heard. */
  readonly id: number;
  readonly heard: readonly { readonly at: number; readonly row: number }[];
  /** The newest that had been acknowledged when it began, at the latest. */
  readonly acked: Mark;
}

/** What is asked of the worlds in which somebody looks. */
interface Worlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  readonly acked: number;
  readonly shown: number;
  marksFor(world: World, id: number): readonly Mark[];
  planBy(world: World, index: number, look: Look, emit: Emit, covers: Covers | null): void;
}

/** What comes of the looks that can be had of servers: a writer with such a plan, for each base. */
interface Plans {
  readonly isSound: boolean;
  readonly ids: readonly number[];
}

export class Looks {
  readonly #worlds: Worlds;
  readonly #ends: Pick<Ends, 'isOverFor'>;
  readonly #meeting: number;
  readonly #plans = new Map<string, Plans>();
  readonly #shown = new Interned<readonly Mark[]>();
  /** Whether plans are left out that come to nothing. */
  leavesOut = true;

  constructor(worlds: Worlds, ends: Pick<Ends, 'isOverFor'>) {
    this.#worlds = worlds;
    this.#ends = ends;
    this.#meeting = meetingSize(worlds.cast.quorum);
    // So that 0 is none of them.
    this.#shown.idOf(keyOf([]), () => []);
  }

  /** `index` makes every plan that can be made, less those that come to nothing. */
  plans(world: World, index: number, emit: Emit): void {
    const { cast, model, shown } = this.#worlds;
    const id = world[model.servers + index] as number;
    const isOpen = this.leavesOut ? this.#openIn(world, index) : () => true;
    if (isOpen === null) return;
    const from = world.with(shown, 0);
    this.#each(cast.forgets(id), this.#choicesIn(world, id), (look) => {
      if (isOpen(look.id)) this.#worlds.planBy(from, index, look, emit, null);
    });
  }

  /**
   * `world`, in which it is booked of which versions it was found that nothing comes of a last look
   * for them. So it is in all worlds that come of it while that look goes on.
   */
  seen(world: World): World {
    const { shown } = this.#worlds;
    const index = this.leavesOut ? this.#lastIn(world) : none;
    if (index === none) return world;
    const { isSound, ids } = this.#plansIn(world, index);
    if (!isSound) return world;
    const before = this.#shown.items[world[shown] as number] as readonly Mark[];
    const more = ids
      .flatMap((id) => this.#worlds.marksFor(world, id))
      .filter((mark) => !before.includes(mark) && this.#ends.isOverFor(world, { index, mark }));
    if (more.length === 0) return world;
    const all = [...before, ...more].sort((a, b) => a - b);
    return world.with(
      shown,
      this.#shown.idOf(keyOf(all), () => all),
    );
  }

  /** Of which plans something may come; null: of none. */
  #openIn(world: World, index: number): ((id: number) => boolean) | null {
    const { cast, shown } = this.#worlds;
    const marks = this.#shown.items[world[shown] as number] as readonly Mark[];
    if (marks.length === 0 || this.#lastIn(world) !== index) return () => true;
    const { isSound, ids } = this.#plansIn(world, index);
    if (!isSound) return () => true;
    const open = ids.filter(
      (id) =>
        cast.planned(id).record?.isAgain === true ||
        !this.#worlds.marksFor(world, id).every((mark) => marks.includes(mark)),
    );
    if (open.length === 0) return null;
    const names = new Set(open.map((id) => this.#nameOf(id)));
    return (id) => names.has(this.#nameOf(id));
  }

  /** What can have been heard of each server. */
  #choicesIn(world: World, id: number): readonly (readonly Passed[])[] {
    const { cast, model, acked } = this.#worlds;
    const { passed } = cast.known(id).writer;
    return Array.from({ length: model.servers }, (_, at) => [
      { row: world[at] as number, acked: world[acked] as Mark },
      ...(passed[at] ?? []),
    ]);
  }

  /** Every look at enough servers. */
  #each(
    looker: number,
    choices: readonly (readonly Passed[])[],
    onLook: (look: Look) => void,
  ): void {
    const { cast } = this.#worlds;
    const heard: { at: number; row: number }[] = [];
    const hear = (id: number, acked: Mark, at: number) => {
      if (heard.length + choices.length - at < this.#meeting) return;
      if (at === choices.length) {
        onLook({ id, heard: [...heard], acked });
        return;
      }
      for (const one of choices[at] as readonly Passed[]) {
        heard.push({ at, row: one.row });
        hear(cast.hears(id, at, one.row, none), this.#older(acked, one.acked), at + 1);
        heard.pop();
      }
      hear(id, acked, at + 1);
    };
    hear(looker, none, 0);
  }

  #older(one: Mark, other: Mark): Mark {
    const { cast } = this.#worlds;
    return one === none || cast.made(other).order < cast.made(one).order ? other : one;
  }

  /** By number and base. */
  #nameOf(id: number): string {
    const { record, base } = this.#worlds.cast.planned(id);
    return record === null ? '' : `${record.seqnum} ${base} ${record.isAgain === true}`;
  }

  /** Who looks, if nobody looks besides, nor is to look again. */
  #lastIn(world: World): number {
    const { cast, model } = this.#worlds;
    let last = none;
    if (model.readers > 0) return none;
    for (let i = 0; i < model.writers; i++) {
      const { phase, attempt } = cast.known(world[model.servers + i] as number).writer;
      if (phase === 'ended') continue;
      if (attempt + 1 < model.attempts || (phase === 'looking' && last !== none)) return none;
      if (phase === 'looking') last = i;
    }
    return last;
  }

  #plansIn(world: World, index: number): Plans {
    const id = world[this.#worlds.model.servers + index] as number;
    return this.#plansOf(id, this.#choicesIn(world, id));
  }

  #plansOf(id: number, choices: readonly (readonly Passed[])[]): Plans {
    const { cast } = this.#worlds;
    const looker = cast.forgets(id);
    const books = choices.flatMap((all) => [
      all.length,
      ...all.flatMap(({ row, acked }) => [row, acked]),
    ]);
    const key = keyOf([looker, ...books]);
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const ids = new Map<string, number>();
    let violation: Violation | undefined;
    this.#each(looker, choices, (look) => {
      violation ??= this.#brokenBy(look);
      if (cast.planned(look.id).record !== null) ids.set(this.#nameOf(look.id), look.id);
    });
    const plans = { isSound: violation === undefined, ids: [...ids.values()] };
    this.#plans.set(key, plans);
    return plans;
  }

  /** What is wrong with what a look comes to, as `planBy` has it. */
  #brokenBy({ id, acked }: Look): Violation | undefined {
    const { cast } = this.#worlds;
    const { record, base, read, isNeedless } = cast.planned(id);
    if (read !== none && !cast.isBuiltOn(read, acked)) return 'hidden';
    if (record === null) return undefined;
    if (!cast.isBuiltOn(base, acked)) return 'lost';
    return isNeedless ? 'needless' : undefined;
  }
}
