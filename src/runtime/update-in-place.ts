/**
 * @module update-in-place: what an in-place MDMF update needs of the old version, checked up to its
 * signed root before anything new is signed (`filenode.py` `MutableFileVersion.update`).
 *
 * The new root covers the block hash trees of all N shares, so every one of them must be here. If
 * any is missing, stale, corrupt or laid out differently the answer is "no", and the whole file is
 * written again; a stale copy of a share is never mixed with new segments.
 */
import { fromPromise } from 'xstate';
import { internalFailure } from '../../machines/failure.ts';
import type { ReadTreesInput, ReadTreesResult } from '../../machines/io.ts';
import { bytesToHex } from '../bytes.ts';
import type { ShareHeader } from '../share/header.ts';
import { updateTreesMax } from '../share/limits.ts';
import { VersionVerifier } from '../share/verify.ts';
import { Stint } from '../turn.ts';
import { withDeadline } from './run.ts';
import { headerOf, readerOf, type Session } from './session.ts';
import type { Workbench } from './workbench.ts';

/** The actor of that name. */
export function readTrees(bench: Workbench) {
  return fromPromise<ReadTreesResult, ReadTreesInput>(async ({ input, signal }) => {
    const { desk } = bench;
    try {
      desk.trees = await verifiedTrees(desk.session, input, signal);
      return { ok: true };
    } catch (error) {
      return { ok: false, failure: internalFailure(error) };
    }
  });
}

/** The trees by share number. Rejects if that of any share cannot be had in time. */
async function verifiedTrees(
  session: Session,
  { map, version }: ReadTreesInput,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly Uint8Array[]>> {
  const header = headerOf(session, version.id);
  // Trees beyond this limit would take more memory than writing the file again as a whole.
  if (header.layout.blockHashTree.length * header.total > updateTreesMax) {
    throw new Error('the block hash trees are too large');
  }
  const verifier = new VersionVerifier(header);
  const trees = new Map<number, readonly Uint8Array[]>();
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
            reader.blockHashTree(),
          ]);
          verifier.acceptTree(holding.shnum, chain, tree);
          await stint.spend(tree.length);
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

/** The offset table is not signed, so it may differ between shares; the new parts would not fit. */
function requireSameLayout(own: ShareHeader, base: ShareHeader): void {
  if (JSON.stringify(own.layout) !== JSON.stringify(base.layout)) {
    throw new Error(`a share of ${bytesToHex(base.prefix).slice(0, 18)} is laid out differently`);
  }
}
