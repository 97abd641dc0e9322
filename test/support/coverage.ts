/**
 * @module coverage: which states and transitions of a chart some test has taken.
 *
 * A chart's test file makes one record, hands it to every walk, exploration and live actor, and
 * ends by asserting that nothing is missing. Live actors and pure walks report alike: XState's
 * microsteps name the transitions taken.
 */
import type { AnyStateMachine, InspectionEvent } from 'xstate';
import type { Microstep, Taken } from './walk.ts';

interface Definition extends Taken {
  readonly target: readonly { readonly id: string }[] | undefined;
  readonly guard?: unknown;
}

interface Node {
  readonly id: string;
  readonly description?: string | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly transitions: ReadonlyMap<string, readonly Definition[]>;
  readonly always?: readonly Definition[] | undefined;
  readonly initial?: { readonly target: readonly Node[] } | undefined;
}

export interface ChartCoverage {
  /** For {@link pureChart} and {@link walk}. */
  readonly onMicrostep: (step: Microstep) => void;
  /** For `createActor(…, { inspect })`: looks at the chart and at nothing else in the system. */
  readonly inspect: (event: InspectionEvent) => void;
  /** What was never taken, one line each, in document order. */
  readonly missing: () => readonly string[];
  /** How many there are. */
  readonly total: number;
}

/** Every state and transition of `machine`, by the lines that name them in `missing`. */
export function chartLines(machine: AnyStateMachine): readonly string[] {
  return nodesOf(machine.root as unknown as Node).flatMap((node) => [
    `state ${node.id}`,
    ...definitionsOf(node).map(lineOf),
  ]);
}

/** All state nodes, in document order. */
export function nodesOf(node: Node): readonly Node[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

/** All transitions that leave `node` itself. */
export function definitionsOf(node: Node): readonly Definition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

/** Where a transition leads; its own state when it names no target. */
export function targetsOf(definition: Definition): readonly string[] {
  return definition.target?.map(({ id }) => id) ?? [definition.source.id];
}

function guardOf({ guard }: Definition): string {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return ` [${guard}]`;
  const { type, params } = guard as { type: string; params?: unknown };
  // Params that are functions of the event do not tell branches apart; constants do.
  return typeof params === 'string' ? ` [${type} ${params}]` : ` [${type}]`;
}

function lineOf(definition: Definition): string {
  const { source, eventType } = definition;
  const event = eventType === '' ? 'always' : eventType;
  return `${source.id}: ${event}${guardOf(definition)} -> ${targetsOf(definition).join(', ')}`;
}

export function chartCoverage(machine: AnyStateMachine): ChartCoverage {
  const lines = chartLines(machine);
  if (new Set(lines).size !== lines.length) throw new Error(`${machine.id}: two alike transitions`);
  const prefix = machine.id;
  const taken = new Set<string>();
  const onMicrostep = (step: Microstep) => {
    for (const definition of step._transitions as readonly Definition[]) {
      const { id } = definition.source;
      if (id !== prefix && !id.startsWith(`${prefix}.`)) continue;
      taken.add(lineOf(definition));
      for (const target of definition.target ?? []) enter(target as Node);
    }
  };
  const enter = (node: Node): void => {
    taken.add(`state ${node.id}`);
    for (const inner of node.initial?.target ?? []) enter(inner);
  };
  // XState reports no microstep for the first states: every run enters them.
  enter(machine.root as unknown as Node);
  return {
    onMicrostep,
    inspect: (event) => {
      if (event.type === '@xstate.microstep') onMicrostep(event as unknown as Microstep);
    },
    missing: () => lines.filter((line) => !taken.has(line)),
    total: lines.length,
  };
}
