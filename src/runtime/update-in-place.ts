/**
 * @module update-in-place: what an in-place MDMF update needs of the old version, checked up to its
 * signed root before anything new is signed (`filenode.py` `MutableFileVersion.update`).
 *
 * The new root covers the block hash trees of all N shares, so every one of them must be here. If
 * any is missing, stale, corrupt or laid out differently the answer is "no", and the caller writes
 * the whole file again; a stale copy of a share is never mixed with new segments.
 */
import {
  bestVersion,
  type Servermap,
  type Slot,
  sharesOf,
  type Version,
} from '../../machines/servermap.ts';
import { bytesToHex } from '../bytes.ts';
import type { ShareHeader } from '../share/header.ts';
import { updateTreesMax } from '../share/limits.ts';
import { VersionVerifier } from '../share/verify.ts';
import { Stint } from '../turn.ts';
import { withDeadline } from './run.ts';
import { headerOf, readerOf, type Session } from './session.ts';

/** What has to be rewritten for new bytes at an offset. */
export interface Rewrite {
  readonly firstSegment: number;
  /** Old bytes in front of the new ones in the first segment: from, to. */
  readonly keepBefore: readonly [number, number];
  /** Old bytes behind the new ones in the last rewritten segment. */
  readonly keepAfter: readonly [number, number];
  readonly newDataLength: number;
}

/** Which segments `length` new bytes at `offset` touch; `offset` is not beyond the end. */
export function rewriteOf(version: Version, offset: number, length: number): Rewrite {
  const { segmentSize, dataLength } = version;
  const end = offset + length;
  const newDataLength = Math.max(dataLength, end);
  const firstSegment = Math.floor(offset / segmentSize);
  const lastEnd = Math.min(Math.ceil(end / segmentSize) * segmentSize, newDataLength);
  return {
    firstSegment,
    keepBefore: [firstSegment * segmentSize, offset],
    keepAfter: [end, Math.max(end, Math.min(lastEnd, dataLength))],
    newDataLength,
  };
}

/** The version that every known share is of, if all N are there and none is anything else. */
export function uniformBase(map: Servermap): Version | undefined {
  const best = bestVersion(map);
  if (best === undefined || best.format !== 'mdmf') return undefined;
  const isOfBest = ({ verdict }: Slot) => verdict.kind === 'good' && verdict.version === best.id;
  if (!map.slots.every(isOfBest)) return undefined;
  return sharesOf(map, best.id).size === best.total ? best : undefined;
}

/**
 * The verified block hash trees of all shares, by share number, or undefined when any share does
 * not yield its own in time: whoever needs them all writes the whole file instead.
 */
export async function readTrees(
  session: Session,
  map: Servermap,
  version: Version,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, readonly Uint8Array[]> | undefined> {
  const header = headerOf(session, version);
  // Of a file that large, the trees are no longer the lesser part of what goes through memory.
  if (header.layout.blockHashTree.length * header.total > updateTreesMax) return undefined;
  const verifier = new VersionVerifier(header);
  const trees = new Map<number, readonly Uint8Array[]>();
  const stint = new Stint();
  const { readMs } = session.engine.deadlines;
  const finished = new AbortController();
  const { signal: over } = finished;
  const either = signal === undefined ? over : AbortSignal.any([signal, over]);
  try {
    await Promise.all(
      map.slots.map((slot) =>
        withDeadline(session.engine, readMs, either, async (deadline) => {
          const reader = readerOf(session, slot, deadline);
          requireSameLayout(await reader.header(), header);
          const [chain, tree] = await Promise.all([
            reader.shareHashChain(),
            reader.blockHashTree(),
          ]);
          verifier.acceptTree(slot.shnum, chain, tree);
          await stint.spend(tree.length);
          trees.set(slot.shnum, tree);
        }),
      ),
    );
    return trees;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  } finally {
    // Nobody waits any more for the reads that are still under way.
    finished.abort();
  }
}

/** The offset table is not signed: shares of one version may differ in it, parts may then not. */
function requireSameLayout(own: ShareHeader, base: ShareHeader): void {
  if (JSON.stringify(own.layout) !== JSON.stringify(base.layout)) {
    throw new Error(`a share of ${bytesToHex(base.prefix).slice(0, 18)} is laid out differently`);
  }
}
