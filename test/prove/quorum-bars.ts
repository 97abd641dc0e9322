/**
 * @module quorum-bars: which versions never get to a server any more, for what is there.
 */
import { isReplaceableBy } from './quorum-asked.ts';
import { marksMax, type QuorumCast } from './quorum-cast.ts';
import type { Kernels } from './quorum-model.ts';
import { type Mark, none } from './quorum-parts.ts';

/**
 * The kernels are asked: may a version take the place of something newer, if its writer knew all
 * parents, and had won every server? To know more, or to have won more, never makes less
 * replaceable. So if not, it never does; and what takes that place later is newer still.
 */
export class Bars {
  readonly #cast: QuorumCast;
  readonly #kernels: Pick<Kernels, 'isReplaceable'>;
  readonly #kept = new Map<number, boolean>();

  constructor(cast: QuorumCast, kernels: Pick<Kernels, 'isReplaceable'>) {
    this.#cast = cast;
    this.#kernels = kernels;
  }

  /** Whether no request for `mark` is sent, nor lands, where `row` is. */
  isBarred(row: number, mark: Mark): boolean {
    const cast = this.#cast;
    const { order } = cast.made(mark);
    const isNewer = (one: Mark) => cast.made(one).order > order && !cast.isRotten(one);
    return cast.row(row).some((one) => one !== none && isNewer(one) && this.#isKept(one, mark));
  }

  #isKept(there: Mark, mark: Mark): boolean {
    const key = there * marksMax + mark;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const { servers } = this.#cast.quorum;
    const all = {
      there: new Array<Mark>(servers).fill(none),
      won: (1 << servers) - 1,
      granted: none,
    };
    const kept = !isReplaceableBy(mark, there, all, this.#cast, this.#kernels);
    this.#kept.set(key, kept);
    return kept;
  }
}
