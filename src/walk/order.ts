/**
 * @module order: in which order a walk goes through a directory: what leads nowhere, files, then
 * directories, each by name (`dirnode.py` `_deep_traverse_dirnode_children`).
 */
import { utf8 } from '../bytes.ts';
import type { Child } from '../directory/child.ts';
import { compareBytes } from '../directory/table.ts';

/** Of what can be in a directory, what comes when. */
export type Phase = 'nowhere' | 'file' | 'directory';

const phases: readonly Phase[] = ['nowhere', 'file', 'directory'];

export function phaseOf({ kind, isShadowed }: Pick<Child, 'kind'> & Partial<Child>): Phase {
  if (kind === 'file' || kind === 'directory') return isShadowed ? 'nowhere' : kind;
  return 'nowhere';
}

/** A place in that order. */
export interface Position {
  readonly phase: Phase;
  /** Empty where there is none. */
  readonly name: string;
}

export function positionOf(child: Child): Position {
  return { phase: phaseOf(child), name: child.name ?? '' };
}

/** Negative, 0 or positive, as `sort` takes it. */
export function comparePositions(a: Position, b: Position): number {
  const phase = phases.indexOf(a.phase) - phases.indexOf(b.phase);
  return phase || compareBytes(utf8(a.name), utf8(b.name));
}

/** Children as a walk goes through them; those with equal places stay as they are. */
export function inWalkOrder(children: readonly Child[]): Child[] {
  return [...children].sort((a, b) => comparePositions(positionOf(a), positionOf(b)));
}
