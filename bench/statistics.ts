/**
 * @module statistics: numbers that were measured in turns, on a machine that does other things too.
 *
 * Two things are compared by taking turns with them, in the order ABBA, so that a machine that gets
 * slower or faster does so for both; and by their medians, which one bad moment cannot move.
 */

/** @returns NaN of nothing */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** What was measured of two things, pair by pair. */
export interface Pairs<T> {
  readonly a: readonly T[];
  readonly b: readonly T[];
}

/** Measures both `count` times, one after the other: AB, BA, AB, … */
export async function inPairs<T>(
  count: number,
  a: () => Promise<T> | T,
  b: () => Promise<T> | T,
): Promise<Pairs<T>> {
  const ofA: T[] = [];
  const ofB: T[] = [];
  for (let pair = 0; pair < count; pair++) {
    if (pair % 2 === 1) ofB.push(await b());
    ofA.push(await a());
    if (pair % 2 === 0) ofB.push(await b());
  }
  return { a: ofA, b: ofB };
}

/** One number of each measurement. */
export function pick<T>({ a, b }: Pairs<T>, number: (one: T) => number): Pairs<number> {
  return { a: a.map(number), b: b.map(number) };
}

const resamples = 500;

/**
 * Where 95 % of the ratios of medians (b over a) lie when the pairs are drawn again and again: the
 * bootstrap. The draws are the same every time. Of one pair there is nothing to be said.
 */
export function ratioInterval({ a, b }: Pairs<number>): readonly [number, number] | undefined {
  if (a.length < 2) return undefined;
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * a.length);
  };
  const ratios = Array.from({ length: resamples }, () => {
    const drawn = a.map(draw);
    const of = (values: readonly number[]) => median(drawn.map((i) => values[i] as number));
    return of(b) / of(a);
  }).sort((x, y) => x - y);
  const at = (share: number) => ratios[Math.floor(share * (resamples - 1))] as number;
  return [at(0.025), at(0.975)];
}
