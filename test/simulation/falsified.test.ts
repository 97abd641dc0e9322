/**
 * No property is empty: for each, a run with a lie in its record that it, by its words, must
 * refuse. The record is that of a run in which everything holds; one or two facts of it are changed.
 */
import { describe, expect, test } from 'vitest';
import { judgeTrace } from '../../src/simulation/judge-trace.ts';
import { properties } from '../../src/simulation/properties.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { falsehoods, type Lie, recordOf, runs, told, withNames } from '../support/falsehoods.ts';
import { realFalsehoods } from '../support/real-falsehoods.ts';
import { asRealRun } from '../support/real-trace.ts';

describe('each property refuses a lie', () => {
  test('every property is here', () => {
    const ids = new Set(falsehoods.map(({ id }) => id));
    expect([...ids]).toEqual(properties.map(({ id }) => id));
  });

  test.each(Object.keys(runs))('and none the truth: %s', async (of) => {
    const { trace } = await recordOf(of);
    for (const { id, check } of properties) {
      expect([id, check({ trace })]).toEqual([id, { kind: 'holds' }]);
    }
  });

  test.each(falsehoods)('$id: $because', async ({ id, of, lies, because }) => {
    const { trace, names } = await recordOf(of);
    const lied = lies.reduce<readonly TraceRecord[]>(
      (records, lie) => told(records, lie, names),
      trace,
    );
    const property = properties.find((one) => one.id === id);
    const verdict = property?.check({ trace: [...lied] });
    expect(verdict).toMatchObject({ kind: 'violated', because: withNames(because, names) });
  });
});

/** What a trace of a real run says of a property. */
function realVerdict(trace: readonly TraceRecord[], id: string) {
  const judged = judgeTrace(trace);
  if (judged.kind === 'refused') throw new Error(judged.problem);
  return judged.properties.find((one) => one.id === id)?.verdict;
}

const tell = (trace: readonly TraceRecord[], lies: readonly Lie[], names: readonly string[]) =>
  lies.reduce((records, lie) => told(records, lie, names), trace);

describe('and so it does in a trace of a real run', () => {
  test.each(Object.keys(runs))('none refuses the truth: %s', async (of) => {
    const { trace } = await recordOf(of);
    const verdicts = properties.map(({ id }) => realVerdict(asRealRun(trace), id)?.kind);
    expect(new Set(verdicts)).toEqual(new Set(['holds', 'undecided']));
  });

  const seen = falsehoods.filter(({ inReal }) => inReal !== null);
  test.each([...seen, ...realFalsehoods])('$id: $because', async (falsehood) => {
    const { id, of, lies, because, inReal } = falsehood;
    const { trace, names } = await recordOf(of);
    if (realVerdict(asRealRun(trace), id)?.kind === 'undecided') return;
    const lied = realVerdict(asRealRun(tell(trace, lies, names)), id);
    expect(lied).toMatchObject({ because: withNames(inReal ?? because, names) });
    expect(lied?.kind).toBe(inReal?.includes('may have') ? 'undecided' : 'violated');
  });
});
