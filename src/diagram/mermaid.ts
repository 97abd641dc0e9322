/**
 * @module mermaid: a chart as Mermaid text, read off the shipped machine object.
 *
 * States, nesting, events, named guards and descriptions all come from the machine, so a picture
 * can not say what the chart does not.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** A `stateDiagram-v2` of `machine`. */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine;
  const edges = descendantsOf(root).flatMap(edgesFrom);
  // A transition of the root is there in every state.
  const anywhere = edgesFrom(root).map((edge) => edge.replace(nameOf(root), 'anywhere'));
  return ['stateDiagram-v2', ...statesOf(root, 1), ...edges, ...anywhere, ''].join('\n');
}

/** Declarations, nested; edges may cross levels and so come after all of them. */
function statesOf(node: AnyStateNode, depth: number): string[] {
  const pad = '  '.repeat(depth);
  const [initial] = node.initial.target ?? [];
  const entry = initial === undefined ? [] : [`${pad}[*] --> ${nameOf(initial)}`];
  const states = Object.values(node.states).flatMap((child) => {
    const name = `state "${child.key}" as ${nameOf(child)}`;
    if (child.type !== 'compound') return [`${pad}${name}`];
    return [`${pad}${name} {`, ...statesOf(child, depth + 1), `${pad}}`];
  });
  return [...states, ...entry];
}

function descendantsOf(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...descendantsOf(child)]);
}

function edgesFrom(node: AnyStateNode): string[] {
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  const edges = transitions.flatMap((transition) =>
    // Without a target it stays where it is.
    (transition.target ?? [node]).map(
      (target) => `  ${nameOf(node)} --> ${nameOf(target)}${labelOf(transition)}`,
    ),
  );
  return node.type === 'final' ? [...edges, `  ${nameOf(node)} --> [*]`] : edges;
}

/** `event [guard]`; what fires by itself has a guard only. */
function labelOf({ eventType, guard }: AnyTransitionDefinition): string {
  const parts = [eventLabel(eventType), guardLabel(guard)].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` : ${parts.join(' ')}`;
}

function eventLabel(eventType: string): string {
  const [, kind, name] = /^xstate\.(done\.actor|error\.actor|after)\.([^.]+)/.exec(eventType) ?? [];
  if (kind === 'done.actor') return `${name} answered`;
  if (kind === 'error.actor') return `${name} threw`;
  if (kind === 'after') return `after ${name}`;
  return eventType;
}

function guardLabel(guard: unknown): string {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return `[${guard}]`;
  const { type, params } = guard as { type: string; params?: unknown };
  return `[${type}${typeof params === 'string' ? ` ${params}` : ''}]`;
}

function nameOf(node: AnyStateNode): string {
  return node.path.length === 0 ? node.key : node.path.join('_');
}
