/**
 * @module chart-difference: the transitions that one chart has and another has not. Read off both
 * charts, so that no picture of a difference can say what the machines do not.
 */
import type { Chart, ChartTransition } from '../../../src/inspector/chart.ts';

/** Of `chart`, what `other` lacks: by name, by guard, or by where it leads. */
export function onlyIn(chart: Chart, other: Chart): readonly ChartTransition[] {
  const known = new Set(other.transitions.map(gist));
  return chart.transitions.filter((transition) => !known.has(gist(transition)));
}

function gist({ id, guard, target }: ChartTransition): string {
  return JSON.stringify([id, guard, target]);
}

/** `verifying → done` */
export function arrowWords({ source, target }: ChartTransition): string {
  const plain = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  return `${plain(source)} → ${plain(target ?? source)}`;
}
