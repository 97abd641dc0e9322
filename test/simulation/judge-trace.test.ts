/**
 * What a trace of a real run decides is what the disks would have said: worlds are judged with all
 * that they recorded, and again with what a real run of the same would have.
 *
 * A failing run prints its seed; `FUZZ_SEED=<seed>` begins with it.
 */
import { expect, test } from 'vitest';
import { judgeTrace } from '../../src/simulation/judge-trace.ts';
import { properties } from '../../src/simulation/properties.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { asRealRun } from '../support/real-trace.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

function verdictsOf(records: readonly TraceRecord[]): Readonly<Record<string, string>> {
  const judged = judgeTrace(records);
  if (judged.kind === 'refused') throw new Error(judged.problem);
  return Object.fromEntries(
    judged.properties.map(({ id, verdict }) => [
      id,
      verdict.kind === 'holds' ? 'holds' : `${verdict.kind}: ${verdict.because}`,
    ]),
  );
}
test('x', async () => {
  const counts: Record<string, number> = {};
  const t = {full:0, real:0};
  for (let i = 0; i < Number(process.env.WORLDS ?? 50); i++) {
    const { world } = await simulate(seed + i);
    const trace = world.trace;
    let s = performance.now();
    const full = verdictsOf(trace);
    t.full += performance.now() - s;
    s = performance.now();
    const names = world.operations.map(({ spec }) => spec.name);
    for (const whose of [undefined, (n: string) => n === names[0] , (n: string) => n !== names[0]]) {
      const real = verdictsOf(asRealRun(trace, whose));
      for (const [id, verdict] of Object.entries(real)) {
        const key = `${id} ${verdict.startsWith('undecided: what the') ? 'n' : verdict.replace(/v\d+-\w+/g, 'V').replace(/s\d+/g,'S')}`;
        counts[key] = (counts[key] ?? 0) + 1;
        if (verdict.startsWith('violated')) console.log(seed + i, id, verdict, full[id], String(whose));
      }
    }
    t.real += performance.now() - s;
  }
  console.log(counts, t);
}, 600000);
