/**
 * @module walk: a way through a directory and all that is below it, which meets each object once.
 *
 * The order is Tahoe's: a directory, what in it leads nowhere, its files by name, then each directory
 * in it, by name, with what is below that. Objects are told apart by their verify caps, so links to
 * read and to write are one, and circles end; a literal has none, and is met under each name.
 *
 * The listings of the next few directories of a level are begun before it is their turn. So of every
 * level of the path at hand no more than that many are in memory, and of the path itself no more
 * than the directories that are left to go through.
 */
import type { Child } from '../directory/child.ts';
import type { Listing } from '../directory.ts';
import { GridClosedError } from '../errors.ts';
import type { OperationOptions } from '../runtime/options.ts';
import { inOrder } from './ahead.ts';
import type { Gate } from './gate.ts';
import { type Met, metOf } from './met.ts';
import { inWalkOrder, phaseOf, positionOf } from './order.ts';
import type { Behind, Trail } from './record.ts';
import type { Known } from './root.ts';

/** What one walk works with. */
export interface Way {
  readonly list: (cap: string, options: OperationOptions) => Promise<Listing>;
  readonly gate: Gate;
  /** How many directories of a level are listed ahead, at most. */
  readonly width: number;
  /** What is behind; it is not told again. */
  readonly trail: Trail;
  readonly signal: AbortSignal;
}

/** A directory that was read, or could not be. */
interface Opened {
  readonly met: Met;
  /** In the order of the walk; null where it could not be read. */
  readonly children: Child[] | null;
}

/** A child that is a directory, and how much of it is behind. */
interface Next {
  readonly child: Known;
  readonly path: readonly string[];
  readonly behind: Behind | undefined;
}

/** Everything from a directory on. What cannot be read is met with its `error`, and goes on. */
export async function* walkFrom(root: Known, way: Way): AsyncGenerator<Met, void, undefined> {
  const { behind, seen } = way.trail;
  if (behind?.isOver) return;
  if (root.caps.verify !== undefined) seen.add(root.caps.verify);
  yield* below(await opened({ child: root, path: [], behind }, way), behind, way);
}

async function* below(
  { met, children }: Opened,
  behind: Behind | undefined,
  way: Way,
): AsyncGenerator<Met, void, undefined> {
  way.signal.throwIfAborted();
  if (behind === undefined || children === null) yield met;
  if (children === null) return;
  const next: Next[] = [];
  // Taken out of the list one by one: while what is below is gone through, nothing of it is left.
  for (const child of emptying(children.reverse())) {
    const position = positionOf(child);
    if (behind?.isBehind(position)) continue;
    const path = [...met.path, position.name];
    const within = behind?.within(position);
    // A directory is met here, also if it is below one that comes before it in this one.
    if (within === undefined && !isNew(child, way)) continue;
    if (phaseOf(child) === 'directory') {
      next.push({ child, path, behind: within });
    } else {
      way.signal.throwIfAborted();
      yield metOf(child, path);
    }
  }
  for await (const it of inOrder(emptying(next.reverse()), way.width, (it) => begun(it, way))) {
    yield* below(it.read, it.behind, way);
  }
}

async function begun(it: Next, way: Way): Promise<Next & { readonly read: Opened }> {
  return { ...it, read: await opened(it, way) };
}

/** From the end to the beginning; what was given is not kept. */
function* emptying<T>(items: T[]): Generator<T, void, undefined> {
  for (let it = items.pop(); it !== undefined; it = items.pop()) yield it;
}

/** Whether it is met for the first time, from now on no more. */
function isNew({ caps, isShadowed }: Known, { trail }: Way): boolean {
  return isShadowed || caps.verify === undefined || trail.seen.add(caps.verify);
}

async function opened({ child, path }: Next, way: Way): Promise<Opened> {
  const { gate, list, signal } = way;
  const { write, read = '' } = child.caps;
  try {
    const listing = await gate.run(signal, () => list(write ?? read, { signal }));
    const children = inWalkOrder(listing.children);
    const counted = children.filter(({ kind, isShadowed }) => kind !== 'ill-formed' && !isShadowed);
    const extent = { children: counted.length, size: listing.size };
    return { met: metOf(child, path, { extent }), children };
  } catch (error) {
    throwIfOver(error, signal);
    return { met: metOf(child, path, { error }), children: null };
  }
}

/** Any other error is of one object. @throws `error` when nothing can go on after it */
export function throwIfOver(error: unknown, signal: AbortSignal): void {
  if (signal.aborted) throw signal.reason;
  if (error instanceof GridClosedError) throw error;
}
