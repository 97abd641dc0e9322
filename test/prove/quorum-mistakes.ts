/**
 * @module quorum-mistakes: mistakes in the rules of writing over a quorum, each of which must show.
 *
 * Most are edits of what ships. Where the mistake would be in what is asked of servers, it is in
 * the model of these.
 */
import type { Edit } from '../support/mutants.ts';
import { kernelsWith } from '../support/mutants.ts';
import { exploreQuorum, type QuorumFindings } from './quorum-explore.ts';
import { modelOf, type QuorumModel, type QuorumSize } from './quorum-model.ts';
import { type WalkFindings, walkQuorum } from './quorum-walk.ts';

export interface Mistake {
  readonly name: string;
  readonly says: string;
  readonly edits: readonly Edit[];
  /** Where it shows. */
  readonly size: QuorumSize;
  readonly more?: Partial<QuorumModel>;
  /** Random courses, from this seed on, where a search breadth first would take longer. */
  readonly seed?: number;
}

const rules = 'machines/quorum.ts';
const kernel = 'machines/publish-kernel.ts';
const repair = 'machines/repair-kernel.ts';
const order = 'if (version !== null && compareVersions(other, version) > 0) return false;';

const three: QuorumSize = { servers: 3, required: 1, size: 2, writers: 2, attempts: 2 };
/** One writes, one repairs. */
const mended: QuorumSize = { servers: 3, required: 1, total: 3, size: 2, writers: 2, attempts: 1 };
const four: QuorumSize = { servers: 4, required: 1, size: 3, writers: 3, attempts: 2 };

export const mistakes: readonly Mistake[] = [
  {
    name: 'one-fewer',
    says: 'B - 1 servers instead of B',
    edits: [{ file: rules, from: 'servers - size + 1 + losable', to: 'servers - size' }],
    size: three,
    seed: 1,
  },
  {
    name: 'none-to-spare',
    says: 'B servers are enough where one may have lost what it held',
    edits: [{ file: rules, from: 'servers - size + 1 + losable', to: 'servers - size + 1' }],
    size: { servers: 3, required: 1, size: 3, writers: 2, attempts: 1, losable: 1 },
  },
  {
    name: 'lost-counted',
    says: 'a version is held against W servers where one may have lost it (D2, and readers)',
    edits: [{ file: rules, from: 'return size - losable;', to: 'return size;' }],
    size: { servers: 4, required: 1, size: 3, writers: 2, attempts: 1, losable: 1 },
  },
  {
    name: 'no-order',
    says: 'with B servers won newer versions are dead, too (D1 without the order)',
    edits: [{ file: rules, from: order, to: order.replace('(version', '(!isMet && version') }],
    size: four,
    seed: 1,
  },
  {
    name: 'no-blocking',
    says: 'a server blocks a version by anything else that it holds (D2)',
    edits: [
      {
        file: rules,
        from: 'return other !== undefined && compareVersions(other, limit) > 0;',
        to: 'return other !== undefined;',
      },
    ],
    size: three,
    seed: 1,
  },
  {
    name: 'newer-overwritten',
    says: 'what is newer is overwritten',
    edits: [{ file: rules, from: order, to: order.replace('false', 'true') }],
    size: three,
    seed: 1,
  },
  {
    name: 'no-ancestors',
    says: 'a rival is dead whatever becomes of those that it was built on (D2)',
    edits: [
      {
        file: rules,
        from: 'if (!outside.every(isVersionOut)) return false;',
        to: 'return isVersionOut(rival);',
      },
    ],
    size: four,
    seed: 1097,
  },
  {
    name: 'no-unseen',
    says: 'what nobody sees was not built on (D2)',
    edits: [
      {
        file: rules,
        from: 'if (!isOut(view, won, oldest, carriesUnseenOf(descentIn))) return false;',
        to: '',
      },
    ],
    size: four,
    seed: 1480,
  },
  {
    name: 'before-b',
    says: 'older versions are overwritten before B servers are won',
    edits: [
      { file: rules, from: 'return isMet || isOutrun(view, candidate, other)', to: 'return true' },
    ],
    size: three,
    seed: 1,
  },
  {
    name: 'own-base',
    says: 'the newest version that can be read is built on, one’s own attempt as well (no R1)',
    edits: [
      { file: rules, from: '(base) => reachOf(view, base).size >= quorum.size', to: '() => true' },
      { file: kernel, from: 'if (!isWinnable(record, view, candidate)) return [];', to: '' },
    ],
    size: three,
    seed: 1,
  },
  {
    name: 'no-beside',
    says: 'shares of the base are overwritten before k of the new version are there (no R2a)',
    edits: [
      { file: kernel, from: 'if (isBaseSpare || !wholeShares) return null;', to: 'return null;' },
    ],
    size: { servers: 3, required: 2, size: 2, writers: 1, attempts: 2 },
    more: { lost: 1 },
  },
  {
    name: 'beside-idle',
    says: 'a server with a request under way has no free place: the base gives way (R2a)',
    edits: [
      { file: kernel, from: 'taken.size >= required || isBusy', to: 'taken.size >= required' },
    ],
    size: { servers: 3, required: 2, total: 2, size: 2, writers: 1, attempts: 1 },
  },
  {
    name: 'bad-overwritten',
    says: 'a bad share is overwritten although it claims to be newer',
    edits: [
      { file: rules, from: 'isMet && !claimsNewer(view, version, share.claim)', to: 'isMet' },
    ],
    size: { ...three, attempts: 1 },
    more: { rots: 1 },
  },
  {
    name: 'repair-over-good',
    says: 'a repair writes over what is good',
    edits: [
      { file: kernel, from: 'wholeShares ? !isOf(share, ours) :', to: 'wholeShares ? true :' },
    ],
    size: { ...mended, size: 3, attempts: 1 },
    more: { repairs: 1, lost: 1 },
  },
  {
    name: 'repair-anew',
    says: 'a repair makes a new version where shares are only missing',
    edits: [
      {
        file: repair,
        from: 'const isAgain = !needsMerge(record, known, version);',
        to: 'const isAgain = false;',
      },
    ],
    size: { ...mended, size: 3, attempts: 1 },
    more: { repairs: 1, lost: 1 },
  },
  {
    name: 'repair-over-bad',
    says: 'a repair writes over a bad share, whatever it claims to be',
    edits: [
      {
        file: rules,
        from: 'return Object.values(versions).some((it) =>',
        to: 'return true || Object.values(versions).some((it) =>',
      },
    ],
    size: { ...mended, attempts: 1 },
    more: { repairs: 1, rots: 1 },
  },
  {
    name: 'no-snapshot',
    says: 'requests test, and re-reads see, only the shares that were written',
    edits: [],
    size: { servers: 4, required: 1, total: 3, size: 3, writers: 2, attempts: 1 },
    more: { tests: 'shares' },
    seed: 1,
  },
];

/** Explores, or walks, where the mistake shows, until it does. */
export async function showMistake(mistake: Mistake): Promise<QuorumFindings | WalkFindings> {
  const { edits, size, more, seed } = mistake;
  const kernels = edits.length === 0 ? undefined : await kernelsWith(edits);
  const model = modelOf(size, more);
  if (seed === undefined) return exploreQuorum(model, { limit: 1_000_000, first: true, kernels });
  return walkQuorum(model, { walks: 100_000, seed, first: true, kernels });
}
