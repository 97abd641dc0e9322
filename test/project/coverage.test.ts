/**
 * What counts as taken, on a chart made for it; and that every chart that ships is looked at.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromPromise, setup } from 'xstate';
import { chartLines, isChart, shippedCharts } from '../support/chart-lines.ts';
import { chartCoverage } from '../support/coverage.ts';
import { coverageReport } from '../support/coverage-report.ts';
import { answered, passed, rejected, walk } from '../support/walk.ts';

/** A transition of every sort. */
const toy = setup({
  types: { events: {} as { type: 'go'; n: number } | { type: 'note' } | { type: 'other' } },
  actors: { child: fromPromise(async () => 0) },
  delays: { patience: 10 },
  guards: { isSmall: (_, n: number) => n < 10, isNegative: (_, n: number) => n < 0 },
}).createMachine({
  id: 'toy',
  initial: 'idle',
  on: { '*': { actions: [] } },
  states: {
    idle: {
      on: {
        note: { actions: [] },
        go: [
          { guard: { type: 'isNegative', params: ({ event }) => event.n }, target: 'passing' },
          { guard: { type: 'isSmall', params: ({ event }) => event.n }, target: 'waiting' },
          { target: 'over' },
        ],
      },
    },
    passing: { always: 'waiting' },
    waiting: {
      initial: 'inner',
      states: { inner: {} },
      invoke: { id: 'child', src: 'child', onDone: 'idle', onError: 'over' },
      after: { patience: 'over' },
    },
    over: { type: 'final' },
  },
});

const go = (n: number) => ({ type: 'go', n });
const runs = {
  unguarded: [go(10)],
  guarded: [go(-1)],
  done: [go(1), answered('child', 0)],
  error: [go(1), rejected('child', 0)],
  delayed: [go(1), passed('patience', 'toy.waiting')],
  targetless: [{ type: 'note' }],
  wildcard: [{ type: 'other' }],
} as const;

/** What is missing after all runs but these. */
function missingWithout(...names: readonly (keyof typeof runs)[]): readonly string[] {
  const coverage = chartCoverage(toy);
  for (const [name, events] of Object.entries(runs)) {
    if (names.includes(name as never)) continue;
    const it = walk(toy, undefined, coverage.onMicrostep);
    for (const event of events) it.step(event);
  }
  return coverage.missing();
}

describe('a record', () => {
  test('of every sort of run lacks nothing', () => {
    expect(missingWithout()).toEqual([]);
  });

  test('of no run lacks everything, the first state too', () => {
    expect(chartCoverage(toy).missing()).toEqual(chartLines(toy));
    expect(chartLines(toy)).toEqual([
      'state toy',
      'toy: * -> toy',
      'state toy.idle',
      'toy.idle: note -> toy.idle',
      'toy.idle: go [isNegative] -> toy.passing',
      'toy.idle: go [isSmall] -> toy.waiting',
      'toy.idle: go -> toy.over',
      'state toy.passing',
      'toy.passing: always -> toy.waiting',
      'state toy.waiting',
      'toy.waiting: xstate.done.actor.child -> toy.idle',
      'toy.waiting: xstate.error.actor.child -> toy.over',
      'toy.waiting: xstate.after.patience.toy.waiting -> toy.over',
      'state toy.waiting.inner',
      'state toy.over',
    ]);
  });

  test.each<[keyof typeof runs, readonly string[]]>([
    ['unguarded', ['toy.idle: go -> toy.over']],
    [
      'guarded',
      [
        'toy.idle: go [isNegative] -> toy.passing',
        'state toy.passing',
        'toy.passing: always -> toy.waiting',
      ],
    ],
    ['done', ['toy.waiting: xstate.done.actor.child -> toy.idle']],
    ['error', ['toy.waiting: xstate.error.actor.child -> toy.over']],
    ['delayed', ['toy.waiting: xstate.after.patience.toy.waiting -> toy.over']],
    ['targetless', ['toy.idle: note -> toy.idle']],
    ['wildcard', ['toy: * -> toy']],
  ])('without the %s run names what is missing', (name, lines) => {
    expect(missingWithout(name)).toEqual(lines);
  });

  test('names a state within a state that was never entered', () => {
    const missing = missingWithout('guarded', 'done', 'error', 'delayed');
    expect(missing).toContain('state toy.waiting.inner');
  });

  test('takes no step of another chart', () => {
    const coverage = chartCoverage(
      setup({}).createMachine({ id: 'toy', initial: 'idle', states: { idle: {} } }),
    );
    expect(() => walk(toy, undefined, coverage.onMicrostep).step(go(1))).toThrowError(
      'a step of another chart than that of the record: toy',
    );
  });

  test('takes the steps of its chart with other implementations', () => {
    const coverage = chartCoverage(toy);
    walk(toy.provide({ delays: { patience: 1 } }), undefined, coverage.onMicrostep).step(go(10));
    expect(coverage.missing()).not.toContain('toy.idle: go -> toy.over');
  });

  test('is not made of a chart with two transitions that read alike', () => {
    const guard = () => false;
    const twins = setup({}).createMachine({
      id: 'twins',
      on: { go: [{ guard }, { guard: () => true }] },
    });
    expect(() => chartCoverage(twins)).toThrowError('twins: two alike transitions');
  });
});

describe('the report', () => {
  const lines = chartLines(toy);

  test('is complete when every line was taken', () => {
    expect(coverageReport([['toyMachine', toy]], { toyMachine: lines })).toEqual({
      text: [
        'chart       states  transitions',
        'toyMachine     6/6          9/9',
        'All are taken.',
      ].join('\n'),
      isComplete: true,
    });
  });

  test('names each line that was not taken, and each chart without a record', () => {
    const charts = [
      ['toyMachine', toy],
      ['newMachine', toy],
    ] as const;
    const taken = lines.filter((line) => !/passing/.test(line));
    expect(coverageReport(charts, { toyMachine: taken })).toEqual({
      text: [
        'chart       states  transitions',
        'toyMachine     5/6          7/9',
        '  missing: toy.idle: go [isNegative] -> toy.passing',
        '  missing: state toy.passing',
        '  missing: toy.passing: always -> toy.waiting',
        'newMachine     0/6          0/9',
        '  missing: no test keeps a record of it',
        '2 of 2 charts lack something.',
      ].join('\n'),
      isComplete: false,
    });
  });
});

describe('every chart that ships', () => {
  const folder = join(import.meta.dirname, '../machines');
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));

  test('is one that machines/index.ts exports', async () => {
    const charts = join(import.meta.dirname, '../../machines');
    const names = readdirSync(charts).filter((name) => name.endsWith('.ts'));
    const modules = await Promise.all(names.map((name) => import(join(charts, name))));
    const found = modules.flatMap((module) => Object.values(module).filter(isChart));
    expect(new Set(found)).toEqual(new Set(shippedCharts.map(([, machine]) => machine)));
  });

  test.each(shippedCharts)(
    '%s: one file keeps its record, and asserts that nothing is missing',
    (name) => {
      const keepers = files.filter((text) => text.includes(` coverage = chartCoverage(${name});`));
      expect(keepers).toHaveLength(1);
      expect(keepers[0]).toContain('expect(coverage.missing()).toEqual([]);');
    },
  );
});
