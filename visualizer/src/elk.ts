/**
 * @module elk: the layout engine in a worker, for charts that come with a recording.
 */
import * as elkApi from 'elkjs/lib/elk-api.js';
import ElkWorker from 'elkjs/lib/elk-worker.min.js?worker';
import type { Chart } from '../../src/inspector/chart.ts';
import { type LayoutEngine, type PlacedChart, place } from './diagram/layout.ts';

/** elkjs is CommonJS; its types are those of a module. */
const Elk = elkApi.default as unknown as new (options: {
  readonly workerFactory: () => Worker;
}) => LayoutEngine;

let engine: LayoutEngine | undefined;

export function placeInWorker(chart: Chart): Promise<PlacedChart> {
  engine ??= new Elk({ workerFactory: () => new ElkWorker() });
  return place(chart, engine);
}
