import { expect, test } from 'vitest';
import type { TraceJudgement } from '../../src/simulation/judge-trace.ts';
import { judgedWords } from '../../visualizer/src/model/judged-words.ts';

const named = (id: string) => ({ id, name: `the name of ${id}`, statement: `What ${id} says.` });
const disks = { kind: 'undecided', because: 'no disks' } as const;
const violated = (seq: number) => ({ kind: 'violated', step: 0, seq, because: 'why', actor: 'w' });
const judgement = {
  ...{ kind: 'judged', run: 'real', operations: 1200, unfinished: 1, files: 2 },
  properties: [
    { ...named('U1'), verdict: { kind: 'holds' } },
    { ...named('U2'), verdict: disks },
    { ...named('U3'), verdict: violated(9) },
    { ...named('U4'), verdict: disks },
    { ...named('U5'), verdict: violated(5) },
  ],
} as TraceJudgement;

const ids = (list: readonly { id: string }[] = []) => list.map(({ id }) => id);

test('a judgement says what is violated in the order of records, and why the rest is undecided', () => {
  const { summary, about, parts } = judgedWords(judgement);
  expect([summary, about]).toEqual([
    '3 of 5 decided, 2 violated',
    'A real run: 1,200 operations on 2 files, 1 unfinished. Why 2 cannot be decided comes last.',
  ]);
  expect([ids(parts?.violated), ids(parts?.holds)]).toEqual([['U5', 'U3'], ['U1']]);
  expect([...(parts?.undecided ?? [])].map(([why, list]) => [why, ids(list)])).toEqual([
    ['no disks', ['U2', 'U4']],
  ]);
});

test('of a world all is decided, and nothing is left to be explained', () => {
  const [holds] = judgement.properties.slice(0, 1);
  const all = { ...judgement, run: 'simulated', operations: 1, unfinished: 0, files: 1 } as const;
  expect(judgedWords({ ...all, properties: holds === undefined ? [] : [holds] })).toMatchObject({
    ...{ summary: '1 of 1 decided, all hold', about: 'A simulated run: 1 operation.' },
  });
});

test('what cannot be judged at all says why', () => {
  expect(
    judgedWords({ kind: 'refused', problem: 'the step record 5 is not as it should be' }),
  ).toEqual({
    summary: 'not judged',
    about: 'The step record 5 is not as it should be.',
    parts: null,
  });
});
