/**
 * @module quorum-judge: what may not be in a world of writers over a quorum, and the books of what
 * has landed.
 */
import { meetingSize } from '../../machines/quorum.ts';
import { goodAt, mapOf } from '../support/facts.ts';
import type { QuorumCast } from './quorum-cast.ts';
import { deathsAllowed, type Kernels, type QuorumModel, type Violation } from './quorum-model.ts';
import { bitsIn, type Flight, keyOf, type Mark, none, numbersOf } from './quorum-parts.ts';
import type { Landing, World } from './quorum-step.ts';

/** What is asked of the worlds that are judged. */
interface Worlds {
  readonly cast: QuorumCast;
  readonly model: QuorumModel;
  isBarred(row: number, mark: Mark): boolean;
  straysOf(world: World): readonly Flight[];
}

/** What a row is of: share numbers of each version, as bits, and a key of the versions. */
interface Content {
  readonly bits: ReadonlyMap<Mark, number>;
  readonly versions: string;
}

export class Judge {
  readonly #worlds: Worlds;
  readonly #chooseForReader: Kernels['chooseForReader'];
  readonly #meeting: number;
  // Where in a world the landings are, and the newest acknowledged version.
  readonly #place: number;
  readonly #acked: number;
  readonly #landings: (readonly Landing[])[] = [[]];
  readonly #landingIds = new Map<string, number>([['', 0]]);
  readonly #judged = new Map<string, Violation | undefined>();
  readonly #reads = new Map<string, Mark>();
  readonly #contents = new Map<number, Content>();
  readonly #shown = new Map<string, boolean>();

  constructor(
    worlds: Worlds,
    { chooseForReader }: Pick<Kernels, 'chooseForReader'>,
    place: number,
    acked: number,
  ) {
    this.#worlds = worlds;
    this.#chooseForReader = chooseForReader;
    this.#place = place;
    this.#acked = acked;
    this.#meeting = meetingSize(worlds.cast.quorum);
  }

  /** Of versions that may yet win W servers. */
  landingsOf(world: World): readonly Landing[] {
    const all = this.#landings[world[this.#place] as number] as readonly Landing[];
    return all.every((one) => this.mayYetWin(world, one))
      ? all
      : all.filter((one) => this.mayYetWin(world, one));
  }

  /**
   * Books that `mark` has landed there.
   * @returns whether it has won W servers and stands against another that has
   */
  record(next: number[], mark: Mark, servers: number, shnums: number): boolean {
    const { cast } = this.#worlds;
    const { size, required } = this.#worlds.model;
    const acked = next[this.#acked] as number;
    // As it was before: what lands now may be the last of it.
    const landings = this.#landings[next[this.#place] as number] as readonly Landing[];
    let isForked = false;
    let entries = landings;
    if (!cast.isBuiltOn(acked, mark)) {
      const before = landings.find((one) => one.mark === mark);
      const all = servers | (before?.servers ?? 0);
      const numbers = shnums | (before?.shnums ?? 0);
      entries = landings.filter((one) => one !== before);
      if (bitsIn(all) >= size && bitsIn(numbers) >= required) {
        isForked = !cast.isBuiltOn(mark, acked);
        next[this.#acked] = mark;
      } else {
        entries = [...entries, { mark, servers: all, shnums: numbers }];
      }
    }
    next[this.#place] = this.#idOf(entries.filter((one) => this.mayYetWin(next, one)));
    return isForked;
  }

  mayYetWin(world: World, { mark, servers }: Landing): boolean {
    const { cast, model } = this.#worlds;
    if (cast.isBuiltOn(world[this.#acked] as number, mark)) return false;
    if (this.#mayBePlacedAgain(world)) return true;
    let all = servers;
    for (let i = 0; i < model.writers; i++) {
      if (cast.known(world[model.servers + i] as number).writer.mark !== mark) continue;
      if (!model.covers && !model.defers) return true;
      for (let at = 0; at < model.servers; at++) {
        if (!this.#worlds.isBarred(world[at] as number, mark)) all |= 1 << at;
      }
    }
    for (const stray of this.#worlds.straysOf(world)) if (stray.mark === mark) all |= 1 << stray.at;
    return bitsIn(all) >= model.size;
  }

  /** Whether somebody is still to look who may place again what is there. */
  #mayBePlacedAgain(world: World): boolean {
    const { cast, model } = this.#worlds;
    for (let i = model.writers - model.repairs; i < model.writers; i++) {
      const { phase, attempt } = cast.known(world[model.servers + i] as number).writer;
      if (phase === 'looking' || (phase === 'writing' && attempt + 1 < model.attempts)) return true;
    }
    return false;
  }

  #idOf(landings: readonly Landing[]): number {
    const sorted = [...landings].sort((a, b) => a.mark - b.mark);
    const key = keyOf(sorted.flatMap((one) => [one.mark, one.servers, one.shnums]));
    const known = this.#landingIds.get(key);
    if (known !== undefined) return known;
    this.#landingIds.set(key, this.#landings.length);
    return this.#landings.push(sorted) - 1;
  }

  /** What is wrong with these rows, whoever else there is: for a reader, and for the file. */
  judge(world: World): Violation | undefined {
    return this.judged(world.slice(0, this.#worlds.model.servers), world[this.#acked] as number);
  }

  judged(there: readonly number[], acked: Mark): Violation | undefined {
    // Which server holds which row is nothing to a reader.
    const rows = [...there].sort((a, b) => a - b);
    const key = keyOf(rows) + keyOf([acked]);
    if (this.#judged.has(key)) return this.#judged.get(key);
    const judgement = this.#isHidden(rows, acked)
      ? 'hidden'
      : this.#isUnreadable(rows, acked)
        ? 'unreadable'
        : undefined;
    this.#judged.set(key, judgement);
    return judgement;
  }

  /** Whether a reader who asks some servers, all at once, is given something without `acked`. */
  #isHidden(rows: readonly number[], acked: Mark): boolean {
    // Of more servers there are too many sets.
    if (rows.length > 6) return false;
    const all = (1 << rows.length) - 1;
    for (let set = all; set > 0; set--) {
      if (bitsIn(set) < this.#meeting) continue;
      const read = this.#readIn(rows.filter((_, at) => (set & (1 << at)) !== 0));
      if (read !== none && !this.#worlds.cast.isBuiltOn(read, acked)) return true;
    }
    return false;
  }

  /**
   * Whether every reader is given what contains `acked`, or nothing, of servers with shares of these
   * versions (`keyOf`), whichever of them can be read; k > 1. False: that hangs on it. For this, who is
   * given a version has to be given it as well if nothing else can be read.
   */
  isShown(versions: readonly string[], acked: Mark): boolean {
    if (this.#worlds.model.required === 1 || versions.length > 6) return false;
    // Which server it is is nothing to a reader.
    const key = [keyOf([acked]), ...[...versions].sort()].join('\uffff');
    const known = this.#shown.get(key);
    if (known !== undefined) return known;
    const isShown = !this.#mayHide(versions.map(numbersOf), acked);
    this.#shown.set(key, isShown);
    return isShown;
  }

  /** Whether a reader may be given something without `acked`, depending on what can be read. */
  #mayHide(versions: readonly (readonly Mark[])[], acked: Mark): boolean {
    const { cast } = this.#worlds;
    for (let set = (1 << versions.length) - 1; set > 0; set--) {
      if (bitsIn(set) < this.#meeting) continue;
      const heard = versions.filter((_, at) => (set & (1 << at)) !== 0);
      const without = [...new Set(heard.flat())].filter((mark) => !cast.isBuiltOn(mark, acked));
      if (without.some((mark) => this.#isGivenAlone(heard, mark))) return true;
    }
    return false;
  }

  /**
   * Whether a reader is given `mark` who hears servers with shares of these versions, and can read
   * nothing else; k > 1.
   */
  #isGivenAlone(heard: readonly (readonly Mark[])[], mark: Mark): boolean {
    const { cast, model } = this.#worlds;
    const { servers, required } = model;
    const versions = [...new Set(heard.flat())].map((one) => cast.made(one).version);
    const holdings = heard.flatMap((marks, at) =>
      marks.flatMap((one) =>
        Array.from({ length: one === mark ? required : 1 }, (_, n) =>
          goodAt(`s${at}`, n, cast.made(one).version),
        ),
      ),
    );
    const failed = Array.from({ length: servers }, (_, at) => [`s${at}`, 'failed']).slice(
      heard.length,
    );
    const map = mapOf(servers, holdings, versions, Object.fromEntries(failed));
    return this.#chooseForReader(map, cast.quorum) === cast.made(mark).version;
  }

  /** What a reader is given who hears these rows, whichever servers they are from. */
  #readIn(heard: readonly number[]): Mark {
    const key = this.#readKeyOf(heard);
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const unheard = Array.from({ length: this.#worlds.model.servers - heard.length }, () => none);
    const read = this.#worlds.cast.readIn([...heard, ...unheard]);
    this.#reads.set(key, read);
    return read;
  }

  /** Share numbers are nothing to a reader but for which versions can be read. */
  #readKeyOf(heard: readonly number[]): string {
    const { required, rots } = this.#worlds.model;
    if (rots > 0) return keyOf(heard);
    const whole = [...this.#shnumsIn(heard)].flatMap(([mark, its]) =>
      bitsIn(its) >= required ? [mark] : [],
    );
    const versions = heard.map((row) => this.#contentOf(row).versions).sort();
    return [keyOf(whole.sort((a, b) => a - b)), ...versions].join('\uffff');
  }

  /** The share numbers of each version, as bits. */
  #shnumsIn(rows: readonly number[]): ReadonlyMap<Mark, number> {
    const shnums = new Map<Mark, number>();
    for (const row of rows) {
      for (const [mark, bits] of this.#contentOf(row).bits) {
        shnums.set(mark, (shnums.get(mark) ?? 0) | bits);
      }
    }
    return shnums;
  }

  #contentOf(row: number): Content {
    const known = this.#contents.get(row);
    if (known !== undefined) return known;
    const bits = new Map<Mark, number>();
    this.#worlds.cast.row(row).forEach((mark, n) => {
      if (mark !== none) bits.set(mark, (bits.get(mark) ?? 0) | (1 << n));
    });
    const content = { bits, versions: keyOf([...bits.keys()].sort((a, b) => a - b)) };
    this.#contents.set(row, content);
    return content;
  }

  #isUnreadable(rows: readonly number[], acked: Mark): boolean {
    const { cast, model } = this.#worlds;
    if (model.rots > 0 || model.losable > 0) return false;
    const shnums = this.#shnumsIn(rows);
    const isWhole = ([mark, bits]: readonly [Mark, number]) =>
      bitsIn(bits) >= model.required && cast.isBuiltOn(mark, acked);
    if ([...shnums].some(isWhole)) return false;
    // Those that are half way; what was acknowledged contains the rest.
    const halfWay = [...shnums.keys()].filter((mark) => !cast.isBuiltOn(acked, mark));
    return halfWay.length <= deathsAllowed(model);
  }
}
