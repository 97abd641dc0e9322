/**
 * @module quorum-joint: which versions the servers may come to hold, each beside the others.
 *
 * Share numbers are left out: of a server there is only of which versions it holds a share, and of
 * which it has ever held one. A request lands where it finds the versions that it tests for. Who may
 * still send does so where all that is there gives way. The shipped kernel is asked that
 * (`isReplaceable`), as if the writer had seen all that was ever there, knew all parents, and had
 * heard of every server that it has won. To know more never makes less replaceable, so this is more
 * than can be.
 *
 * Much time goes here, so it is written over numbers: a way for all servers to stand is one.
 */
import { isReplaceableBy } from './quorum-asked.ts';
import { type QuorumCast, marksMax as versionsMax } from './quorum-cast.ts';
import type { Kernels } from './quorum-model.ts';
import { type Mark, none } from './quorum-parts.ts';
import { type Prospect, versionsOn } from './quorum-prospects.ts';

/** A server, as far as versions go. */
export interface Site {
  readonly holds: readonly Mark[];
  /** All that is known to have been there, what it holds among it. */
  readonly had: readonly Mark[];
  /** On their way to what it holds, with what it holds when they have landed. */
  readonly flights: readonly { readonly mark: Mark; readonly after: readonly Mark[] }[];
  /** Versions of which more may be sent. */
  readonly senders: readonly Mark[];
}

/** How a server stands: bits of marks. */
export interface Stand {
  readonly holds: number;
  readonly had: number;
}

/** A step of one server to another of its stands, if `needs` hold: bits of rules. */
interface Move {
  readonly to: number;
  readonly needs: number;
}

/** The stands of one server, the first of which is now, each with its moves. */
interface Course {
  readonly stands: readonly Stand[];
  readonly moves: readonly (readonly Move[])[];
  /** Each `had` of its stands once, and which of these a stand has. */
  readonly hads: readonly number[];
  readonly hadOf: readonly number[];
}

/** What follows from what servers have had, whatever they hold. */
interface History {
  /** The newest that has been on W servers; null: two have, and neither contains the other. */
  readonly newest: Mark | null;
  /** The rules that hold: bits. */
  readonly fulfilled: number;
}

/** That `rival` is dead for who writes `mark`. */
interface Rule {
  readonly answers: Answers;
  /** Bits of marks: those that keep the rival from a server, and the one that is written. */
  readonly blockers: number;
  readonly own: number;
}

/** What the kernel has said of a rival of a mark. */
interface Answers {
  readonly rival: Mark;
  readonly mark: Mark;
  /** By a version that servers hold: whether it keeps the rival away. */
  readonly blocks: Map<Mark, boolean>;
  /**
   * By the servers that are won and those that are blocked, as bits: whether the rival is dead.
   * Which version blocks it is nothing to that: the kernel looks at each server alone.
   */
  readonly dead: Map<number, boolean>;
}

/** More ways to stand are not gone through. */
const waysMax = 20_000;
/** So that a way is found by its number. */
const namesMax = 1 << 22;
/** So that bits of two sets of marks are one number. */
const marksMax = 15;
/** So that rules are bits of a number. */
const rulesMax = 31;

export class Joints {
  readonly #cast: QuorumCast;
  readonly #kernels: Pick<Kernels, 'isReplaceable'>;
  readonly #answers = new Map<number, Answers>();
  /** In which round each way was met. */
  readonly #met = new Int32Array(namesMax);
  #round = 0;

  constructor(cast: QuorumCast, kernels: Pick<Kernels, 'isReplaceable'>) {
    this.#cast = cast;
    this.#kernels = kernels;
  }

  /** What may become of `sites`; null: too much. */
  of(sites: readonly Site[], acked: Mark): Joint | null {
    const marks = [...new Set([acked, ...sites.flatMap(marksOf)])].sort((a, b) => a - b);
    if (marks.length > marksMax) return null;
    const rules: Rule[] = [];
    const courses = sites.map((site) => this.#courseOf(site, marks, rules));
    const names = courses.reduce((product, { stands }) => product * stands.length, 1);
    if (names > namesMax || rules.length > rulesMax) return null;
    return new Joint(this, marks, courses, rules);
  }

  /** All that a server may come to. */
  #courseOf({ holds, had, flights, senders }: Site, marks: readonly Mark[], rules: Rule[]): Course {
    const bits = (those: readonly Mark[]) => bitsOf(those, marks);
    const stands: Stand[] = [];
    const placeOf = (stand: Stand) => {
      const known = stands.findIndex((it) => it.holds === stand.holds && it.had === stand.had);
      return known < 0 ? stands.push(stand) - 1 : known;
    };
    const now = bits(holds);
    placeOf({ holds: now, had: bits(had) });
    const moves: Move[][] = [];
    for (let i = 0; i < stands.length; i++) {
      const here = stands[i] as Stand;
      const its: Move[] = [];
      const move = (after: number, own: number, needs: number) => {
        const to = placeOf({ holds: after, had: here.had | own });
        if (to !== i) its.push({ to, needs });
      };
      if (here.holds === now) {
        for (const { mark, after } of flights) move(bits(after), bits([mark]), 0);
      }
      for (const mark of senders) {
        const own = bits([mark]);
        const needs = this.#needsOf(here.holds, mark, marks, rules);
        move(own, own, needs);
        move(here.holds | own, own, needs);
      }
      moves.push(its);
    }
    const hads = [...new Set(stands.map(({ had }) => had))];
    return { stands, moves, hads, hadOf: stands.map(({ had }) => hads.indexOf(had)) };
  }

  /** What has to be dead where versions `holds` are, for `mark` to be sent there. */
  #needsOf(holds: number, mark: Mark, marks: readonly Mark[], rules: Rule[]): number {
    const cast = this.#cast;
    let needs = 0;
    marks.forEach((there, i) => {
      if ((holds & (1 << i)) === 0) return;
      if (cast.isBuiltOn(mark, there)) return;
      let rule = rules.findIndex(({ answers }) => answers.rival === there && answers.mark === mark);
      if (rule < 0) rule = rules.push(this.#ruleOf(there, mark, marks)) - 1;
      needs |= 1 << rule;
    });
    return needs;
  }

  #ruleOf(rival: Mark, mark: Mark, marks: readonly Mark[]): Rule {
    const name = rival * versionsMax + mark;
    const answers = this.#answers.get(name) ?? { rival, mark, blocks: new Map(), dead: new Map() };
    this.#answers.set(name, answers);
    const blockers = marks.filter((one) => this.#isBlocker(answers, one));
    return { answers, blockers: bitsOf(blockers, marks), own: bitsOf([mark], marks) };
  }

  /** Whether `one` keeps the rival from a server: if all have it, it is dead. */
  #isBlocker({ rival, mark, blocks }: Answers, one: Mark): boolean {
    const known = blocks.get(one);
    if (known !== undefined) return known;
    const { servers } = this.#cast.quorum;
    const isBlocker = this.asked(rival, mark, 0, new Array<Mark>(servers).fill(one));
    blocks.set(one, isBlocker);
    return isBlocker;
  }

  /**
   * Asks the kernel about `rival` alone: as if what it was built on were dead, which is more than
   * can be. Servers, as bits, are won, and of each there is one of `blockers`, or nothing is known.
   */
  asked(rival: Mark, mark: Mark, won: number, blockers: readonly Mark[]): boolean {
    const knowledge = { there: blockers, won, granted: this.#cast.made(rival).base };
    return isReplaceableBy(mark, rival, knowledge, this.#cast, this.#kernels);
  }

  /** The newest that has been on W servers; null: two have, and neither contains the other. */
  newestOf(marks: readonly Mark[], hads: readonly number[], acked: Mark): Mark | null {
    const { quorum } = this.#cast;
    let newest = acked;
    for (const [i, mark] of marks.entries()) {
      const count = hads.filter((had) => ((had >> i) & 1) === 1).length;
      if (count < quorum.size || this.#cast.isBuiltOn(newest, mark)) continue;
      if (!this.#cast.isBuiltOn(mark, newest)) return null;
      newest = mark;
    }
    return newest;
  }

  /** For a round of its own: the round in which each way was met. */
  nextRound(): readonly [met: Int32Array, round: number] {
    this.#round++;
    return [this.#met, this.#round];
  }
}

/** All ways in which servers may stand at one time. */
export class Joint {
  readonly #joints: Joints;
  readonly #courses: readonly Course[];
  readonly #rules: readonly Rule[];
  /** A way is a number: the sum of each server's stand times this. */
  readonly #factors: readonly number[];
  /** And so are the `hads` of all servers. */
  readonly #hadFactors: readonly number[];
  /** The marks that bits stand for, ascending. */
  readonly marks: readonly Mark[];

  constructor(
    joints: Joints,
    marks: readonly Mark[],
    courses: readonly Course[],
    rules: readonly Rule[],
  ) {
    this.#joints = joints;
    this.#courses = courses;
    this.#rules = rules;
    this.#factors = factorsOf(courses.map(({ stands }) => stands.length));
    this.#hadFactors = factorsOf(courses.map(({ hads }) => hads.length));
    this.marks = marks;
  }

  standsOf(at: number): readonly Stand[] {
    return (this.#courses[at] as Course).stands;
  }

  /**
   * Whether of each way no two rivals have been on W servers, and it `isSafe`: told by the place of
   * each server's stand, in an array that is used again, and the newest that has been on W servers.
   * False as well: there are too many.
   */
  every(acked: Mark, isSafe: (places: Int32Array, newest: Mark) => boolean): boolean {
    const courses = this.#courses;
    const [met, round] = this.#joints.nextRound();
    const places = new Int32Array(courses.length);
    const histories = new Map<number, History>();
    const ways = [0];
    met[0] = round;
    for (let n = 0; n < ways.length; n++) {
      if (n > waysMax) return false;
      const way = ways[n] as number;
      const name = this.#stand(way, places);
      let history = histories.get(name);
      if (history === undefined) {
        history = this.#historyOf(places, acked);
        histories.set(name, history);
      }
      const { newest, fulfilled } = history;
      if (newest === null || !isSafe(places, newest)) return false;
      for (let at = 0; at < courses.length; at++) {
        const here = places[at] as number;
        const factor = this.#factors[at] as number;
        const moves = (courses[at] as Course).moves[here] as readonly Move[];
        for (let i = 0; i < moves.length; i++) {
          const { to, needs } = moves[i] as Move;
          const next = way + (to - here) * factor;
          if (met[next] === round || (needs & ~fulfilled) !== 0) continue;
          met[next] = round;
          ways.push(next);
        }
      }
    }
    return true;
  }

  /** Puts each server's stand into `places`; which `hads` those have is a number. */
  #stand(way: number, places: Int32Array): number {
    let name = 0;
    for (let at = 0, rest = way; at < places.length; at++) {
      const { stands, hadOf } = this.#courses[at] as Course;
      const place = rest % stands.length;
      rest = (rest - place) / stands.length;
      places[at] = place;
      name += (hadOf[place] as number) * (this.#hadFactors[at] as number);
    }
    return name;
  }

  #historyOf(places: Int32Array, acked: Mark): History {
    const hads = this.#courses.map(({ stands }, at) => (stands[places[at] as number] as Stand).had);
    const newest = this.#joints.newestOf(this.marks, hads, acked);
    return { newest, fulfilled: newest === null ? 0 : this.#fulfilled(hads) };
  }

  /** The rules that hold where these have been: bits. */
  #fulfilled(hads: readonly number[]): number {
    const serversWith = (bits: number) =>
      hads.reduce((servers, had, at) => ((had & bits) !== 0 ? servers | (1 << at) : servers), 0);
    return this.#rules.reduce((fulfilled, { answers, blockers, own }, i) => {
      const won = serversWith(own);
      const { rival, mark, dead } = answers;
      const key = won * 0x1_0000 + serversWith(blockers);
      const isDead =
        dead.get(key) ?? this.#joints.asked(rival, mark, won, this.#blocking(blockers, hads));
      dead.set(key, isDead);
      return isDead ? fulfilled | (1 << i) : fulfilled;
    }, 0);
  }

  /** Of each server one of `blockers` that it has had. */
  #blocking(blockers: number, hads: readonly number[]): readonly Mark[] {
    return hads.map((had) => this.marks.find((_, i) => ((had & blockers) >> i) & 1) ?? none);
  }
}

/** Of each place what one more there adds to a number that is made of all, each below its length. */
function factorsOf(lengths: readonly number[]): readonly number[] {
  return lengths.map((_, at) => lengths.slice(0, at).reduce((a, b) => a * b, 1));
}

export function bitsOf(those: readonly Mark[], marks: readonly Mark[]): number {
  return those.reduce((bits, mark) => bits | (1 << marks.indexOf(mark)), 0);
}

/** A server without share numbers. */
export function siteOf(cast: QuorumCast, { row, flights, senders, had }: Prospect): Site {
  const landing = flights.map((flight) => ({
    mark: flight.mark,
    after: versionsOn(cast, cast.rowAfter(row, flight)),
  }));
  const holds = versionsOn(cast, row);
  return { holds, had, senders: senders.map(({ mark }) => mark), flights: landing };
}

function marksOf({ holds, had, flights, senders }: Site): readonly Mark[] {
  return [...holds, ...had, ...senders, ...flights.flatMap(({ mark, after }) => [mark, ...after])];
}
