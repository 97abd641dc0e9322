/**
 * @module explore: every state a chart can reach, by pure transitions of the shipped object.
 *
 * Breadth first, so the path kept for a state is a shortest one. The caller gives the alphabet
 * (which events can come next), a key (when two snapshots are the same state) and what must hold
 * in every state and over every step.
 */
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, InputFrom } from 'xstate';
import { type Microstep, pathOf, pureChart } from './walk.ts';

export interface ExploreOptions<Machine extends AnyStateMachine> {
  readonly input: InputFrom<Machine>;
  readonly events: (snapshot: AnyMachineSnapshot) => readonly AnyEventObject[];
  readonly keyOf: (snapshot: AnyMachineSnapshot) => string;
  /** Throws when `snapshot` is not as it should be. */
  readonly always?: (snapshot: AnyMachineSnapshot) => void;
  /** Throws when the step is not as it should be. */
  readonly step?: (
    before: AnyMachineSnapshot,
    event: AnyEventObject,
    after: AnyMachineSnapshot,
  ) => void;
  readonly onMicrostep?: (step: Microstep) => void;
  /** States; more are an error. */
  readonly limit?: number;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** How many states there are per state path, and how many of them are the end of a run. */
  readonly paths: Readonly<Record<string, number>>;
  /** Active states without any event: a run would hang there. */
  readonly deadlocks: readonly string[];
}

interface Visit {
  readonly snapshot: AnyMachineSnapshot;
  readonly from: Visit | null;
  readonly event: AnyEventObject | null;
}

/** @throws Error with the shortest path to it, when something does not hold */
export function explore<Machine extends AnyStateMachine>(
  machine: Machine,
  options: ExploreOptions<Machine>,
): Exploration {
  const { input, events, keyOf, always, step, onMicrostep, limit = 100_000 } = options;
  const chart = pureChart(machine, onMicrostep);
  const first = chart.initial(input) as AnyMachineSnapshot;
  const queue: Visit[] = [{ snapshot: first, from: null, event: null }];
  const seen = new Set([keyOf(first)]);
  const paths: Record<string, number> = {};
  const deadlocks: string[] = [];
  let transitions = 0;
  for (let at = 0; at < queue.length; at++) {
    const visit = queue[at] as Visit;
    const { snapshot } = visit;
    const path = pathOf(snapshot.value);
    paths[path] = (paths[path] ?? 0) + 1;
    told(visit, () => always?.(snapshot));
    if (snapshot.status !== 'active') continue;
    const alphabet = events(snapshot);
    if (alphabet.length === 0) deadlocks.push(keyOf(snapshot));
    for (const event of alphabet) {
      const after = chart.next(snapshot as never, event) as AnyMachineSnapshot;
      const next: Visit = { snapshot: after, from: visit, event };
      transitions++;
      told(next, () => step?.(snapshot, event, after));
      const key = keyOf(after);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > limit) throw new Error(`${machine.id}: more than ${limit} states`);
      queue.push(next);
    }
  }
  return { states: queue.length, transitions, paths, deadlocks };
}

/** Runs `check`; a failure tells the way there. */
function told(visit: Visit, check: () => void): void {
  try {
    check();
  } catch (error) {
    const events: string[] = [];
    for (let at: Visit | null = visit; at?.event; at = at.from) {
      events.unshift(JSON.stringify(at.event));
    }
    throw new Error(`after ${events.join('\n  then ')}`, { cause: error });
  }
}
