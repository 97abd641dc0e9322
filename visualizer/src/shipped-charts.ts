/**
 * @module shipped-charts: every shipped chart, placed when the page is built, so that no visitor
 * needs the layout engine for them.
 */
import ELK from 'elkjs/lib/elk.bundled.js';
import type { DrawnChart } from './charts.ts';
import { place } from './diagram/layout.ts';
import { chartEntries } from './engine/chart-entries.ts';

export async function shippedCharts(): Promise<readonly DrawnChart[]> {
  /** elkjs is CommonJS; its types are those of a module. */
  const elk = new (ELK as unknown as typeof ELK.default)();
  const drawn: DrawnChart[] = [];
  for (const entry of chartEntries()) drawn.push({ entry, placed: await place(entry.chart, elk) });
  return drawn;
}
