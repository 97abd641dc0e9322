/** Directories that are immutable files on servers. */
import { expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { BadArgumentError, InsufficientCapError } from '../../src/errors.ts';
import { formatImmutableCap } from '../../src/immutable/caps.ts';
import { encodeChk } from '../support/chk.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

const netstring = (text: string) => `${utf8(text).length}:${text},`;
const entry = (name: string, cap: string) =>
  netstring(netstring(name) + netstring(cap) + netstring('') + netstring('{}'));

test('are read, listed and walked through, and never written', async () => {
  const made = await encodeChk(utf8(entry('a', 'URI:LIT:ge') + entry('b', 'URI:DIR2-LIT:')), {
    required: 3,
  });
  const { grid, file } = immutableGrid(made, {});
  const text = formatImmutableCap(file.cap).replace('URI:CHK:', 'URI:DIR2-CHK:');
  const directory = grid.openDirectory(text);
  expect((await directory.list()).map(({ name, caps }) => [name, caps.read])).toEqual([
    ['a', 'URI:LIT:ge'],
    ['b', 'URI:DIR2-LIT:'],
  ]);
  expect(directory.readCap).toBe(text);
  expect(directory.verifyCap).toBe(file.verifyCap?.replace('URI:CHK', 'URI:DIR2-CHK'));
  const edit = directory.add('c', 'URI:LIT:');
  await expect(edit).rejects.toThrow(InsufficientCapError);
  const b = await grid.find(`${text}/b`);
  expect(await grid.openDirectory(b.caps.read as string).list()).toEqual([]);
  expect(() => grid.openDirectory(formatImmutableCap(file.cap))).toThrow(BadArgumentError);
});
