/**
 * @module quorum-asked: the shipped rules, asked as somebody would who knows all parents.
 *
 * To know more never makes less replaceable (`quorum.knowledge.test.ts`), so what they refuse then
 * no writer does.
 */
import { lineOf } from '../../machines/lineage.ts';
import type { Candidate, View } from '../../machines/quorum.ts';
import type { QuorumCast } from './quorum-cast.ts';
import type { Kernels } from './quorum-model.ts';
import { type Mark, none } from './quorum-parts.ts';

/** What such a writer knows of the servers. */
export interface Knowledge {
  /** Of each server a version that is there; `none`: nothing is known of it. */
  readonly there: readonly Mark[];
  /** Bits: the servers that it has won. */
  readonly won: number;
  /** Counts as its own line, too, with all that is below; `none`: nothing does. */
  readonly granted: Mark;
}

/** Whether a share of `rival` may be overwritten by who writes `mark`. */
export function isReplaceableBy(
  mark: Mark,
  rival: Mark,
  { there, won, granted }: Knowledge,
  cast: QuorumCast,
  { isReplaceable }: Pick<Kernels, 'isReplaceable'>,
): boolean {
  const all = [rival, mark, ...there].flatMap((one) => cast.lineageOf(one));
  const versions = Object.fromEntries(all.map((one) => [one.id, one]));
  const servers = there.map((one, i) => ({
    id: `s${i}`,
    held: one === none ? null : [{ kind: 'good', version: cast.made(one).version.id } as const],
  }));
  const view: View = { quorum: cast.quorum, servers, versions };
  const [version = null, base = null] = cast.lineageOf(mark);
  const more = granted === none ? [] : [cast.made(granted).version.id];
  const line = new Set([...lineOf(versions, base), ...more]);
  const its = new Set(servers.filter((_, i) => (won & (1 << i)) !== 0).map(({ id }) => id));
  const candidate: Candidate = { base, version, line, won: its };
  const { id } = cast.made(rival).version;
  return isReplaceable(view, candidate, { kind: 'good', version: id });
}
