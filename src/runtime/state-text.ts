/**
 * @module state-text: where a machine is, as one text. `collecting.awaiting`; of a machine with
 * parallel states every region, in the order of the machine: `up.idle & down.busy`.
 */
import type { StateValue } from 'xstate';

const between = ' & ';

/** XState's value of a state as text: `{ collecting: 'awaiting' }` as `collecting.awaiting`. */
export function stateText(value: unknown): string {
  return pathsIn(value).join(between);
}

function pathsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value as object).flatMap(([key, inner]) => {
    const inside = pathsIn(inner);
    // A region without states of its own has nothing in it.
    return inside.length === 0 ? [key] : inside.map((path) => `${key}.${path}`);
  });
}

/** The innermost states that are active: one, or one per region. */
export function leavesOf(state: string): readonly string[] {
  return state.split(between);
}

/** `awaiting`, `idle & busy`: the last words alone. */
export function shortState(state: string): string {
  return leavesOf(state)
    .map((leaf) => leaf.slice(leaf.lastIndexOf('.') + 1))
    .join(between);
}

/** Whether a machine that is in `state` is in the state at `path`, or in one inside that. */
export function isActive(state: string, path: string): boolean {
  return leavesOf(state).some((leaf) => leaf === path || leaf.startsWith(`${path}.`));
}

/** The text of the leaves at these paths. */
export function textOfLeaves(paths: readonly string[]): string {
  return paths.join(between);
}

/** XState's value again, as {@link stateText} reads it. */
export function stateValue(state: string): StateValue {
  return nestedIn(leavesOf(state).map((leaf) => leaf.split('.')));
}

function nestedIn(paths: readonly (readonly string[])[]): StateValue {
  const [first] = paths;
  if (paths.length === 1 && first?.length === 1) return first[0] as string;
  const inner = new Map<string, (readonly string[])[]>();
  for (const [key = '', ...rest] of paths) {
    inner.set(key, [...(inner.get(key) ?? []), ...(rest.length === 0 ? [] : [rest])]);
  }
  return Object.fromEntries(
    [...inner].map(([key, rest]) => [key, rest.length === 0 ? {} : nestedIn(rest)]),
  );
}
