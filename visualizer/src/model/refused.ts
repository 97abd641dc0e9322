/**
 * @module refused: which transitions XState asked in a microstep, and what became of each.
 *
 * A trace holds what was taken; what was refused follows from the chart. XState 5 asks from the
 * innermost active state outwards, in each the alternatives of the event in their order, and takes
 * the first whose guard is true. So a guard was false in everything before that one, and in all of
 * them if none was taken. When an event is done with, `always` is asked in the same way, until
 * nothing more is taken. In parallel states each region is asked, and what is around them only when
 * no region took anything. `test/visualizer/refused.test.ts` holds this to the shipped machines.
 */
import {
  type Chart,
  type ChartState,
  type ChartTransition,
  transitionId,
} from '../../../src/inspector/chart.ts';
import { isActive, leavesOf } from '../../../src/runtime/state-text.ts';
import type { TakenTransition } from '../../../src/runtime/trace.ts';

export interface Asked {
  readonly transition: ChartTransition;
  /** `unasked`: one before it was taken. */
  readonly verdict: 'refused' | 'taken' | 'unasked';
}

/** A microstep, as a trace has it. */
export interface Microstep {
  readonly event: string;
  readonly transitions: readonly TakenTransition[];
}

/** Whether `step` took an `always`: then it belongs to the step before it. */
export function isEventless({ transitions }: Microstep): boolean {
  return transitions[0]?.event === '';
}

/** All alternatives of `event` (raw; '' for `always`) for one `leaf`, in the order of asking. */
function alternatives(
  { transitions }: Chart,
  leaf: string,
  event: string,
): readonly ChartTransition[] {
  return outwards(leaf).flatMap((source) => {
    const own = transitions
      .filter((transition) => transition.source === source)
      .map((transition) => ({ transition, descriptor: descriptorOf(transition) }));
    const exact = own.filter(({ descriptor }) => descriptor === event);
    const wild = own
      .filter(({ descriptor }) => descriptor !== event && isWildFor(descriptor, event))
      .sort((a, b) => b.descriptor.length - a.descriptor.length);
    return [...exact, ...wild].map(({ transition }) => transition);
  });
}

/**
 * What was asked in a microstep that began in `before`. Null: it took what the chart does not have
 * there, so nothing can be told.
 */
export function askedIn(chart: Chart, before: string, step: Microstep): readonly Asked[] | null {
  // Nobody asks for `xstate.init`: a chart enters its first state and then follows `always`.
  if (step.event === 'xstate.init' && step.transitions.length === 0) return [];
  const event = isEventless(step) ? '' : step.event;
  const taken = new Set(
    step.transitions.map(({ source, event, index }) => transitionId(source, event, index)),
  );
  const all = new Map<string, Asked>();
  for (const leaf of leavesOf(before)) {
    const list = alternatives(chart, leaf, event);
    const place = list.findIndex(({ id }) => taken.has(id));
    for (const [i, transition] of list.entries()) {
      const verdict = place < 0 || i < place ? 'refused' : i === place ? 'taken' : 'unasked';
      const known = all.get(transition.id);
      // What is around several regions is asked after the last of them.
      all.delete(transition.id);
      all.set(transition.id, known?.verdict === 'unasked' ? known : { transition, verdict });
    }
  }
  return [...taken].every((id) => all.has(id)) ? [...all.values()] : null;
}

/** Every `always` that was refused in the state that a chart came to rest in. */
export function refusedAtRest(chart: Chart, state: string): readonly ChartTransition[] {
  if (isOver(chart.root, state)) return [];
  return [...new Set(leavesOf(state).flatMap((leaf) => alternatives(chart, leaf, '')))];
}

/** A final state at the top, or in every region there, ends the chart: nothing is asked any more. */
function isOver({ kind, states }: ChartState, state: string): boolean {
  if (kind === 'parallel') return states.length > 0 && states.every((it) => isOver(it, state));
  return states.some((it) => it.kind === 'final' && isActive(state, it.path));
}

/** `a.b`, `a`, and the root. */
function outwards(state: string): readonly string[] {
  if (state === '') return [''];
  const dot = state.lastIndexOf('.');
  return [state, ...outwards(dot < 0 ? '' : state.slice(0, dot))];
}

/** The event as XState has it, from the transition's id. */
function descriptorOf({ id, source }: ChartTransition): string {
  return id.slice(source.length + 1, id.lastIndexOf('|'));
}

/** `*`, and `order.*` for `order.paid`. */
function isWildFor(descriptor: string, event: string): boolean {
  if (event === '') return false;
  if (descriptor === '*') return true;
  return descriptor.endsWith('.*') && `${event}.`.startsWith(descriptor.slice(0, -1));
}
