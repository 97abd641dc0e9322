/**
 * @module compatibility: docs/compatibility.md says of each feature and platform what a test shows, or
 * promises nothing; its limits of size are those that are measured.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { limits } from '../platforms/limits.ts';
import { problemOf, rowsOf, testLinksIn } from '../support/test-links.ts';

const page = 'docs/compatibility.md';
const rows = rowsOf(page);
const features = rows.filter((cells) => cells.length === 5);

test('each cell names a test that is there, or promises nothing', () => {
  expect(features.length).toBeGreaterThanOrEqual(9);
  const problems = features.flatMap(([feature, ...cells]) =>
    cells.flatMap((cell) => {
      if (cell === 'no') return [];
      const links = testLinksIn(cell, page);
      if (links.length === 0) return [`${feature}: “${cell}” names no test`];
      return links.flatMap((link) => problemOf(link, '') ?? []);
    }),
  );
  expect(problems).toEqual([]);
});

test('the runtimes that it names are those that are pinned', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(read('test/platforms/runtimes/package.json'));
  const versions = Object.values<string>(dependencies).map((pin) => pin.split('@').at(-1));
  expect(versions.filter((version) => !read(page).includes(` ${version}`))).toEqual([]);
});

test('the limits that it names are those that are held', () => {
  const named = rows.filter((cells) => cells.length === 3).map(([, , limit]) => Number(limit));
  expect(named).toEqual(Object.values(limits));
});
