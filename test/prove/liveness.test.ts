/** The tables of docs/publish.md are what the shipped rules come to. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Prng } from '../../src/simulation/prng.ts';
import { deathRows } from './liveness.ts';
import { walk } from './liveness-walk.ts';

const page = readFileSync(new URL('../../docs/publish.md', import.meta.url), 'utf8').split('\n');

const ten = { servers: 10, required: 3, total: 10, quorum: 7 };

test('who has to wait after one death: ten servers', () => {
  const rows = deathRows(ten);
  expect(rows).toHaveLength(8);
  expect(page).toEqual(expect.arrayContaining([...rows]));
});

test('who has to wait after one death: thirteen servers, three of them empty', () => {
  const rows = deathRows({ ...ten, servers: 13 });
  expect(rows).toHaveLength(14);
  expect(page).toEqual(expect.arrayContaining([...rows]));
});

test('three writers at once leave a file that can be written to, and lose nothing', () => {
  const model = { ...ten, writers: 3, attempts: 3, doesName: true };
  const ends = Array.from({ length: 20 }, (_, seed) => walk(model, new Prng(seed)));
  expect(ends.filter(({ isStuck, isLost }) => isStuck || isLost)).toEqual([]);
  expect(ends.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(20);
});
