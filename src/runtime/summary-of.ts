/**
 * @module summary-of: what a step in a trace tells, under the type of its chart's summary.
 *
 * A file of its own, for the page: it has no chart in it.
 */
import type { Json, Summaries } from './trace.ts';

/** The summary in `step`; nothing if it is of another chart, or tells nothing. */
export function summaryOf<Chart extends keyof Summaries>(
  step: { readonly chart: string; readonly context: Json },
  chart: Chart,
): Summaries[Chart] | undefined {
  if (step.chart !== chart || step.context === null) return undefined;
  return step.context as unknown as Summaries[Chart];
}
