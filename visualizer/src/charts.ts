/**
 * @module charts: the pictures of the shipped machines, placed once each, by ELK in a worker.
 */
import { signal } from '@preact/signals';
import * as elkApi from 'elkjs/lib/elk-api.js';
import ElkWorker from 'elkjs/lib/elk-worker.min.js?worker';
import { type ChartState, statesIn } from '../../src/inspector/chart.ts';
import { type LayoutEngine, place } from './diagram/layout.ts';
import { toSvg } from './diagram/svg.ts';
import type { ChartEntry } from './engine/protocol.ts';

/** elkjs is CommonJS; its types are those of a module. */
const Elk = elkApi.default as unknown as new (options: {
  readonly workerFactory: () => Worker;
}) => LayoutEngine;

export interface Picture {
  readonly entry: ChartEntry;
  readonly svg: string;
  readonly width: number;
  /** Outside first, without the root. */
  readonly states: readonly ChartState[];
}

/** By chart name; the charts of a trace that somebody sent may be called anything. */
export const pictures = signal<ReadonlyMap<string, Picture>>(new Map());

export async function drawCharts(entries: readonly ChartEntry[]): Promise<void> {
  const elk = new Elk({ workerFactory: () => new ElkWorker() });
  for (const entry of entries) {
    const placed = await place(entry.chart, elk);
    const svg = toSvg(placed, `Statechart ${entry.name}. ${entry.description}`);
    const states = statesIn(entry.chart.root).slice(1);
    const picture = { entry, svg, width: placed.width, states };
    pictures.value = new Map([...pictures.value, [entry.name, picture]]);
  }
}
