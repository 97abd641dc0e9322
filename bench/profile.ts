/**
 * @module profile: how much of the CPU time of something goes to the charts and their kernels: the
 * functions of XState's and of `machines/`, by the samples of V8's own profiler.
 */
import { type Profiler, Session } from 'node:inspector/promises';

/** Microseconds between two samples. */
const samplingInterval = 100;
const isOfCharts = /\/node_modules\/xstate\/|\/machines\/[^/]+$/;

/** Between 0 and 1. */
export async function chartsShare(work: () => Promise<unknown>): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: samplingInterval });
    await session.post('Profiler.start');
    await work();
    const { profile } = await session.post('Profiler.stop');
    return chartsShareOf(profile);
  } finally {
    session.disconnect();
  }
}

/** Of the time that was not idle. What a function calls outside of the charts does not count. */
export function chartsShareOf({
  nodes,
  samples = [],
  timeDeltas = [],
}: Pick<Profiler.Profile, 'nodes' | 'samples' | 'timeDeltas'>): number {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  let busy = 0;
  let charts = 0;
  samples.forEach((id, i) => {
    const { functionName, url } = frames.get(id) as Profiler.Profile['nodes'][0]['callFrame'];
    if (functionName === '(idle)') return;
    const time = timeDeltas[i] ?? 0;
    busy += time;
    if (isOfCharts.test(url)) charts += time;
  });
  return busy === 0 ? 0 : charts / busy;
}
