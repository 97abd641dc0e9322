/**
 * @module quorum-through: all worlds of a small model, one after the other, each once.
 */
import { Fingerprints } from './quorum-fingerprint.ts';
import type { Violation } from './quorum-model.ts';
import type { QuorumWorlds, World } from './quorum-world.ts';

/** Worlds are numbered in the order in which they were met. */
export interface Through {
  readonly world: World;
  readonly at: number;
  /** As it was reached, which may call versions otherwise than the world `to`; null: it only broke. */
  readonly next: World | null;
  readonly to: number;
  readonly violation: Violation | undefined;
}

/** Calls `onStep` with every step of every world. @returns the worlds */
export function goThrough(
  worlds: QuorumWorlds,
  onStep: (step: Through) => unknown = () => {},
): readonly World[] {
  const prints = new Fingerprints(worlds);
  const met = new Map<string, number>();
  const all: World[] = [];
  const numberOf = (world: World) => {
    prints.take(world);
    const print = `${prints.high} ${prints.low}`;
    const known = met.get(print);
    if (known !== undefined) return known;
    met.set(print, all.length);
    return all.push(world) - 1;
  };
  numberOf(worlds.first());
  for (let at = 0; at < all.length; at++) {
    const world = all[at] as World;
    worlds.everyStep(world, (next, violation) => {
      onStep({ world, at, next, to: next === null ? at : numberOf(next), violation });
    });
  }
  return all;
}
