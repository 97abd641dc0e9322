/**
 * @module chart: what a picture of a machine needs, read off the shipped machine object.
 *
 * States, nesting, events, named guards and descriptions all come from the machine, so no picture
 * can say what the chart does not. A transition has the name that traces use for it: its source,
 * its event and its place among the guarded alternatives.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { textOfLeaves } from '../runtime/state-text.ts';

/** A state of a chart. */
export interface ChartState {
  /** `collecting.awaiting`; '' is the root. */
  readonly path: string;
  /** Its name among those beside it; empty for the root. */
  readonly key: string;
  /** In a parallel one all of its states, the regions, are active at once. */
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final';
  /** What its author says of it. */
  readonly description: string;
  /** Path of the state that a compound one begins in. */
  readonly initial: string | null;
  /** Those inside of it. */
  readonly states: readonly ChartState[];
}

/** An arrow of a chart. */
export interface ChartTransition {
  /** `transitionId` */
  readonly id: string;
  /** The state that it leaves, `collecting.awaiting`. */
  readonly source: string;
  /** Null: it stays where it is. */
  readonly target: string | null;
  /** `server.answered`, `after queryDeadline`; '' for what fires by itself. */
  readonly event: string;
  /** `isAsked`; '' for none. */
  readonly guard: string;
  /** Where the machine gives one. */
  readonly description?: string;
}

/** A machine as a picture shows it. */
export interface Chart {
  /** Of the machine. */
  readonly id: string;
  /** The state that all others are in. */
  readonly root: ChartState;
  /** In the order in which they are tried. */
  readonly transitions: readonly ChartTransition[];
}

/** The chart of `machine`. */
export function chartOf(machine: AnyStateMachine): Chart {
  const { root } = machine;
  return {
    id: machine.id,
    root: stateOf(root),
    transitions: [root, ...descendantsOf(root)].flatMap(transitionsFrom),
  };
}

/** How charts and traces name a transition. */
export function transitionId(source: string, event: string, index: number): string {
  return `${source}|${event}|${index}`;
}

/** The state and everything in it, outside first. */
export function statesIn(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(statesIn)];
}

/** Where it begins, as traces name it: `collecting.awaiting`, `up.idle & down.busy`. */
export function initialState({ root }: Chart): string {
  return textOfLeaves(initialLeaves(root));
}

function initialLeaves(state: ChartState): readonly string[] {
  if (state.kind === 'parallel') return state.states.flatMap(initialLeaves);
  const next = state.states.find(({ path }) => path === state.initial);
  return next === undefined ? [state.path] : initialLeaves(next);
}

function stateOf(node: AnyStateNode): ChartState {
  const [initial] = node.initial.target ?? [];
  const kind = node.type === 'history' ? 'atomic' : node.type;
  return {
    path: pathOf(node),
    key: node.key,
    kind,
    description: node.description ?? '',
    initial: kind === 'compound' && initial !== undefined ? pathOf(initial) : null,
    states: Object.values(node.states).map(stateOf),
  };
}

function descendantsOf(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...descendantsOf(child)]);
}

function transitionsFrom(node: AnyStateNode): ChartTransition[] {
  const lists = [...node.transitions.values(), node.always ?? []];
  return lists.flatMap((list) =>
    list.map((transition, index) => ({
      id: transitionId(pathOf(node), transition.eventType, index),
      source: pathOf(node),
      target: transition.target?.[0] === undefined ? null : pathOf(transition.target[0]),
      event: eventLabel(transition.eventType),
      guard: guardLabel(transition),
      ...descriptionOf(transition),
    })),
  );
}

/** `xstate.done.actor.writeShare` as `writeShare answered`. */
export function eventLabel(eventType: string): string {
  const [, kind, name] = /^xstate\.(done\.actor|error\.actor|after)\.([^.]+)/.exec(eventType) ?? [];
  if (kind === 'done.actor') return `${name} answered`;
  if (kind === 'error.actor') return `${name} threw`;
  if (kind === 'after') return `after ${name}`;
  return eventType;
}

function guardLabel({ guard }: AnyTransitionDefinition): string {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return guard;
  const { type, params } = guard as { type: string; params?: unknown };
  return `${type}${typeof params === 'string' ? ` ${params}` : ''}`;
}

/** XState keeps it; its types do not say so. */
function descriptionOf(transition: AnyTransitionDefinition): { description?: string } {
  const { description } = transition as { description?: string };
  return description === undefined ? {} : { description };
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}
