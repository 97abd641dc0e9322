/** SECURITY.md promises by tests: each one that it names is there. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** `test/…test.ts`, perhaps with the names of some of its tests behind a colon. */
const named = [
  ...textOf('SECURITY.md').matchAll(/`(test\/[^`]+\.ts)`(?:: ((?:"[^"]+"(?:, )?)+))?/g),
].map(([, path = '', names = '']) => ({
  path,
  names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
}));

test('SECURITY.md names tests', () => {
  expect(named.length).toBeGreaterThan(15);
});

test.each(named)('$path has the tests that SECURITY.md names', ({ path, names }) => {
  const text = textOf(path);
  expect(names.filter((name) => !text.includes(name))).toEqual([]);
});
