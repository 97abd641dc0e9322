/**
 * @module chart-problem: what is wrong with a chart that somebody sent. One that has no problem can
 * be drawn: its states are a tree of a size that a person can look at, and its arrows go between
 * states that are there.
 */
import type { Chart, ChartState } from './chart.ts';

/** States of one machine; the largest of ours has 30. */
const statesMax = 500;
const transitionsMax = 2000;
const depthMax = 12;
const kinds: readonly unknown[] = ['atomic', 'compound', 'parallel', 'final'];

/** Nothing, or what is wrong, as the end of a sentence about the chart. */
export function chartProblem(value: unknown): string | undefined {
  const { id, root, transitions } = (value ?? {}) as Partial<Chart>;
  if (typeof id !== 'string') return 'it has no id';
  const paths = new Set<string>();
  const wrong = stateProblem(root, paths, 0);
  if (wrong !== undefined) return wrong;
  if (!Array.isArray(transitions)) return 'it has no list of transitions';
  if (transitions.length > transitionsMax) return `it has more than ${transitionsMax} transitions`;
  for (const [i, transition] of transitions.entries()) {
    const { source, target, event, guard, id: name } = transition ?? {};
    if (typeof source !== 'string' || !paths.has(source)) return `transition ${i} leaves no state`;
    if (target !== null && !paths.has(target)) return `transition ${i} goes to no state`;
    const words: readonly unknown[] = [event, guard, name];
    if (words.some((word) => typeof word !== 'string')) return `transition ${i} has no words`;
  }
  return undefined;
}

function stateProblem(state: unknown, paths: Set<string>, depth: number): string | undefined {
  const { path, key, kind, description, initial, states } = (state ?? {}) as Partial<ChartState>;
  const words: readonly unknown[] = [path, key, kind, description];
  if (words.some((word) => typeof word !== 'string')) return 'a state of it has no name';
  if (!kinds.includes(kind)) return `${path} is of no kind of states`;
  if (initial !== null && typeof initial !== 'string') return `${path} begins nowhere`;
  if (!Array.isArray(states)) return `${path} has no list of states`;
  if (paths.has(path as string)) return `it has two states ${path}`;
  paths.add(path as string);
  if (paths.size > statesMax) return `it has more than ${statesMax} states`;
  if (depth > depthMax) return `it is more than ${depthMax} states deep`;
  for (const child of states) {
    const problem = stateProblem(child, paths, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
