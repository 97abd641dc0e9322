/**
 * @module quorum-fingerprint: 64 bits of a world, equal for worlds of which the same can become.
 *
 * Worlds differ in nothing that matters if one turns into the other when writers are exchanged,
 * versions are called otherwise (in the same order, with the same parents), and, where all share
 * numbers are one, servers are exchanged. Two other worlds may have equal prints by chance alone:
 * of n worlds, with a probability of n² / 2^65.
 *
 * This is where the time goes, so it is written over arrays that are there already.
 */
import { mixA, mixB } from '../../src/simulation/mix.ts';
import { marksMax } from './quorum-cast.ts';
import { type Known, type Mark, none, type Slot } from './quorum-parts.ts';
import { markOfToken } from './quorum-tokens.ts';
import type { QuorumWorlds, World } from './quorum-world.ts';

/** For sums, whose order is not to matter: every bit of the result hangs on every bit. */
export function stirA(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 16), 0x2c1b3c6d);
  return h ^ (h >>> 14);
}

function stirB(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 15), 0x297a2d39);
  return h ^ (h >>> 16);
}

export class Fingerprints {
  readonly #worlds: QuorumWorlds;
  readonly #codesA = new Int32Array(2 * marksMax);
  readonly #codesB = new Int32Array(2 * marksMax);
  /** When a version was last in sight. */
  readonly #stamps = new Int32Array(2 * marksMax);
  #stamp = 0;
  readonly #live: Mark[] = [];
  /** Parents that are named by versions in sight, and are not in sight themselves. */
  readonly #gone: Mark[] = [];
  // Of each server, and of each actor on each server.
  readonly #columnsA: Int32Array;
  readonly #columnsB: Int32Array;
  readonly #localsA: Int32Array;
  readonly #localsB: Int32Array;
  readonly #globalsA: Int32Array;
  readonly #globalsB: Int32Array;
  readonly #signatures: Int32Array;
  readonly #order: number[];
  /** The print of the last world. */
  high = 0;
  low = 0;
  /** The same, but for what those may have heard by now who look. */
  nowHigh = 0;
  nowLow = 0;
  /** And that: pairs of words that ascend, with more of them for who may have heard more. */
  past: readonly number[] = [];
  #future = 0;
  #hashA = 0;
  #hashB = 0;
  // What `#hash` came to.
  #a = 0;
  #b = 0;

  constructor(worlds: QuorumWorlds) {
    this.#worlds = worlds;
    const { servers } = worlds.model;
    const actors = worlds.strays - servers;
    this.#columnsA = new Int32Array(servers);
    this.#columnsB = new Int32Array(servers);
    this.#localsA = new Int32Array(servers * actors);
    this.#localsB = new Int32Array(servers * actors);
    this.#globalsA = new Int32Array(actors);
    this.#globalsB = new Int32Array(actors);
    this.#signatures = new Int32Array(actors);
    this.#order = Array.from({ length: actors }, (_, i) => i);
  }

  /** Sets the print of `world`, and what those may have heard who look in it. */
  take(world: World): void {
    this.#see(world);
    this.#name();
    this.#hashColumns(world);
    this.#hashActors(world);
    this.#combine(world);
    this.past = this.#pastIn(world);
    this.high = this.past.reduce(mixA, this.nowHigh);
    this.low = this.past.reduce(mixB, this.nowLow);
  }

  /** What is known by it alone is called by what it is. */
  #pastIn(world: World): readonly number[] {
    const { cast, model } = this.#worlds;
    const pairs: (readonly [number, number])[] = [];
    for (let n = 0; n < this.#order.length; n++) {
      const known = cast.known(world[model.servers + (this.#order[n] as number)] as number);
      if (known.past.length === 0) continue;
      this.#namePast(known.marks);
      known.past.forEach((all, at) => {
        for (const tokens of all) {
          this.#hash(tokens);
          const place = n * model.servers + at;
          pairs.push([stirA(mixA(this.#a, place)), stirB(mixB(this.#b, place))]);
        }
      });
    }
    return pairs.sort(([a, b], [c, d]) => a - c || b - d).flat();
  }

  /**
   * Gives those of `marks` a code that are not in sight: what they are, and where they stand among
   * those in sight, which may be called otherwise in another world.
   */
  #namePast(marks: readonly Mark[]): void {
    const { cast } = this.#worlds;
    for (const mark of marks) {
      if (this.#stamps[mark] === this.#stamp) continue;
      const { base, order } = cast.made(mark);
      let near = base;
      while (near !== none && this.#stamps[near] !== this.#stamp) near = cast.made(near).base;
      let a = mixA(near === none ? 0x29 : (this.#codesA[near] as number), mark);
      let b = mixB(near === none ? 0x29 : (this.#codesB[near] as number), mark);
      for (const one of this.#live) {
        const its = cast.made(one);
        const place = [its.order < order, cast.isBuiltOn(one, mark), its.base === mark];
        // Two versions that name one parent are known to be built on the same.
        place.push(one === base, its.base === base);
        const bits = place.reduce((sum, is) => sum * 2 + Number(is), 1);
        a = mixA(a, bits);
        b = mixB(b, bits);
      }
      this.#codesA[mark] = stirA(a);
      this.#codesB[mark] = stirB(b);
    }
  }

  /** Collects the versions that are in sight. */
  #see(world: World): void {
    const { cast, model, strays, acked } = this.#worlds;
    this.#stamp++;
    this.#live.length = 0;
    if (model.covers) this.#future = this.#worlds.futureOf(world);
    this.#add(world[acked] as number);
    for (let at = 0; at < model.servers; at++) this.#addAll(cast.row(world[at] as number));
    for (let place = model.servers; place < strays; place++) {
      const known = cast.known(world[place] as number);
      if (model.covers && known.slots.length > 0) this.#addBooks(known);
      else this.#addAll(known.own);
    }
    for (const { from, mark } of this.#worlds.straysOf(world)) {
      this.#add(mark);
      this.#addAll(cast.row(from));
    }
    for (const { mark } of this.#worlds.landingsOf(world)) this.#add(mark);
    if (model.covers) this.#addParents();
  }

  #addBooks({ writer: { mark, pending }, slots }: Known): void {
    const { cast } = this.#worlds;
    const { order } = cast.made(mark);
    this.#add(mark);
    slots.forEach((slot, at) => {
      if (slot === null) return;
      const see = (other: Mark) => {
        const { order: its, version } = cast.made(other);
        if (its < order || version.seqnum >= this.#future) this.#add(other);
      };
      if (!slot.isSent || cast.made(slot.held).version.seqnum >= this.#future) see(slot.held);
      const found = pending[at] as number;
      if (found >= 0) see(cast.row(found)[0] as Mark);
    });
  }

  /** All that versions in sight were built on, down to what all have in common. */
  #addParents(): void {
    const { cast } = this.#worlds;
    const live = this.#live;
    // The newest of these contains all that is common to all.
    let common = live[0] as Mark;
    for (const mark of live) while (!cast.isBuiltOn(mark, common)) common = cast.made(common).base;
    const count = live.length;
    for (let i = 0; i < count; i++) {
      for (let at = live[i] as Mark; at !== common; at = cast.made(at).base) this.#add(at);
    }
  }

  /** Of a version on a server: what is kept from being acknowledged there. Or which it is. */
  #hashBlocked(other: Mark, mark: Mark): void {
    const { cast } = this.#worlds;
    const { order, base } = cast.made(mark);
    const { order: its, version } = cast.made(other);
    if (version.seqnum >= this.#future) {
      this.#hashA = mixA(this.#hashA, 0x77);
      this.#hashB = mixB(this.#hashB, 0x77);
      // Its own place in the order matters, and what it contains.
      this.#exact(other);
      return;
    }
    let a = 0;
    let b = 0;
    for (const one of this.#live) {
      const made = cast.made(one);
      if (made.order >= order || made.order >= its) continue;
      if (cast.isBuiltOn(other, one) || cast.isBuiltOn(base, one)) continue;
      a = (a + stirA(this.#codesA[one] as number)) | 0;
      b = (b + stirB(this.#codesB[one] as number)) | 0;
    }
    this.#hashA = mixA(this.#hashA, a);
    this.#hashB = mixB(this.#hashB, b);
  }

  #exact(mark: Mark): void {
    this.#hashA = mixA(this.#hashA, this.#codesA[mark] as number);
    this.#hashB = mixB(this.#hashB, this.#codesB[mark] as number);
  }

  /** What a writer knows of a server. */
  #hashSlot(known: Known, at: number, world: World): void {
    const { cast } = this.#worlds;
    const { mark, pending } = known.writer;
    const { order } = cast.made(mark);
    const slot = known.slots[at] as Slot | null;
    const put = (value: number) => {
      this.#hashA = mixA(this.#hashA, value);
      this.#hashB = mixB(this.#hashB, value);
    };
    this.#hashA = 0x1234;
    this.#hashB = 0x4321;
    if (slot === null) {
      put(
        (known.locals[at] as number[])[0] === 4 || (known.locals[at] as number[])[3] === 0 ? 1 : 2,
      );
    } else if (!slot.isSent) {
      if (cast.made(slot.held).order < order) {
        put(3);
        this.#exact(slot.held);
      } else {
        put(4);
        this.#hashBlocked(slot.held, mark);
      }
    } else {
      const found = pending[at] as number;
      if (found === none && cast.row(world[at] as number)[0] === slot.held) put(5);
      else {
        put(found === none ? 6 : found < 0 ? 7 : 8);
        this.#hashBlocked(slot.held, mark);
        if (found >= 0) {
          const there = cast.row(found)[0] as Mark;
          if (cast.made(there).order < order) {
            put(9);
            this.#exact(there);
          } else {
            put(10);
            this.#hashBlocked(there, mark);
          }
        }
      }
    }
    this.#a = this.#hashA;
    this.#b = this.#hashB;
  }

  #addAll(marks: readonly Mark[]): void {
    for (let i = 0; i < marks.length; i++) this.#add(marks[i] as Mark);
  }

  #add(mark: Mark): void {
    if (mark === none || this.#stamps[mark] === this.#stamp) return;
    this.#stamps[mark] = this.#stamp;
    this.#live.push(mark);
    this.#add(this.#worlds.cast.made(mark).plain);
  }

  /** Gives every version in sight a code, by its place in the order of all and by its parent. */
  #name(): void {
    const { cast } = this.#worlds;
    const live = this.#live;
    for (let i = 1; i < live.length; i++) {
      const mark = live[i] as Mark;
      const { order } = cast.made(mark);
      let j = i - 1;
      for (; j >= 0 && cast.made(live[j] as Mark).order > order; j--) live[j + 1] = live[j] as Mark;
      live[j + 1] = mark;
    }
    const first = cast.made(live[0] as Mark).version.seqnum;
    let before = none;
    let rank = 0;
    this.#gone.length = 0;
    for (const mark of live) {
      const { version, base, isNaming, plain } = cast.made(mark);
      if (plain !== mark) {
        this.#codesA[mark] = stirA((this.#codesA[plain] as number) + 0x7654321);
        this.#codesB[mark] = stirB((this.#codesB[plain] as number) + 0x7654321);
        continue;
      }
      rank = version.seqnum === before ? rank + 1 : 0;
      before = version.seqnum;
      // Of a parent that nobody can meet any more only what it contains matters, and who names it:
      // two versions that name one parent are known to be built on the same.
      let near = base;
      while (near !== none && this.#stamps[near] !== this.#stamp) near = cast.made(near).base;
      const descent = base === none ? 1 : near === base ? 2 : 3;
      const own = ((version.seqnum - first) * 32 + rank) * 8 + descent * 2 + Number(isNaming) + 1;
      const gone = near === base ? 0 : this.#placeOfGone(base);
      const codeA = (near === none ? 0x13 : (this.#codesA[near] as number)) + gone;
      const codeB = (near === none ? 0x13 : (this.#codesB[near] as number)) + gone;
      this.#codesA[mark] = stirA(mixA(codeA, own));
      this.#codesB[mark] = stirB(mixB(codeB, own));
    }
  }

  /** Counts from 1, in the order of those that name it. */
  #placeOfGone(parent: Mark): number {
    const place = this.#gone.indexOf(parent);
    return place < 0 ? this.#gone.push(parent) : place + 1;
  }

  /** Sets `#a` and `#b`. */
  #hash(tokens: readonly number[]): void {
    let a = tokens.length;
    let b = tokens.length;
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i] as number;
      const mark = markOfToken(token);
      a = mixA(a, token >= 0 ? token : (this.#codesA[mark] as number));
      b = mixB(b, token >= 0 ? token : (this.#codesB[mark] as number));
    }
    this.#a = a;
    this.#b = b;
  }

  #hashRow(id: number): void {
    const row = this.#worlds.cast.row(id);
    let a = 0x3c6ef3;
    let b = 0x3c6ef3;
    for (let i = 0; i < row.length; i++) {
      const mark = row[i] as Mark;
      a = mixA(a, mark === none ? 0 : (this.#codesA[mark] as number));
      b = mixB(b, mark === none ? 0 : (this.#codesB[mark] as number));
    }
    this.#a = a;
    this.#b = b;
  }

  /** What lies on a server, what is on its way there, and what has landed. */
  #hashColumns(world: World): void {
    const worlds = this.#worlds;
    const { servers } = worlds.model;
    const columnsA = this.#columnsA;
    const columnsB = this.#columnsB;
    for (let at = 0; at < servers; at++) {
      this.#hashRow(world[at] as number);
      columnsA[at] = this.#a;
      columnsB[at] = this.#b;
    }
    for (const { at, from, mark, shnums } of worlds.straysOf(world)) {
      this.#hashRow(from);
      const a = mixA(mixA(this.#a, this.#codesA[mark] as number), shnums);
      const b = mixB(mixB(this.#b, this.#codesB[mark] as number), shnums);
      columnsA[at] = (columnsA[at] as number) + stirA(a);
      columnsB[at] = (columnsB[at] as number) + stirB(b);
    }
    for (const { mark, servers: bits } of worlds.landingsOf(world)) {
      for (let at = 0; at < servers; at++) {
        if ((bits & (1 << at)) === 0) continue;
        columnsA[at] = (columnsA[at] as number) + stirA((this.#codesA[mark] as number) ^ 0x510e);
        columnsB[at] = (columnsB[at] as number) + stirB((this.#codesB[mark] as number) ^ 0x510e);
      }
    }
  }

  /** Of each actor what it knows, and puts them in an order that hangs on that alone. */
  #hashActors(world: World): void {
    const { model, cast } = this.#worlds;
    const { servers } = model;
    const order = this.#order;
    const areAlike = model.total === 1;
    for (let i = 0; i < order.length; i++) {
      const known = cast.known(world[servers + i] as number);
      const { globals, locals } = known;
      const isBooked = model.covers && known.slots.length > 0;
      const versions = isBooked ? nothing : known.versions;
      let a = 0;
      let b = 0;
      for (let j = 0; j < versions.length; j++) {
        a = (a + stirA((this.#codesA[versions[j] as Mark] as number) ^ 0x6a09)) | 0;
        b = (b + stirB((this.#codesB[versions[j] as Mark] as number) ^ 0x6a09)) | 0;
      }
      this.#hash(globals);
      this.#globalsA[i] = mixA(this.#a, a);
      this.#globalsB[i] = mixB(this.#b, b);
      let signature = this.#globalsA[i] as number;
      for (let at = 0; at < servers; at++) {
        if (isBooked) this.#hashSlot(known, at, world);
        else this.#hash(locals[at] ?? nothing);
        this.#localsA[i * servers + at] = this.#a;
        this.#localsB[i * servers + at] = this.#b;
        const place = areAlike ? this.#a : mixA(this.#a, at + 1);
        signature = (signature + stirA(mixA(place, this.#columnsA[at] as number))) | 0;
      }
      this.#signatures[i] = signature;
    }
    for (let i = 0; i < order.length; i++) order[i] = i;
    for (let i = 1; i < order.length; i++) {
      const signature = this.#signatures[i] as number;
      let j = i - 1;
      for (; j >= 0 && (this.#signatures[order[j] as number] as number) > signature; j--) {
        order[j + 1] = order[j] as number;
      }
      order[j + 1] = i;
    }
  }

  #combine(world: World): void {
    const worlds = this.#worlds;
    const { servers, total } = worlds.model;
    const columnsA = this.#columnsA;
    const columnsB = this.#columnsB;
    const acked = world[worlds.acked] as Mark;
    const faults = (world[worlds.rots] as number) * 32 + (world[worlds.losses] as number);
    let a = mixA(this.#codesA[acked] as number, faults);
    let b = mixB(this.#codesB[acked] as number, faults);
    if (total > 1) {
      for (const { mark, shnums } of worlds.landingsOf(world)) {
        a = (a + stirA(mixA(this.#codesA[mark] as number, shnums))) | 0;
        b = (b + stirB(mixB(this.#codesB[mark] as number, shnums))) | 0;
      }
    }
    for (let n = 0; n < this.#order.length; n++) {
      const i = this.#order[n] as number;
      a = mixA(a, this.#globalsA[i] as number);
      b = mixB(b, this.#globalsB[i] as number);
      for (let at = 0; at < servers; at++) {
        columnsA[at] = mixA(columnsA[at] as number, this.#localsA[i * servers + at] as number);
        columnsB[at] = mixB(columnsB[at] as number, this.#localsB[i * servers + at] as number);
      }
    }
    for (let at = 0; at < servers; at++) {
      // Where servers are alike, in a sum: which is which does not matter.
      const one = total === 1 ? stirA(columnsA[at] as number) : (columnsA[at] as number);
      const other = total === 1 ? stirB(columnsB[at] as number) : (columnsB[at] as number);
      a = total === 1 ? (a + one) | 0 : mixA(a, one);
      b = total === 1 ? (b + other) | 0 : mixB(b, other);
    }
    this.nowHigh = stirA(a);
    this.nowLow = stirB(b);
  }
}

const nothing: readonly number[] = [];
