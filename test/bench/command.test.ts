import { expect, test } from 'vitest';
import { wishesIn } from '../../bench/command.ts';

const parts = ['codec', 'pipeline', 'memory'];

test('without arguments every part is measured, for people', () => {
  expect(wishesIn([], parts)).toEqual({ quick: false, json: false, parts });
});

test('parts are measured in their own order, whatever the order of the arguments', () => {
  expect(wishesIn(['memory', '--json', 'codec', '--quick'], parts)).toEqual({
    quick: true,
    json: true,
    parts: ['codec', 'memory'],
  });
});

test('a part that there is not, or an option, is refused by name', () => {
  expect(() => wishesIn(['codecs'], parts)).toThrowError(
    'no part codecs: there are codec, pipeline, memory',
  );
  expect(() => wishesIn(['--fast'], parts)).toThrowError(/--fast/);
});
