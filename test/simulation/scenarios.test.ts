import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { properties } from '../../src/simulation/properties.ts';
import { parseScenario, playScenario } from '../../src/simulation/scenario.ts';
import { problemOf, rowsOf, testLinksIn } from '../support/test-links.ts';

const folder = join(import.meta.dirname, '../scenarios');
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');

describe('scenarios', () => {
  test.each(files)('%s', async (file) => {
    const path = join(folder, file);
    const scenario = parseScenario(file.replace('.txt', ''), textOf(file));
    const { text } = await playScenario(scenario);
    // `vitest -u` rewrites what stands below the commands.
    await expect(text).toMatchFileSnapshot(path);
  });
});

describe('the list in README.md', () => {
  const page = 'test/scenarios/README.md';
  const rows = rowsOf(page).map(([id = '', tahoe = '', here = '']) => {
    return { id, tahoe, here: testLinksIn(here, page) };
  });

  test('names every trace and every hazard, in order', () => {
    const numbered = (letter: string, last: number) =>
      Array.from({ length: last }, (_, n) => `${letter}${n + 1}`);
    expect(rows.map(({ id }) => id)).toEqual([
      ...['2034', 'B1', 'B2', 'B4', 'C1', 'C2', 'D1', 'D2', 'H', 'I', 'J', 'K'],
      ...['F1', 'F2', 'F3', 'E1', 'E2', 'L1', 'L2', 'L3'],
      ...[...numbered('N', 15), ...numbered('H', 17), ...numbered('P', 17), ...numbered('R', 6)],
      'W4',
    ]);
  });

  test.each(rows)('$id: is dealt with where it says', ({ id, tahoe, here }) => {
    expect(tahoe.split(' ').length).toBeLessThanOrEqual(12);
    expect(here.length).toBeGreaterThan(0);
    expect(here.flatMap((link) => problemOf(link, id) ?? [])).toEqual([]);
  });

  test('gives no property’s id to something else', () => {
    const ids = new Set(properties.map(({ id }) => id));
    expect(rows.filter(({ id }) => ids.has(id))).toEqual([]);
  });

  test('has every scenario', () => {
    const listed = rows.flatMap(({ here }) => here.map(({ file }) => basename(file)));
    expect(files.filter((file) => !listed.includes(file))).toEqual([]);
  });
});
