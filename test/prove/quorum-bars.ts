/**
 * @module quorum-bars: which versions never get to a server any more, for what is there.
 */
import { lineOf } from '../../machines/lineage.ts';
import type { Candidate, View } from '../../machines/quorum.ts';
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
    const kept = !this.#isReplaceable(there, mark);
    this.#kept.set(key, kept);
    return kept;
  }

  #isReplaceable(there: Mark, mark: Mark): boolean {
    const { quorum } = this.#cast;
    const own = this.#cast.lineageOf(mark);
    const [version = null, base = null] = own;
    const all = [...own, ...this.#cast.lineageOf(there)];
    const versions = Object.fromEntries(all.map((one) => [one.id, one]));
    const servers = Array.from({ length: quorum.servers }, (_, i) => ({ id: `s${i}`, held: null }));
    const view: View = { quorum, servers, versions };
    const won = new Set(servers.map(({ id }) => id));
    const candidate: Candidate = { base, version, line: lineOf(versions, base), won };
    const { id } = this.#cast.made(there).version;
    return this.#kernels.isReplaceable(view, candidate, { kind: 'good', version: id });
  }
}
