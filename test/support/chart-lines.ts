/**
 * @module chart-lines: the charts that ship, and a line of text for each state and transition of
 * one.
 */
import { type AnyStateMachine, StateMachine } from 'xstate';
import * as machines from '../../machines/index.ts';
import type { Taken } from './walk.ts';

export interface Definition extends Taken {
  readonly target: readonly { readonly id: string }[] | undefined;
  readonly guard?: unknown;
}

export interface Node {
  readonly id: string;
  readonly description?: string | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly transitions: ReadonlyMap<string, readonly Definition[]>;
  readonly always?: readonly Definition[] | undefined;
  readonly initial?: { readonly target: readonly Node[] } | undefined;
}

export type NamedChart = readonly [name: string, machine: AnyStateMachine];

/** The charts that ship, by their names in `machines/index.ts`. */
export const shippedCharts = Object.entries<unknown>(machines).filter(
  (entry): entry is [string, AnyStateMachine] => isChart(entry[1]),
) satisfies readonly NamedChart[];

export function isChart(value: unknown): value is AnyStateMachine {
  return value instanceof StateMachine;
}

/** Every state and transition of `machine`, in document order, a line each. */
export function chartLines(machine: AnyStateMachine): readonly string[] {
  return nodesOf(machine.root as unknown as Node).flatMap((node) => [
    stateLine(node),
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

/** The line that names a transition. */
export function lineOf(definition: Definition): string {
  const { source, eventType } = definition;
  const event = eventType === '' ? 'always' : eventType;
  return `${source.id}: ${event}${guardOf(definition)} -> ${targetsOf(definition).join(', ')}`;
}

/** The line that names a state. */
export function stateLine({ id }: { readonly id: string }): string {
  return `state ${id}`;
}

export function isStateLine(line: string): boolean {
  return line.startsWith('state ');
}
