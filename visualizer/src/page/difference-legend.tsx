/**
 * @module difference-legend: what the marked arrows of a chart say: which of the two sides has them.
 */

import type { ChartDifference } from '../focus-store.ts';
import { arrowWords } from '../model/chart-difference.ts';
import type { Marks } from '../model/explain.ts';
import { goTo, shortTitles, titles } from '../store.ts';
import './understanding.css';

export function marksOf(difference: ChartDifference | undefined): Marks | undefined {
  if (difference === undefined) return undefined;
  const { extra, missing } = difference;
  return new Map([
    ...missing.map(({ id }) => [id, 'missing'] as const),
    ...extra.map(({ id }) => [id, 'extra'] as const),
  ]);
}

interface Props {
  readonly side: number;
  readonly difference: ChartDifference | undefined;
  /** The step at which an arrow that only this side has was taken. */
  readonly takenAt: number | null;
}

export function DifferenceLegend({ side, difference, takenAt }: Props) {
  if (difference === undefined) return null;
  const { extra, missing } = difference;
  const rule = (which: number) =>
    shortTitles.value[which] === 'old' ? 'the old rule' : 'this engine';
  return (
    <ul class="difference-legend" aria-label={`How the chart of ${titles.value[side]} differs`}>
      {extra.map((transition) => (
        <li key={transition.id} class="extra">
          <Sample /> <b>{arrowWords(transition)}</b>: only in {rule(side)}
          {takenAt !== null && (
            <>
              ,{' '}
              <button type="button" class="link bad" onClick={() => goTo(takenAt)}>
                taken at step {takenAt}
              </button>
            </>
          )}
        </li>
      ))}
      {missing.map((transition) => (
        <li key={transition.id} class="missing">
          <Sample /> <b>{arrowWords(transition)}</b>: only in {rule(1 - side)}, no way here
        </li>
      ))}
    </ul>
  );
}

function Sample() {
  return (
    <svg class="sample" width="28" height="10" aria-hidden="true">
      <path d="M0 5H26" />
    </svg>
  );
}
