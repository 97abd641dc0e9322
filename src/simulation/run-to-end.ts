/**
 * @module run-to-end: what is left to happen in a world, one after the other, without further faults.
 */
import type { Message } from './network.ts';
import type { World } from './world.ts';
import type { Choice, TraceRecord } from './world-types.ts';

/**
 * Goes on without further faults until nothing is left to happen: the oldest message first, and
 * time passes only when no message can arrive. Operations that have not started stay so.
 * @param isWanted which messages; all by default
 * @param isOver whether to stop before
 */
export async function runToEnd(
  world: World,
  isWanted: (message: Message) => boolean = () => true,
  isOver: (world: World) => boolean = () => false,
): Promise<readonly TraceRecord[]> {
  const start = world.trace.length;
  for (let steps = 0; steps < 10_000; steps++) {
    const next = isOver(world) ? undefined : nextToEnd(world, isWanted);
    if (next === undefined) return world.trace.slice(start);
    await world.choose(next);
  }
  throw new Error('the world does not come to rest');
}

/** What {@link runToEnd} would choose now. */
export function nextToEnd(
  world: World,
  isWanted: (message: Message) => boolean = () => true,
): Choice | undefined {
  const wanted = new Set(world.messages.filter(isWanted).map(({ id }) => id));
  const isNext = ({ kind, message }: Choice) => kind === 'deliver' && wanted.has(message as string);
  const isRunning = world.operations.some(({ status }) => status === 'running');
  const advance = () => world.plainChoices.find(({ kind }) => kind === 'advance');
  return world.plainChoices.find(isNext) ?? (isRunning ? advance() : undefined);
}
