import { expect, test } from 'vitest';
import { failed, internalFailure, recordBug } from '../../machines/failure.ts';

test('a failure is a value', () => {
  const failure = { kind: 'timeout', detail: 'no answer' };
  expect(failed('timeout', 'no answer')).toEqual({ ok: false, failure });
});

test.each([
  [new Error('disk full'), 'disk full'],
  ['odd', 'odd'],
  [undefined, 'undefined'],
])('a failure of a provider is told in one line: %s', (error, detail) => {
  expect(internalFailure(error)).toEqual({ kind: 'internal', detail });
});

test('the books of an operation learn of a bug as a failure', () => {
  const failure = { kind: 'internal', detail: 'disk full' };
  expect(recordBug.type).toBe('record');
  expect(recordBug.params({ event: { error: new Error('disk full') } })).toEqual({
    type: 'failed',
    failure,
  });
});
