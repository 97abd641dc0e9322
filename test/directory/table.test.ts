import { describe, expect, test } from 'vitest';
import { primitives } from '#crypto';
import { bytesToHex, concatBytes, hexToBytes, netstring, utf8 } from '../../src/bytes.ts';
import { readNetstring } from '../../src/directory/netstring.ts';
import { openRwCap, sealRwCap } from '../../src/directory/rw-field.ts';
import { newEntry, packTable, parseTable } from '../../src/directory/table.ts';
import { BeyondLimitError } from '../../src/errors.ts';
import { contentsOf, directoryCase, directoryVectors } from '../support/directories.ts';

const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
const none = new Uint8Array(0);

describe('a netstring', () => {
  test.each([
    ['0:,', '', 3],
    ['2:ab,3:', 'ab', 5],
    ['+2:ab,', 'ab', 6],
    [' \t002 :ab,', 'ab', 10],
    ['1_0:abcdefghij,', 'abcdefghij', 15],
  ])('%j is read as Python would', (text, bytes, end) => {
    const found = readNetstring(utf8(text), 0);
    expect([textOf(found?.bytes), found?.end]).toEqual([bytes, end]);
  });

  test.each([
    '',
    '2',
    ':',
    '2:ab',
    '2:abc',
    '2:a,',
    '-1:,',
    '2_:ab,',
    '_2:ab,',
    '1e0:a,',
    '0x1:a,',
  ])('%j is none', (text) => {
    expect(readNetstring(utf8(text), 0)).toBe(undefined);
  });

  test('of a length that no memory has is none, and a long row of zeros says nothing', () => {
    expect(readNetstring(utf8(`${'9'.repeat(100_000)}:a,`), 0)).toBe(undefined);
    expect(readNetstring(utf8(`+${'9'.repeat(100)}:a,`), 0)).toBe(undefined);
    expect(textOf(readNetstring(utf8(`${'0'.repeat(100_000)}1:a,`), 0)?.bytes)).toBe('a');
  });
});

const regular = directoryVectors.cases.filter(({ name }) => name !== 'strange entries');
const steps = directoryVectors.edits.steps.flatMap(({ step, contents, contents_dir2 }) => [
  { name: step, contents },
  { name: `${step}: the other directory`, contents: contents_dir2 },
]);
const { old_ctime } = directoryVectors.edits;

describe.each([...regular, ...steps, { name: 'old ctime', ...old_ctime }])(
  'the contents of "$name"',
  (directory) => {
    const contents = contentsOf(directory);
    const { entries, tail } = parseTable(contents);

    test('are packed as they were', () => {
      expect(tail).toEqual(none);
      expect(packTable({ entries, tail })).toEqual(contents);
    });

    test('are the same again when every entry is made anew from its fields', () => {
      const again = entries.map(({ name, fields }) => newEntry(name!, fields!));
      expect(packTable({ entries: again, tail })).toEqual(contents);
    });
  },
);

test('the strange entries are sorted, and nothing of them is lost', () => {
  const { rows = [], ...directory } = directoryCase('strange entries');
  const { entries } = parseTable(contentsOf(directory));
  expect(entries.length).toBe(rows.length);
  const packed = packTable({ entries, tail: none });
  const again = parseTable(packed);
  const sorted = ['fifth', 'imm-ssk', 'leak', 'mac', 'mismatch', 'no-rw', 'none', 'padded', 'plus'];
  expect(again.entries.map(({ name }) => name)).toEqual([
    ...sorted,
    ...['ro-ssk', 'unknown-rw', 'zz', 'ñ', 'ñ'],
  ]);
  const hexes = (all: typeof entries) => all.map(({ bytes }) => bytesToHex(bytes));
  expect(hexes(again.entries).sort()).toEqual(hexes(entries).sort());
  // The one in NFD was the earlier one, and still is.
  expect(again.entries.at(-2)?.bytes).toEqual(entries[1]?.bytes);
});

describe('contents that Tahoe cannot read', () => {
  const good = newEntry('good', {
    ro: utf8('URI:LIT:'),
    rw: none,
    metadata: utf8('{}'),
  });
  test.each(directoryVectors.unreadable)('$what: are kept, and hide nothing', ({ contents }) => {
    const bad = hexToBytes(contents);
    const table = parseTable(concatBytes(netstring(good.bytes), bad));
    expect(table.entries[0]).toEqual(good);
    expect(packTable(table)).toEqual(packTable(parseTable(packTable(table))));
    const kept = concatBytes(...table.entries.slice(1).map((e) => netstring(e.bytes)), table.tail);
    expect(kept).toEqual(bad);
  });
});

test('entries without a name stand behind those with one, and the tail last', () => {
  const entry = (name: Uint8Array) =>
    netstring(concatBytes(...[name, none, none, utf8('{}')].map(netstring)));
  const [nameless, b, a] = [entry(Uint8Array.of(0xff)), entry(utf8('b')), entry(utf8('a'))];
  const table = parseTable(concatBytes(nameless, b, a, utf8('9:cut')));
  expect(packTable(table)).toEqual(concatBytes(a, b, nameless, utf8('9:cut')));
});

test('names are sorted by code point', () => {
  const fields = { ro: none, rw: none, metadata: none };
  const names = ['\u{1f600}', '\uff5e', 'é', 'b', 'ab', 'a', ''];
  const entries = names.map((name) => newEntry(name, fields));
  const { entries: sorted } = parseTable(packTable({ entries, tail: none }));
  expect(sorted.map(({ name }) => name)).toEqual(['', 'a', 'ab', 'b', 'é', '\uff5e', '\u{1f600}']);
});

describe('the encrypted write cap', () => {
  test.each(directoryVectors.rw_cap_fields)('"$rw_cap" is as Tahoe encrypts it', async (vector) => {
    const writer = { writekey: hexToBytes(vector.writekey), aesCtr: primitives.aesCtr };
    const field = await sealRwCap(writer, utf8(vector.rw_cap));
    expect(bytesToHex(field)).toBe(vector.field);
    expect(vector.field.startsWith(vector.salt)).toBe(true);
    expect(textOf(await openRwCap(writer, field))).toBe(vector.rw_cap);
    // The key of the vector is the one that the cap is encrypted with.
    const encrypted = await primitives.aesCtr(hexToBytes(vector.key), utf8(vector.rw_cap));
    expect(field.subarray(16, -32)).toEqual(encrypted);
  });
});

test('the mac behind a write cap is nobody’s to check: whoever can write it can write the cap', async () => {
  const writer = { writekey: new Uint8Array(16), aesCtr: primitives.aesCtr };
  const field = await sealRwCap(writer, utf8('URI:SSK:…'));
  field.fill(0, -32);
  expect(textOf(await openRwCap(writer, field))).toBe('URI:SSK:…');
});

test('a table of more entries than are read is refused, before it fills the memory', () => {
  const [entry, max] = [utf8('14:0:,0:,0:,2:{},,'), 2 ** 18];
  const contents = new Uint8Array(entry.length * (max + 1));
  for (let at = 0; at < contents.length; at += entry.length) contents.set(entry, at);
  const most = contents.subarray(0, entry.length * max);
  const table = parseTable(most);
  expect(table.entries.length).toBe(max);
  expect(Buffer.compare(packTable(table), most)).toBe(0);
  expect(() => parseTable(contents)).toThrow(
    new BeyondLimitError('entries of a directory', max + 1, max),
  );
});
