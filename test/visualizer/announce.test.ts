/** What those hear who do not see the page. */
import { expect, test } from 'vitest';
import type { Frame } from '../../visualizer/src/engine/protocol.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import { outcomeWords, turnWords, violationWords } from '../../visualizer/src/model/announce.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';

test('a violation where it happens, an outcome where it comes, and whose turn it is', async () => {
  const { scene, labels } = presets.find(({ id }) => id === '2034') as Preset;
  const session = await Session.begin(scene);
  const names = scene.sides.map(({ short }) => short);
  expect(turnWords(session.frames[0] as Frame)).toBe('Your turn: start w1.');
  await session.follow(labels);
  await session.finish();
  const { frames } = session;
  const at = (step: number) => frames[step] as Frame;
  expect(violationWords(at(7), 7, names)).toEqual([]);
  expect(violationWords(at(8), 8, names)[0]).toBe(
    'old: U1 is violated: done while the shares of s4 are being verified.',
  );
  expect(violationWords(at(9), 9, names)).toEqual([]);
  expect(turnWords(at(8))).toBe(
    'Your turn: 3 messages to deliver, the first is “w1 s2 write sh2”.',
  );
  const told = frames.flatMap((frame, i) =>
    outcomeWords(frame, frames[i - 1], names).map((words) => [i, words]),
  );
  expect(told).toEqual([
    [
      frames.findIndex(({ sides }) => sides[0]?.operations[0]?.status === 'ended'),
      'old: w1 ended.',
    ],
    [frames.length - 1, 'ours: w1 ended.'],
  ]);
  expect(turnWords(at(frames.length - 1))).toBe('Nothing is left to happen.');
});

test('with one side nobody is named, and an error is', async () => {
  const { scene, labels } = presets.find(({ id }) => id === 'crashes') as Preset;
  const session = await Session.begin(scene);
  await session.follow(labels);
  await session.finish();
  const { frames } = session;
  const last = frames.length - 1;
  const told = frames.flatMap((frame, i) => outcomeWords(frame, frames[i - 1], ['x']));
  expect(told).toEqual(['w1 ended: IndeterminateWriteError.']);
  expect(turnWords(frames[last] as Frame)).toBe('Nothing is left to happen.');
});
