/**
 * @module quorum-futures: what one server may come to hold, once nobody looks any more.
 *
 * More than can be: any writer may send to any server that does not bar its version
 * (`quorum-bars.ts`), at any time, whether or not its rules let it.
 */
import type { QuorumCast } from './quorum-cast.ts';
import { bitsIn, keyOf, type Mark, none } from './quorum-parts.ts';
import { nameOf, type Prospect } from './quorum-prospects.ts';

/** What a server may come to hold, and what has landed there on the way: bits of share numbers. */
export interface Future {
  readonly row: number;
  readonly landed: ReadonlyMap<Mark, number>;
}

/** More are not gone through. */
const futuresMax = 1000;

export class Futures {
  readonly #cast: QuorumCast;
  readonly #isBarred: (row: number, mark: Mark) => boolean;
  readonly #futures = new Map<string, readonly Future[] | null>();

  constructor(cast: QuorumCast, isBarred: (row: number, mark: Mark) => boolean) {
    this.#cast = cast;
    this.#isBarred = isBarred;
  }

  /** Null: there are too many. */
  of(prospect: Prospect): readonly Future[] | null {
    const name = nameOf({ ...prospect, had: [] });
    const known = this.#futures.get(name);
    if (known !== undefined) return known;
    const futures = this.#explored(prospect);
    this.#futures.set(name, futures);
    return futures;
  }

  #explored(prospect: Prospect): readonly Future[] | null {
    const futures: Future[] = [];
    const met = new Set<string>();
    const reach = (future: Future) => {
      const landed = [...future.landed].sort(([a], [b]) => a - b);
      const name = keyOf([future.row, ...landed.flat()]);
      if (met.has(name)) return;
      met.add(name);
      futures.push(future);
    };
    reach({ row: prospect.row, landed: new Map() });
    for (let i = 0; i < futures.length; i++) {
      if (i >= futuresMax) return null;
      const { row, landed } = futures[i] as Future;
      for (const [mark, bits, after] of this.#landingsOn(row, prospect)) {
        const all = (landed.get(mark) ?? 0) | bits;
        reach({ row: after, landed: new Map([...landed, [mark, all]]) });
      }
    }
    return futures;
  }

  /** What may land on `row`: the version, share numbers of it, and the row then. */
  #landingsOn(
    row: number,
    { flights, senders }: Prospect,
  ): readonly (readonly [mark: Mark, shnums: number, after: number])[] {
    const there = this.#cast.row(row);
    const bitsOf = (isIt: (one: Mark) => boolean) =>
      there.reduce((bits, one, n) => (isIt(one) ? bits | (1 << n) : bits), 0);
    const sent = flights.map(
      (flight) => [flight.mark, flight.shnums, this.#cast.rowAfter(row, flight)] as const,
    );
    const more = senders.flatMap(({ mark, shnums }) => {
      if (this.#isBarred(row, mark)) return [];
      // All that is there gives way, or nothing does.
      const others = bitsOf((one) => one !== none && one !== mark);
      const free = bitsOf((one) => one === none) & shnums;
      return subsetsOf(free).flatMap((set) =>
        [set, set | others].map((bits) => {
          const after = there.map((one, n) => ((bits & (1 << n)) !== 0 ? mark : one));
          return [mark, bits, bits === 0 ? none : this.#cast.rowId(after)] as const;
        }),
      );
    });
    return [...sent, ...more].filter(([, , after]) => after !== none);
  }
}

/**
 * Of those with one row the ones on which most has landed, which break whatever others do: more is
 * acknowledged then. The worst first, to find what breaks soon.
 */
export function worst(futures: readonly Future[]): readonly Future[] {
  const sorted = futures.toSorted((a, b) => countOf(b) - countOf(a));
  return sorted.filter((one, i) => !sorted.slice(0, i).some((more) => isWithinFuture(one, more)));
}

/** Whether the same row is come to with as much or more landed on the way. */
export function isWithinFuture({ row, landed }: Future, more: Future): boolean {
  const areIn = [...landed].every(([mark, bits]) => (bits & ~(more.landed.get(mark) ?? 0)) === 0);
  return more.row === row && areIn;
}

function countOf({ landed }: Future): number {
  return [...landed.values()].reduce((sum, bits) => sum + bitsIn(bits), 0);
}

function subsetsOf(bits: number): readonly number[] {
  const subsets = [0];
  for (let set = bits; set > 0; set = (set - 1) & bits) subsets.push(set);
  return subsets;
}
