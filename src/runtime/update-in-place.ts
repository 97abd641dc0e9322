/**
 * @module update-in-place: what an in-place MDMF update needs of the old version, checked up to its
 * signed root before anything new is signed (`filenode.py` `MutableFileVersion.update`).
 *
 * The new root covers the block hash trees of all N shares, so something of every one of them is
 * needed. If any is missing, stale, corrupt or laid out differently the answer is "no", and the whole file is
 * written again; a stale copy of a share is never mixed with new segments.
 */
import { fromPromise } from 'xstate';
import { internalFailure } from '../../machines/failure.ts';
import type { ReadTreesInput, ReadTreesResult } from '../../machines/io.ts';
import { bytesToHex } from '../bytes.ts';
import { hashLength, nodeRuns } from '../share/hashtree.ts';
import type { ShareHeader } from '../share/header.ts';
import { updateTreesMax } from '../share/limits.ts';
import type { ShareReader } from '../share/reader.ts';
import { countNeeded, nodesNeeded, type OldTree } from '../share/update-trees.ts';
import { Stint } from '../turn.ts';
import { checksOf } from './block-checks.ts';
import { RememberedShares } from './remembered-shares.ts';
import { withDeadline } from './run.ts';
import { headerOf, readerOf } from './session.ts';
import { benchOf, type Desk } from './workbench.ts';

/** The actor of that name. */
export const readTrees = fromPromise<ReadTreesResult, ReadTreesInput>(
  async ({ input, signal, system }) => {
    const { desk } = benchOf(system);
    try {
      desk.session.shares ??= new RememberedShares();
      for (const run of input.next) desk.ahead.expect({ ...run, version: input.version });
      desk.trees = await verifiedTrees(desk, input, signal);
      return { ok: true };
    } catch (error) {
      return { ok: false, failure: internalFailure(error) };
    }
  },
);

/** The trees by share number. Rejects if that of any share cannot be had in time. */
async function verifiedTrees(
  { session, checks }: Desk,
  { map, version, ...run }: ReadTreesInput,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, OldTree>> {
  const header = headerOf(session, version.id);
  // Trees beyond this limit would take more memory than writing the file again as a whole.
  if (countNeeded(header, run) * hashLength * header.total > updateTreesMax) {
    throw new Error('the block hash trees are too large');
  }
  const nodes = [0, ...nodesNeeded(header, run).filter((node) => node > 0)];
  const check = checksOf(checks, version.id, header, 'read');
  const trees = new Map<number, OldTree>();
  const stint = new Stint();
  const { readMs } = session.engine.deadlines;
  const finished = new AbortController();
  const either = AbortSignal.any([signal, finished.signal]);
  try {
    await Promise.all(
      map.holdings.map((holding) =>
        withDeadline(session.engine, readMs, either, async (deadline) => {
          const reader = readerOf(session, holding, deadline);
          requireSameLayout(await reader.header(), header);
          const [chain, tree] = await Promise.all([
            reader.shareHashChain(),
            readNodes(reader, nodes),
          ]);
          check.admitNodes(
            holding.shnum,
            chain,
            nodes.map((node) => [node, tree(node)]),
          );
          await stint.spend(nodes.length);
          trees.set(holding.shnum, tree);
        }),
      ),
    );
    return trees;
  } finally {
    // Aborts the reads that are still under way.
    finished.abort();
  }
}

/** Nodes that are read although nobody needs them, rather than with another request. */
const gapMax = 64;

/** @param nodes ascending */
async function readNodes(
  reader: ShareReader,
  nodes: readonly number[],
): Promise<(node: number) => Uint8Array> {
  const runs: { first: number; count: number }[] = [];
  for (const { first, count } of nodeRuns(nodes)) {
    const run = runs.at(-1);
    if (run !== undefined && first - (run.first + run.count) <= gapMax) {
      run.count = first + count - run.first;
    } else runs.push({ first, count });
  }
  const read = runs.map(({ first, count }) => reader.blockHashes(first, count));
  const hashes = await Promise.all(read);
  return (node) => {
    const at = runs.findLastIndex(({ first }) => first <= node);
    return hashes[at]?.[node - (runs[at]?.first ?? 0)] as Uint8Array;
  };
}

/** The offset table is not signed, so it may differ between shares; the new parts would not fit. */
function requireSameLayout(own: ShareHeader, base: ShareHeader): void {
  if (JSON.stringify(own.layout) !== JSON.stringify(base.layout)) {
    throw new Error(`a share of ${bytesToHex(base.prefix).slice(0, 18)} is laid out differently`);
  }
}
