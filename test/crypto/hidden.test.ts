import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { formatCap, parseCap, readkeyOf, toReadCap, writeCapOf } from '../../src/caps.ts';
import { primitives as node } from '../../src/crypto/node.ts';
import { primitives as portable } from '../../src/crypto/portable.ts';
import { testGrid, testKey } from '../support/client-grid.ts';
import { leaksIn, shown } from '../support/secret-search.ts';

/** All that printing and copying could show. */
function everyView(value: object): string {
  const all = { depth: 9, maxArrayLength: null, maxStringLength: null } as const;
  return [
    shown(value),
    inspect(value, { ...all, showHidden: true, getters: true }),
    inspect([new Map([['key', value]])], { ...all, showHidden: true }),
    format('%o %O %j %s', value, value, value, value),
    ...copiesOf(value).map((copy) => inspect(copy, all)),
  ].join('\n');
}

function copiesOf(value: object): unknown[] {
  const copies: unknown[] = [{ ...value }, Object.entries(value), Object.assign({}, value)];
  // A key cannot be cloned, for it has functions; what can be cloned is.
  const plain = Object.entries(value).filter(([, part]) => typeof part !== 'function');
  return [...copies, structuredClone(Object.fromEntries(plain))];
}

const writeCap = writeCapOf(testKey, 'mdmf');
const secrets = [writeCap.writekey, readkeyOf(writeCap), testKey.pkcs8];

test('the search would find what is not hidden', () => {
  const { writekey } = writeCap;
  expect(leaksIn(everyView({ writekey }), secrets).length).toBeGreaterThan(0);
  const merelyNonEnumerable = Object.defineProperty({}, 'writekey', { value: writekey });
  expect(leaksIn(everyView(merelyNonEnumerable), secrets).length).toBeGreaterThan(0);
});

describe.each([
  ['SDMF', 'sdmf', false],
  ['MDMF', 'mdmf', false],
  ['MDMF directory', 'mdmf', true],
] as const)('the write and read cap of an %s', (_, format, directory) => {
  const made = writeCapOf(testKey, format, directory);
  test.each([
    ['made', made],
    ['parsed', parseCap(formatCap(made))],
    ['read', toReadCap(made)],
    ['read, parsed', parseCap(formatCap(toReadCap(made)))],
  ])('%s: shows no key, however it is printed', (_name, cap) => {
    expect(leaksIn(everyView(cap), secrets)).toEqual([]);
    expect(inspect(cap)).toContain(`format: '${format}'`);
    expect(structuredClone(cap)).toEqual({
      kind: cap.kind,
      format,
      directory,
      fingerprint: cap.fingerprint,
    });
  });
});

test.each([
  ['node', node],
  ['portable', portable],
])('a signing key of %s shows nothing of itself, and works', async (_, primitives) => {
  const key = await primitives.importSigningKey(testKey.pkcs8);
  expect(leaksIn(everyView(key), secrets)).toEqual([]);
  expect(inspect(key)).toContain('spki');
  expect(key.pkcs8).toEqual(testKey.pkcs8);
  const made = await primitives.generateKey();
  expect(leaksIn(everyView(made), [made.pkcs8])).toEqual([]);
});

test('a file and a grid show none either', async () => {
  const { create, grid } = testGrid();
  const file = await create('mdmf');
  // Its caps are what its getters are for, so only who calls them sees them.
  expect(leaksIn(shown(file), secrets)).toEqual([]);
  expect(leaksIn(everyView(grid), [writeCap.writekey, readkeyOf(writeCap)])).toEqual([]);
});
