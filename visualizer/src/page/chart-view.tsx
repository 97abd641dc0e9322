/**
 * @module chart-view: a picture of a machine with what is active marked by classes, and the same as
 * a nested list for those who do not see pictures. The picture is drawn once.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ChartState } from '../../../src/inspector/chart.ts';
import { pictures } from '../charts.ts';

interface Props {
  readonly chart: string;
  readonly actor: string;
  readonly state: string;
  readonly taken: readonly string[];
  readonly isEnded: boolean;
  /** How the machine's arrows differ from those of the machine beside it, by transition id. */
  readonly marks?: Marks | undefined;
  /** The picture to draw it in; its own unless it is to be compared with another. */
  readonly drawnAs?: string | undefined;
  /** What became of it, when it was stopped at work. */
  readonly ending?: string | undefined;
}

/** `missing`: only the other machine has it; `extra`: only this one has it. */
export type Marks = ReadonlyMap<string, 'missing' | 'extra'>;

export function ChartView(props: Props) {
  const { chart, actor, state, taken, isEnded, marks, ending, drawnAs = chart } = props;
  const holder = useRef<HTMLDivElement>(null);
  const picture = pictures.value.get(drawnAs);
  useLayoutEffect(() => {
    if (holder.current !== null) holder.current.innerHTML = picture?.svg ?? '';
  }, [picture]);
  useLayoutEffect(() => {
    const root = holder.current;
    if (root === null) return;
    for (const group of root.querySelectorAll<SVGElement>('[data-state]')) {
      const path = group.dataset.state as string;
      group.classList.toggle('active', state === path || state.startsWith(`${path}.`));
      group.classList.toggle('leaf', state === path);
    }
    for (const part of root.querySelectorAll<SVGElement>('[data-transition]')) {
      const ids = (part.dataset.transition as string).split(' ');
      const isTaken = ids.some((id) => taken.includes(id));
      part.classList.toggle('taken', isTaken);
      for (const mark of ['missing', 'extra'] as const) {
        part.classList.toggle(
          mark,
          ids.some((id) => marks?.get(id) === mark),
        );
      }
    }
    const end = ending ?? (isEnded ? 'ended' : '');
    const label = `Statechart ${chart}; ${actor} is in ${state}${end === '' ? '' : `, ${end}`}`;
    root.querySelector('svg')?.setAttribute('aria-label', label);
  });
  return (
    <figure class="chart-view">
      <figcaption>
        <b>{actor}</b> <span class="state-word">{state.replaceAll('.', ' › ')}</span>
        {ending === undefined ? isEnded && ' (ended)' : <b class="bad"> ✗ {ending}</b>}
      </figcaption>
      <div class="drawing" ref={holder} />
      {picture === undefined ? (
        <p class="none">drawing…</p>
      ) : (
        <details>
          <summary>{chart} as a list</summary>
          <StateList
            states={pictures.value.get(chart)?.entry.chart.root.states ?? []}
            state={state}
            chart={chart}
          />
        </details>
      )}
    </figure>
  );
}

interface ListProps {
  readonly states: readonly ChartState[];
  readonly state: string;
  readonly chart: string;
}

function StateList({ states, state, chart }: ListProps) {
  const transitions = pictures.value.get(chart)?.entry.chart.transitions ?? [];
  return (
    <ul>
      {states.map(({ path, key, description, states: inner }) => {
        const isActive = state === path || state.startsWith(`${path}.`);
        return (
          <li key={path}>
            {isActive ? <strong>{key} (active)</strong> : key}: {description}
            <ul>
              {transitions
                .filter(({ source }) => source === path)
                .map(({ id, event, guard, target }) => (
                  <li key={id}>
                    {event === '' ? 'by itself' : event}
                    {guard === '' ? '' : ` if ${guard}`}
                    {target === null ? ', stays' : ` → ${target}`}
                  </li>
                ))}
            </ul>
            {inner.length > 0 && <StateList states={inner} state={state} chart={chart} />}
          </li>
        );
      })}
    </ul>
  );
}
