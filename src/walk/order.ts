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
  /** The name in UTF-8, by whose bytes names are compared. */
  readonly key: Uint8Array;
}

export function positionAt(phase: Phase, name: string): Position {
  return { phase, name, key: utf8(name) };
}

export function positionOf(child: Child): Position {
  return positionAt(phaseOf(child), child.name ?? '');
}

/** Negative, 0 or positive, as `sort` takes it. */
export function comparePositions(a: Position, b: Position): number {
  return phases.indexOf(a.phase) - phases.indexOf(b.phase) || compareBytes(a.key, b.key);
}

/** Children as a walk goes through them; those with equal places stay as they are. */
export function inWalkOrder(children: readonly Child[]): Child[] {
  const placed = children.map((child) => ({ child, position: positionOf(child) }));
  placed.sort((a, b) => comparePositions(a.position, b.position));
  return placed.map(({ child }) => child);
}
