/**
 * @module quorum-outcomes: all that servers may come to hold, whatever writers know of it.
 */
import type { QuorumModel } from './quorum-model.ts';
import { type Mark, none } from './quorum-parts.ts';
import { goThrough } from './quorum-through.ts';
import { QuorumWorlds, type World } from './quorum-world.ts';

/** Of every world what the servers hold, with what is acknowledged then. */
export function outcomesOf(model: QuorumModel): ReadonlySet<string> {
  const worlds = new QuorumWorlds(model);
  const outcomes = new Set([held(worlds, worlds.first())]);
  // Worlds that come to the same may hold something else.
  goThrough(worlds, ({ next }) => next !== null && outcomes.add(held(worlds, next)));
  return outcomes;
}

/** Versions by their order and their parents; servers in no order where they are alike. */
function held({ cast, model, acked }: QuorumWorlds, world: World): string {
  const rows = world.slice(0, model.servers).map((row) => cast.row(row));
  const orderOf = (mark: Mark) => cast.made(mark).order;
  const all = [...new Set([...rows.flat(), world[acked] as Mark])]
    .filter((mark) => mark !== none)
    .sort((a, b) => orderOf(a) - orderOf(b));
  const nameOf = (mark: Mark) => {
    if (mark === none) return '-';
    let near = cast.made(mark).base;
    while (near !== none && !all.includes(near)) near = cast.made(near).base;
    return [all.indexOf(mark), cast.made(mark).version.seqnum, all.indexOf(near)].join(':');
  };
  const names = rows.map((row) => row.map(nameOf).join());
  if (model.total === 1) names.sort();
  return [...names, nameOf(world[acked] as Mark)].join(' ');
}
