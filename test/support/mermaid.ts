/**
 * @module mermaid: a chart as Mermaid text.
 */
import type { AnyStateMachine } from 'xstate';
import {
  type Chart,
  type ChartState,
  type ChartTransition,
  chartOf,
  statesIn,
} from '../../src/inspector/chart.ts';

/** A `stateDiagram-v2` of `machine`. */
export function toMermaid(machine: AnyStateMachine): string {
  const chart = chartOf(machine);
  const { root } = chart;
  const [, ...inside] = statesIn(root);
  // A transition of the root is there in every state.
  const edges = [...inside, root].flatMap((state) => edgesFrom(chart, state));
  return ['stateDiagram-v2', ...statesOf(root, 1), ...edges, ''].join('\n');
}

/** Declarations, nested; edges may cross levels and so come after all of them. */
function statesOf({ states, initial }: ChartState, depth: number): string[] {
  const pad = '  '.repeat(depth);
  const entry = initial === null ? [] : [`${pad}[*] --> ${nameOf(initial)}`];
  const declarations = states.flatMap((child) => {
    const name = `state "${child.key}" as ${nameOf(child.path)}`;
    if (child.kind !== 'compound') return [`${pad}${name}`];
    return [`${pad}${name} {`, ...statesOf(child, depth + 1), `${pad}}`];
  });
  return [...declarations, ...entry];
}

function edgesFrom({ transitions }: Chart, { path, kind }: ChartState): string[] {
  const edges = transitions
    .filter(({ source }) => source === path)
    .map((t) => `  ${nameOf(path)} --> ${nameOf(t.target ?? path)}${labelOf(t)}`);
  return kind === 'final' ? [...edges, `  ${nameOf(path)} --> [*]`] : edges;
}

/** `event [guard]`; what fires by itself has a guard only. */
function labelOf({ event, guard }: ChartTransition): string {
  const parts = [event, guard === '' ? '' : `[${guard}]`].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` : ${parts.join(' ')}`;
}

function nameOf(path: string): string {
  return path === '' ? 'anywhere' : path.replaceAll('.', '_');
}
