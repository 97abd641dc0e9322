/** What the parts of a chart say of themselves. */
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import {
  historicUpdateMachine,
  publishMachine,
  servermapUpdateMachine,
  serverQueryMachine,
} from '../../machines/index.ts';
import { chartOf } from '../../src/inspector/chart.ts';
import { chartEntries } from '../../visualizer/src/engine/chart-entries.ts';
import { explainLine, explainState } from '../../visualizer/src/model/explain.ts';

const update = chartOf(servermapUpdateMachine);
const of = (id: string, chart = update) => explainLine(chart, id);

describe('an arrow', () => {
  test('names its event, its guard and its target, in the words of the machine', () => {
    expect(of('collecting.awaiting|server.answered|0')).toBe(
      'In awaiting (“Every answer in hand is judged”): when server.answered arrives and isAsked ' +
        'holds, it goes to verifying (“Shares of at least one answer are being judged: nothing ' +
        'can end here”).',
    );
  });

  test('that fires by itself says so', () => {
    expect(of('collecting.verifying||0', chartOf(historicUpdateMachine))).toBe(
      'In verifying (“Shares of at least one answer are being judged: nothing can end here”): as ' +
        'soon as isOver holds, it goes to done (“Enough is known, or everybody was asked; the ' +
        'map is frozen”).',
    );
  });

  test('says which guards were refused before it', () => {
    expect(of('collecting.verifying|server.settled|1')).toBe(
      'In verifying (“Shares of at least one answer are being judged: nothing can end here”): ' +
        'when server.settled arrives, isLastVerification does not hold and isOpen holds, it ' +
        'stays there.',
    );
  });

  test('of an answer, a failure or a deadline says which', () => {
    const causes = (chart: typeof update) =>
      chart.transitions.map(({ id }) => /\): (.*?),/.exec(of(id, chart) ?? '')?.[1]);
    expect(causes(chartOf(publishMachine))).toContain('when prepareShares has failed');
    expect(causes(chartOf(serverQueryMachine))).toContain('when queryDeadline is over');
  });

  test('of a machine without descriptions does with names; what is not there is not explained', () => {
    const plain = createMachine({
      ...{ id: 'plain', initial: 'a', on: { stop: '.b' } },
      states: {
        a: { always: { target: 'b', description: 'There is nothing to do in a.' } },
        b: {},
      },
    });
    const chart = chartOf(plain);
    expect(of('a||0', chart)).toBe('In a: at once, it goes to b. There is nothing to do in a.');
    expect(of('|stop|0', chart)).toBe('In every state: when stop arrives, it goes to b.');
    expect(of('initial:', chart)).toBe('plain begins in a.');
    expect(of('constructor|__proto__|0', chart)).toBeNull();
    expect(of('initial:constructor', chart)).toBeNull();
  });
});

test('where a state begins', () => {
  expect(of('initial:collecting')).toBe(
    'collecting (“Servers are being asked; enough is not known”) begins in awaiting (“Every ' +
      'answer in hand is judged”).',
  );
});

test('a state says what it is about, and whether the chart ends there', () => {
  const state = { path: 'done', title: 'done', rows: [], x: 0, y: 0, width: 1, height: 1 };
  expect(explainState({ ...state, kind: 'final', description: 'The map is frozen.' })).toBe(
    'done: The map is frozen. The chart ends here.',
  );
  expect(explainState({ ...state, kind: 'atomic', description: '' })).toBe(
    'done: a state without a description.',
  );
});

test('every arrow of every shipped chart is explained by words of its machine', () => {
  for (const { chart } of chartEntries()) {
    for (const { id, event, guard } of chart.transitions) {
      const sentence = of(id, chart) ?? '';
      expect(sentence).toMatch(/^In .*: .*, it (goes to|stays) .*\.$/);
      expect(sentence).toContain(event.replace(/^after | (answered|threw)$/g, ''));
      expect(sentence).toContain(guard);
      expect(sentence).not.toMatch(/undefined|“”| {2}/);
    }
  }
});
