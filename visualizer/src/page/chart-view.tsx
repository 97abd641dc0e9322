/**
 * @module chart-view: a picture of a machine with what is active marked by classes, and the same as
 * a nested list for those who do not see pictures. The picture is drawn once.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ChartState } from '../../../src/inspector/chart.ts';
import { isActive, leavesOf } from '../../../src/runtime/state-text.ts';
import { type Picture, pictures, undrawable } from '../charts.ts';
import type { Box } from '../diagram/layout.ts';
import { idsIn } from '../diagram/svg.ts';
import { around } from '../model/camera.ts';
import { explainLine, type Marks } from '../model/explain.ts';
import { withNames } from '../recording-store.ts';
import { ChartStage } from './chart-stage.tsx';
import './charts.css';
import { useExplanations } from './explanations.ts';

interface Props {
  readonly chart: string;
  readonly actor: string;
  /** Behind its name, where the other side has an actor of that name too. */
  readonly whose: string;
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

export function ChartView(props: Props) {
  const { chart, whose, state, taken, isEnded, marks, ending, drawnAs = chart } = props;
  const drawing = useRef<HTMLDivElement>(null);
  const picture = pictures.value.get(drawnAs);
  const own = pictures.value.get(chart)?.entry.chart;
  const end = ending ?? (isEnded ? 'ended' : '');
  const actor = withNames(props.actor);
  const label = `Statechart ${chart}; ${actor} is in ${state}${end === '' ? '' : `, ${end}`}`;
  useLayoutEffect(() => {
    const root = drawing.current;
    if (root === null) return;
    const leaves = leavesOf(state);
    for (const group of root.querySelectorAll<SVGElement>('[data-state]')) {
      const path = group.dataset.state as string;
      group.classList.toggle('active', isActive(state, path));
      group.classList.toggle('leaf', leaves.includes(path));
    }
    for (const part of root.querySelectorAll<SVGElement>('[data-transition]')) {
      const ids = idsIn(part.dataset.transition as string);
      const has = (mark: string) => ids.some((id) => marks?.get(id) === mark);
      part.classList.toggle(
        'taken',
        ids.some((id) => taken.includes(id)),
      );
      part.classList.toggle('missing', has('missing'));
      part.classList.toggle('extra', has('extra'));
    }
    root.querySelector('svg')?.setAttribute('aria-label', label);
  });
  useExplanations(drawing, picture, state, marks);
  return (
    <figure class="chart-view">
      <figcaption>
        <b title={props.actor}>{actor}</b>{' '}
        <span class="state-word">{state.replaceAll('.', ' › ')}</span>
        {ending === undefined ? isEnded && ' (ended)' : <b class="bad"> ✗ {ending}</b>}
      </figcaption>
      <ChartStage
        key={drawnAs}
        picture={picture}
        drawing={drawing}
        label={`Picture of ${actor}${whose}`}
        boxes={picture === undefined ? [] : boxesOf(picture, state, taken, marks)}
        moment={JSON.stringify([props.actor, state, taken])}
      >
        {picture === undefined ? (
          <p class="none">{undrawnWords(chart)}</p>
        ) : (
          <details>
            <summary>{chart} as a list</summary>
            <StateList states={own?.root.states ?? []} state={state} chart={chart} />
          </details>
        )}
      </ChartStage>
    </figure>
  );
}

function undrawnWords(chart: string): string {
  const problem = undrawable.value.get(chart);
  return problem === undefined ? 'drawing…' : `${chart} cannot be drawn: ${problem}`;
}

/** What is to be seen: where the machine is, how it came there, and where it differs. */
function boxesOf(
  { entry, placed }: Picture,
  state: string,
  taken: readonly string[],
  marks: Marks | undefined,
): readonly Box[] {
  const statesAt = (path: string | null) => placed.states.filter((it) => it.path === path);
  const linesOf = (isMeant: (id: string) => boolean) =>
    placed.edges
      .filter(({ ids }) => ids.some(isMeant))
      .flatMap(({ points, label }) => [around(points), ...(label === null ? [] : [label])]);
  const isMarked = (id: string) => marks?.has(id) === true;
  return [
    ...leavesOf(state).flatMap(statesAt),
    ...linesOf((id) => taken.includes(id)),
    ...linesOf(isMarked),
    // Both ends of an arrow that one side has alone: so both sides show the same part.
    ...entry.chart.transitions
      .filter(({ id }) => isMarked(id))
      .flatMap(({ source, target }) => [...statesAt(source), ...statesAt(target)]),
  ];
}

interface ListProps {
  readonly states: readonly ChartState[];
  readonly state: string;
  readonly chart: string;
}

function StateList({ states, state, chart }: ListProps) {
  const own = pictures.value.get(chart)?.entry.chart;
  return (
    <ul>
      {states.map(({ path, key, description, states: inner }) => {
        return (
          <li key={path}>
            {isActive(state, path) ? <strong>{key} (active)</strong> : key}: {description}
            <ul>
              {own?.transitions
                .filter(({ source }) => source === path)
                .map(({ id }) => (
                  <li key={id}>{explainLine(own, id)}</li>
                ))}
            </ul>
            {inner.length > 0 && <StateList states={inner} state={state} chart={chart} />}
          </li>
        );
      })}
    </ul>
  );
}
