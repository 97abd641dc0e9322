/** What the page says of a search, and the file that it makes of a run. */
import { expect, test } from 'vitest';
import { parseScenario, playScenario, ScenarioError } from '../../src/simulation/scenario.ts';
import type { Exploration, Frame } from '../../visualizer/src/engine/protocol.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import {
  countWords,
  decidedAt,
  hereWords,
  isOver,
  progressWords,
  resultWords,
  shareWords,
} from '../../visualizer/src/model/explored-words.ts';
import {
  foundScenario,
  placeWords,
  scenarioName,
} from '../../visualizer/src/model/found-scenario.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';

const whole: Exploration = {
  ...{ status: 'exhausted', states: 1234, walked: 1300, commuted: 900, orders: '73080' },
  ...{ violating: '0', estimate: 73080, found: null },
};
const found = { labels: ['start w1', 'deliver w1 s0 list'], property: 'U1' };

test('counts are written out up to twelve digits', () => {
  expect(countWords('73080')).toBe('73,080');
  expect(countWords('81729648000')).toBe('81,729,648,000');
  expect(countWords('3295303607040000')).toBe('3.29 × 10^15');
});

test.each([
  [whole, 'all 73,080 orders hold'],
  [
    { ...whole, violating: '64800', found },
    '64,800 of 73,080 orders violate, the shortest: U1 after 2 steps',
  ],
  [{ ...whole, status: 'limit' as const }, 'none violates so far; there are more'],
  [
    { ...whole, status: 'stopped' as const, orders: '6572304' },
    'stopped at 6,572,304 orders, none violates so far',
  ],
  [
    { ...whole, status: 'stopped' as const, violating: '5', found },
    'stopped: 5 of the 73,080 orders gone through violate, the shortest: U1 after 2 steps',
  ],
  [
    { ...whole, status: 'limit' as const, violating: '5', found },
    '5 of the 73,080 orders gone through violate, the shortest: U1 after 2 steps',
  ],
])('what came of a search %#', (exploration, words) => {
  expect(resultWords(exploration)).toBe(words);
});

test('a search under way says what is left, and that this is an estimate', () => {
  const running: Exploration = { ...whole, status: 'running', orders: '3080' };
  expect(progressWords(running)).toBe(
    '3,080 orders, 1,234 states; about 70,000 orders left (an estimate)',
  );
});

test('shares of what is left, and where they rose most', () => {
  const share = (orders: string, violating: string, step = 0, isDrawn = false) => {
    return { orders, violating, step, isDrawn };
  };
  expect(shareWords(share('73080', '64800'))).toBe('64,800 of 73,080 orders left violate: 89 %');
  expect(shareWords(share('4', '4'))).toBe('4 of 4 orders left violate: 100 %');
  expect(shareWords(share('24', '1', 0, true))).toBe(
    '1 of 24 orders drawn (seed 1) violate: 4.2 %',
  );
  const shares = [share('9', '3', 2), share('6', '2', 3), share('2', '2', 5), share('1', '1', 6)];
  expect(decidedAt(shares)).toBe(5);
  expect(decidedAt([share('9', '0', 0), share('3', '0', 1)])).toBeNull();
});

test('a step that leaves a side alone keeps its numbers; a side that is over says so', async () => {
  const preset = presets.find(({ id }) => id === '2034') as Preset;
  const session = await Session.begin(preset.scene);
  await session.follow(preset.labels);
  const ours = [{ orders: '6', violating: '0', isDrawn: false, step: 8 }];
  const old = [{ orders: '1', violating: '1', isDrawn: false, step: 8 }];
  const words = '0 of 6 orders left violate: 0 %';
  // Step 9 was the old rule's alone.
  expect(hereWords(ours, 9, 9, false)).toBe(words);
  expect(hereWords(ours, 8, 9, false)).toBe('not among the orders explored');
  expect(hereWords(ours, 9, 7, false)).toBe('not among the orders explored');
  const over = () => [0, 1].map((side) => isOver(session.frames.at(-1) as Frame, side));
  expect(over()).toEqual([false, false]);
  await session.follow(
    ['s2 write sh2', 's3 write sh0', 's0 write sh0', 's1 write sh1'].map((m) => `deliver w1 ${m}`),
  );
  expect(over()).toEqual([true, false]);
  expect(hereWords(old, 12, 12, true)).toBe('over, and it violates');
  await session.finish();
  expect(over()).toEqual([true, true]);
  expect(hereWords(ours, 12, 12, true)).toBe('over, and it holds');
});

test('a run that violates becomes a scenario that fails, and holds under our rule', async () => {
  const preset = presets.find(({ id }) => id === '2034');
  const [old] = preset?.scene.sides ?? [];
  const violations = [{ id: 'U1', detail: 'done while the shares of s4 are being verified' }];
  const run = { title: 'A run', options: old?.options as never, labels: preset?.labels ?? [] };
  const text = foundScenario({ ...run, violations });
  expect(text.split('\n').slice(0, 14)).toEqual([
    '# Title: found-U1. A run',
    '#',
    '# U1 is violated: done while the shares of s4 are being verified',
    '#',
    '# Its row, to be moved to README.md:',
    '# | found-U1 | A schedule that violates U1 | [found-U1](found-U1.txt) |',
    '',
    'grid k=2 happy=3 n=3',
    ...['s0: 0', 's1: 1', 's2:', 's3:', 's4: 2'],
    'w1: overwrite rule=ticket',
  ]);
  const scenario = parseScenario('found', text);
  const line = text.split('\n').indexOf('expect U1 holds') + 1;
  await expect(playScenario(scenario)).rejects.toThrow(
    new ScenarioError(line, `U1 is violated: ${violations[0]?.detail}`),
  );
  await playScenario(scenario, { rule: 'ours' });
  expect(scenarioName({ violations })).toBe('found-U1.txt');
  expect(placeWords({ violations })).toBe(
    'The test goes to test/scenarios/found-U1.txt; the row in its comment goes to README.md there, ' +
      'and its id to the list in test/simulation/scenarios.test.ts.',
  );
  // A run that holds becomes one that holds.
  const held = parseScenario(
    'held',
    foundScenario({ ...run, labels: ['start w1'], violations: [] }),
  );
  await playScenario(held);
});
