/**
 * @module explain: what a part of a chart means, in a sentence made of the machine's own words: its
 * states' descriptions, its events, its guards.
 */
import { type Chart, type ChartTransition, statesIn } from '../../../src/inspector/chart.ts';
import type { PlacedState } from '../diagram/layout.ts';

/** `missing`: only the other machine has it; `extra`: only this one has it. */
export type Marks = ReadonlyMap<string, 'missing' | 'extra'>;

/**
 * By the name that pictures use: the id of a transition, `initial:collecting` for where a compound
 * state begins. Null when the chart has no such part.
 */
export function explainLine(chart: Chart, id: string): string | null {
  if (id.startsWith('initial:')) {
    const path = id.slice('initial:'.length);
    const state = stateOf(chart, path);
    if (state === undefined || state.initial === null) return null;
    const whole = path === '' ? chart.id : named(chart, path);
    return `${whole} begins in ${named(chart, state.initial)}.`;
  }
  const transition = chart.transitions.find((it) => it.id === id);
  return transition === undefined ? null : explainTransition(chart, transition);
}

/** What a state of the picture is about. */
export function explainState({ title, kind, description }: PlacedState): string {
  const end =
    kind === 'final'
      ? ' The chart ends here.'
      : kind === 'parallel'
        ? ' All of its regions are active at once.'
        : '';
  return `${title}: ${description === '' ? 'a state without a description.' : description}${end}`;
}

function explainTransition(chart: Chart, transition: ChartTransition): string {
  const { source, target, event, guard, description = '' } = transition;
  const conditions = [
    ...refusedBefore(chart, transition).map((name) => `${name} does not hold`),
    ...(guard === '' ? [] : [`${guard} holds`]),
  ];
  const when = listed([...happening(event), ...conditions]);
  const start = source === '' ? 'In every state' : `In ${named(chart, source)}`;
  const cause = event !== '' ? `when ${when}` : when === '' ? 'at once' : `as soon as ${when}`;
  const end = target === null ? 'it stays there' : `it goes to ${named(chart, target)}`;
  return `${start}: ${cause}, ${end}.${description === '' ? '' : ` ${description}`}`;
}

/** The guards of those alternatives that are tried first. */
function refusedBefore(chart: Chart, { id, source, event }: ChartTransition): readonly string[] {
  const alike = chart.transitions.filter((it) => it.source === source && it.event === event);
  const before = alike.slice(
    0,
    alike.findIndex((it) => it.id === id),
  );
  return [...new Set(before.map(({ guard }) => guard))].filter((guard) => guard !== '');
}

/** `event` is worded by chartOf (src/inspector/chart.ts). */
function happening(event: string): readonly string[] {
  if (event === '') return [];
  const [, name, how] = /^(\S+) (answered|threw)$/.exec(event) ?? [];
  if (how === 'answered') return [`${name} has answered`];
  if (how === 'threw') return [`${name} has failed`];
  if (event.startsWith('after ')) return [`${event.slice('after '.length)} is over`];
  return [`${event} arrives`];
}

function stateOf(chart: Chart, path: string) {
  return statesIn(chart.root).find((state) => state.path === path);
}

/** `verifying (“Shares are being judged”)`. */
function named(chart: Chart, path: string): string {
  const { key = path, description = '' } = stateOf(chart, path) ?? {};
  return description === '' ? key : `${key} (“${description.replace(/\.$/, '')}”)`;
}

function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
