/**
 * @module pinned: docs/tahoe-tests.md and docs/hazards.md are whole, and each row names tests, or
 * scenarios, that are there.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemOf, rowsOf, testLinksIn } from '../support/test-links.ts';

interface Row {
  readonly id: string;
  readonly what: string;
  readonly here: string;
}

const rowsIn = (page: string): readonly Row[] =>
  rowsOf(page).map(([id = '', what = '', here = '']) => ({ id, what, here }));

/** What is wrong with rows of a page: no sentence, no test, or one that is not there. */
function problemsIn(page: string, rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ id, what, here }) => {
    const links = testLinksIn(here, page);
    return [
      ...(/^\S.*\.$/.test(what) ? [] : ['says nothing']),
      ...(links.length > 0 ? [] : ['names no test']),
      ...links.flatMap((link) => problemOf(link, id) ?? []),
    ].map((problem) => `${id}: ${problem}`);
  });
}

describe('docs/tahoe-tests.md', () => {
  const page = 'docs/tahoe-tests.md';
  const rows = rowsIn(page);
  /** How many tests Tahoe 1.20 runs of each of its files. */
  const counts = {
    test_checker: 25,
    test_datahandle: 3,
    test_different_encoding: 1,
    test_exceptions: 1,
    test_filehandle: 5,
    test_filenode: 25,
    test_interoperability: 1,
    test_multiple_encodings: 1,
    test_multiple_versions: 2,
    test_problems: 13,
    test_repair: 17,
    test_roundtrip: 29,
    test_servermap: 8,
    test_update: 13,
    test_version: 19,
  };

  test('has every test of Tahoe’s, once', () => {
    const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
    const [, ...sections] = text.split(/^## /m);
    const names = sections.map((section) => {
      const [file = ''] = section.split('\n');
      const found = section.matchAll(/^\| `(test_\w+)` \| /gm);
      return [file, [...found].map(([, name]) => name)] as const;
    });
    expect(Object.fromEntries(names.map(([file, all]) => [file, all.length]))).toEqual(counts);
    for (const [, all] of names) expect(new Set(all).size).toBe(all.length);
    expect(rows.length).toBe(163);
  });

  test('names tests that are there', () => expect(problemsIn(page, rows)).toEqual([]));
});

describe('docs/hazards.md', () => {
  const page = 'docs/hazards.md';
  const rows = rowsIn(page);
  /** This client makes no shares of immutable files, and repairs none. */
  const ofUploads = ['Q1', 'Q7', 'Q9', 'Q11', 'Q12'];
  const isOfUploads = ({ id }: Row) => ofUploads.includes(id);

  test('has every hazard, in order', () => {
    const last = { H: 17, P: 17, R: 5, N: 13, Q: 12, W: 8 };
    expect(rows.map(({ id }) => id)).toEqual(
      Object.entries(last).flatMap(([letter, count]) =>
        Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
      ),
    );
  });

  test('names tests that are there, wherever a hazard applies', () => {
    expect(
      problemsIn(
        page,
        rows.filter((row) => !isOfUploads(row)),
      ),
    ).toEqual([]);
    expect(rows.filter(isOfUploads).map(({ here }) => here)).toEqual(
      ofUploads.map(() => 'does not apply'),
    );
  });
});

describe('a link to a test', () => {
  const page = 'docs/hazards.md';
  const here = 'test/project/pinned.test.ts';
  const problems = (cell: string) =>
    testLinksIn(cell, page).map((link) => problemOf(link, 'H1') ?? 'none');

  test('is right by its name, and by as many groups as tell it from others', () => {
    const path = `[x](../${here})`;
    expect(problems(`${path}: “has every hazard, in order”`)).toEqual(['none']);
    expect(problems(`${path}: “docs/hazards.md › has every hazard, in order”`)).toEqual(['none']);
  });

  test('is wrong if it leads nowhere, to several tests, or to no row of the test', () => {
    const path = `[x](../${here})`;
    const cell = `${path}: “every hazard”, “names tests that are there” (a row); [y](../test/y.ts)`;
    expect(problems(cell)).toEqual([
      `${here}: 0 tests are called “every hazard”`,
      `${here}: no row “a row”`,
      'test/y.ts: there is no such file',
    ]);
    expect(problems('[x](../test/client/cancel.test.ts): “before it begins”')).toEqual([
      'test/client/cancel.test.ts: 2 tests are called “before it begins”',
    ]);
    expect(problems('[x](../test/scenarios/W4-repair.txt)')).toEqual([
      'test/scenarios/W4-repair.txt: no scenario of H1, and no test is named',
    ]);
  });
});
