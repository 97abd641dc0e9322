/** The tables of docs/publish.md are what the shipped rules come to. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Prng } from '../../src/simulation/prng.ts';
import { allDeathRows, deathRows } from './liveness.ts';
import { walk } from './liveness-walk.ts';

const page = readFileSync(new URL('../../docs/publish.md', import.meta.url), 'utf8').split('\n');

const ten = { servers: 10, required: 3, total: 10, quorum: 7 };

test('who has to wait after one death: ten servers', () => {
  const rows = allDeathRows(ten);
  expect(rows).toHaveLength(8);
  expect(page).toEqual(expect.arrayContaining([...rows]));
});

test.each([0, 3])('the same on thirteen servers, three of them empty, %i silent', (silent) => {
  expect(page).toEqual(expect.arrayContaining([...deathRows({ ...ten, servers: 13 }, silent)]));
});

const walksOf = (many: number) =>
  Array.from({ length: 20 }, (_, seed) =>
    walk({ ...ten, writers: many, attempts: many, doesName: true }, new Prng(seed)),
  );

test('two writers at once leave a file that can be written to', () => {
  expect(walksOf(2).filter(({ isStuck }) => isStuck)).toEqual([]);
});

test('three writers at once lose nothing', () => {
  const ends = walksOf(3);
  expect(ends.filter(({ isLost }) => isLost)).toEqual([]);
  expect(ends.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(20);
});
