/**
 * @module charts: the pictures of the machines. Those of the shipped ones were placed when the page
 * was built; what else a recording brings is placed by ELK, in a worker that comes with it.
 */
import { computed, signal } from '@preact/signals';
import type { Chart } from '../../src/inspector/chart.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';
import type { PlacedChart } from './diagram/layout.ts';
import { toSvg } from './diagram/svg.ts';
import type { ChartEntry } from './engine/protocol.ts';

/** A chart, and where its parts go. */
export interface DrawnChart {
  readonly entry: ChartEntry;
  readonly placed: PlacedChart;
}

export interface Picture extends DrawnChart {
  readonly svg: string;
}

type Pictures = ReadonlyMap<string, Picture>;

const shipped = signal<Pictures>(new Map());
/** Of the recording that is open. */
const recorded = signal<Pictures>(new Map());

/**
 * By chart name; the charts of a trace that somebody sent may be called anything. A recording's own
 * come before the shipped ones: those may be of another version.
 */
export const pictures = computed<Pictures>(() => new Map([...shipped.value, ...recorded.value]));

export function showShippedCharts(drawn: readonly DrawnChart[]): void {
  shipped.value = new Map(drawn.map((it) => [it.entry.name, pictureOf(it)]));
}

/** Draws what charts a recording brings, one after the other. */
export async function drawRecordedCharts(records: readonly TraceRecord[]): Promise<void> {
  const charts = records.flatMap((record) => (record.kind === 'chart' ? [record.chart] : []));
  for (const chart of charts) {
    if (isShipped(chart)) continue;
    const entry = { name: chart.id, description: chart.root.description, chart };
    const { placeInWorker } = await import('./elk.ts');
    const picture = pictureOf({ entry, placed: await placeInWorker(chart) });
    recorded.value = new Map([...recorded.value, [entry.name, picture]]);
  }
}

export function forgetRecordedCharts(): void {
  recorded.value = new Map();
}

function pictureOf({ entry, placed }: DrawnChart): Picture {
  const svg = toSvg(placed, `Statechart ${entry.name}. ${entry.description}`);
  return { entry, placed, svg };
}

function isShipped(chart: Chart): boolean {
  return JSON.stringify(shipped.value.get(chart.id)?.entry.chart) === JSON.stringify(chart);
}
