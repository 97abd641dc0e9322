/**
 * @module dependencies: docs/dependencies.md has each dependency once, with a reason; each is pinned.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rowsOf } from '../support/test-links.ts';

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { dependencies, optionalDependencies, devDependencies } = JSON.parse(text);
const all: Readonly<Record<string, string>> = {
  ...dependencies,
  ...optionalDependencies,
  ...devDependencies,
};

test('each dependency has its reason, and nothing else has', () => {
  const rows = rowsOf('docs/dependencies.md');
  expect(rows.map(([name]) => name).sort()).toEqual(
    Object.keys(all)
      .map((name) => `\`${name}\``)
      .sort(),
  );
  expect(rows.filter(([, why]) => !/^[A-Z].*\.$/.test(why ?? ''))).toEqual([]);
});

test('each is pinned to one version', () => {
  expect(Object.values(all).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
