import { expect, test } from 'vitest';
import * as machines from '../../machines/index.ts';
import { chartOf } from '../../src/inspector/chart.ts';
import { chartProblem } from '../../src/inspector/chart-problem.ts';
import { recordProblem } from '../../src/inspector/read-trace.ts';

const state = (path: string, more: object = {}) => ({
  ...{ path, key: path, kind: 'atomic', description: '', initial: null, states: [] },
  ...more,
});
const chart = (more: object) => ({ id: 'x', root: state(''), transitions: [], ...more });
const arrow = { id: '||0', source: '', target: null, event: '', guard: '' };

/** So many states, each in the one before. */
function nest(depth: number): object {
  return state('a'.repeat(depth), { states: depth === 0 ? [] : [nest(depth - 1)] });
}

test('a shipped chart has no problem', () => {
  const { servermapUpdateMachine, publishMachine, writeFileMachine } = machines;
  for (const machine of [servermapUpdateMachine, publishMachine, writeFileMachine]) {
    expect(chartProblem(chartOf(machine))).toBe(undefined);
  }
});

test.each([
  ['it has no id', null],
  ['a state of it has no name', chart({ root: 5 })],
  [' is of no kind of states', chart({ root: state('', { kind: '"><a' }) })],
  [' begins nowhere', chart({ root: state('', { initial: 7 }) })],
  [' has no list of states', chart({ root: state('', { states: {} }) })],
  ['it has two states a', chart({ root: state('', { states: [state('a'), state('a')] }) })],
  ['it is more than 12 states deep', chart({ root: nest(1000) })],
  [
    'it has more than 500 states',
    chart({ root: state('', { states: Array.from({ length: 501 }, (_, i) => state(`${i}`)) }) }),
  ],
  ['it has no list of transitions', chart({ transitions: undefined })],
  ['it has more than 2000 transitions', chart({ transitions: Array(2001).fill(arrow) })],
  ['transition 0 leaves no state', chart({ transitions: [null] })],
  ['transition 1 goes to no state', chart({ transitions: [arrow, { ...arrow, target: 'b' }] })],
  ['transition 0 has no words', chart({ transitions: [{ ...arrow, guard: 1 }] })],
])('%s', (problem, value) => {
  expect(chartProblem(value)).toBe(problem);
  const record = { kind: 'chart', chart: value, seq: 0, at: 0, step: 0 };
  expect(recordProblem(record, -1)).toBe('is no chart record: field chart is not as it should be');
});
