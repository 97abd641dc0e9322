/**
 * The declarations as whoever installs the package reads them.
 */
import { expect, test } from 'vitest';
import { entryNames, namesIn, undocumentedIn, unexportedIn } from './public-api.ts';

test('what is looked at is what is exported', () => {
  expect(namesIn('tahoe-mutable')).toEqual(expect.arrayContaining(['Grid', 'MutableFile']));
  expect(namesIn('tahoe-mutable/machines')).toEqual(
    expect.arrayContaining(['writeFileMachine', 'publishKernel.decide']),
  );
});

test.each(entryNames)(
  '%s: each type that a signature mentions can be imported by name',
  (entry) => {
    expect(unexportedIn(entry)).toEqual([]);
  },
);

test.each(entryNames)('%s: everything public says what it is', (entry) => {
  expect(undocumentedIn(entry)).toEqual([]);
});
