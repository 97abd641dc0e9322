/**
 * What whoever may write to a directory can put into it: every entry is shown as something, none
 * costs more than its bytes, and what was there before an edit is there after it.
 *
 * A failing run prints its seed; `FUZZ_SEED=<seed>` plays it again, `DIRECTORIES=100000` plays
 * more.
 */
import { equal, ok } from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { bytesToHex, concatBytes, netstring, utf8 } from '../../src/bytes.ts';
import { childrenOf, linkable } from '../../src/directory/child.ts';
import { adding, Draft, describing, renaming, unlinking } from '../../src/directory/edits.ts';
import {
  type Entry,
  newEntry,
  packTable,
  parseTable,
  type Table,
} from '../../src/directory/table.ts';
import { TahoeMutableError } from '../../src/errors.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { contentsOf, directoryCase, directoryVectors, writerOf } from '../support/directories.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
/** Both tests together. */
const inputs = Number(process.env.DIRECTORIES ?? 3000);
/** Inputs, of some kilobytes each, that share a budget: to ask for the time takes time. */
const batch = 20;
/** Of the processor: ten times what it takes. */
const budgetMs = 500;

const { cap } = directoryCase('strange entries');
const writer = writerOf(cap);
const editor = { isMutable: true, writer, now: 1 };
/** Every entry of every vector, and the vectors that Tahoe cannot read. */
const pieces: readonly Uint8Array[] = [
  ...directoryVectors.cases
    .filter(({ name }) => name !== '300 children')
    .flatMap((directory) => parseTable(contentsOf(directory)).entries)
    .map(({ bytes }) => netstring(bytes)),
  ...directoryVectors.unreadable.map(
    ({ contents }) => new Uint8Array(Buffer.from(contents, 'hex')),
  ),
];
const words = [
  '0:,',
  ':',
  ',',
  '-1:,',
  '99999999999999999999:',
  '1_0:',
  '{',
  '}',
  '[[[[[[[[',
  '""',
];
const caps = [
  'URI:SSK:',
  'ro.',
  'imm.',
  'URI:DIR2-CHK:',
  'URI:LIT:',
  '\u0000',
  'n\u0303',
  'e99999',
];

/** Contents that begin as some that Tahoe might have written. */
function hostileContents(prng: Prng): Uint8Array {
  const chosen = Array.from({ length: 1 + prng.below(6) }, () => prng.pick(pieces));
  let contents: Uint8Array = concatBytes(...chosen);
  for (let i = prng.below(8); i > 0; i--) contents = mutated(contents, prng);
  return contents;
}

function mutated(contents: Uint8Array, prng: Prng): Uint8Array {
  const at = prng.below(contents.length + 1);
  const to = Math.min(contents.length, at + prng.below(20));
  const [before, behind] = [contents.subarray(0, at), contents.subarray(to)];
  switch (prng.below(5)) {
    case 0:
      return concatBytes(before, behind);
    case 1:
      return concatBytes(before, utf8(prng.pick([...words, ...caps])), behind);
    case 2:
      return concatBytes(before, prng.bytes(to - at), behind);
    case 3:
      return concatBytes(contents, prng.pick(pieces));
    default:
      return flipped(contents, at, prng);
  }
}

function flipped(contents: Uint8Array, at: number, prng: Prng): Uint8Array {
  const copy = contents.slice();
  if (at < copy.length) copy[at]! ^= 1 << prng.below(8);
  return copy;
}

/** An entry as it should be, with one of its fields spoilt; its netstrings are all in order. */
function hostileEntry(prng: Prng): Uint8Array {
  const [entry] = parseTable(prng.pick(pieces)).entries;
  const { ro, rw, metadata } = entry?.fields ?? {
    ro: utf8(''),
    rw: utf8(''),
    metadata: utf8('{}'),
  };
  const fields = [utf8(entry?.name ?? 'x'), ro, rw, metadata];
  const spoilt = prng.below(4);
  const all = fields.map((field, i) => netstring(i === spoilt ? mutated(field, prng) : field));
  return netstring(concatBytes(...all));
}

/** Every entry is shown as something, and what is written the next time is what was read. */
async function judge(contents: Uint8Array): Promise<void> {
  const table = parseTable(contents);
  const { entries, tail } = table;
  for (const holder of [editor, { isMutable: true }, { isMutable: false }]) {
    const children = await childrenOf(entries, holder);
    equal(children.length, entries.length);
    for (const { kind, problem, caps } of children) {
      if (kind === 'ill-formed') ok(problem && Object.keys(caps).length === 0, 'is not kept shut');
      ok(!isWriteCap(caps.read), 'shows a write cap to readers');
    }
  }
  const packed = packTable(table);
  requireSame(packTable(parseTable(packed)), packed);
  await editing(table);
  ok(tail.length <= contents.length);
}

const isWriteCap = (text = '') =>
  /^URI:(?:SSK|MDMF|DIR2|DIR2-MDMF):[a-z2-7]{26}:[a-z2-7]{52}$/.test(text);

function requireSame(found: Uint8Array, wanted: Uint8Array): void {
  if (Buffer.compare(found, wanted) !== 0) equal(bytesToHex(found), bytesToHex(wanted));
}

/** Every edit leaves all entries of other names as they are, and where they were. */
async function editing(table: Table): Promise<void> {
  const names = table.entries.map(({ name }) => name);
  const name = names.find((found) => found !== undefined) ?? 'x';
  const link = linkable('URI:LIT:');
  for (const [touched, edit] of [
    [['new'], adding([{ name: 'new', caps: link }], true, editor)],
    [[name], adding([{ name, caps: link }], 'only-files', editor)],
    [[name], unlinking(name)],
    [[name, 'renamed'], renaming(name, 'renamed', true, editor)],
    [[name], describing(name, new Map(), editor)],
  ] as const) {
    const draft = new Draft(table);
    try {
      await edit(draft);
    } catch (error) {
      ok(error instanceof TahoeMutableError, 'is no error of ours');
      continue;
    }
    const after = parseTable(packTable(draft.changed ?? table));
    requireSame(after.tail, table.tail);
    const isOther = (entry: Entry) => !(touched as readonly unknown[]).includes(entry.name);
    const others = ({ entries }: Table) =>
      entries.filter(isOther).map(({ bytes }) => Buffer.from(bytes).toString('latin1'));
    equal(others(after).sort().join('\n'), others(table).sort().join('\n'));
  }
}

test.each([
  ['contents', (prng: Prng) => hostileContents(prng)],
  ['entries', (prng: Prng) => concatBytes(hostileEntry(prng), hostileEntry(prng))],
])(
  'hostile %s',
  async (kind, make) => {
    const prng = new Prng(seed);
    let start = process.cpuUsage();
    for (let i = 0; i < inputs / 2; i++) {
      const contents = make(prng);
      try {
        await judge(contents);
        if (i % batch < batch - 1) continue;
        ok(process.cpuUsage(start).user < budgetMs * 1000, `the last ${batch} took too long`);
        start = process.cpuUsage();
      } catch (cause) {
        const hex = bytesToHex(contents);
        throw new Error(`FUZZ_SEED=${seed}: hostile ${kind} ${i}: ${hex}`, { cause });
      }
    }
  },
  60_000 + 20 * inputs,
);

/** What takes the square of its length from whoever is not careful. */
describe('a table that is large in one respect', () => {
  const entry = (name: string, metadata = '{}') =>
    newEntry(name, { ro: utf8('URI:LIT:'), rw: new Uint8Array(0), metadata: utf8(metadata) });
  const many = (count: number, make: (i: number) => Entry) =>
    packTable({ entries: Array.from({ length: count }, (_, i) => make(i)), tail: utf8('') });

  async function cpuMsOf(contents: Uint8Array): Promise<number> {
    const start = process.cpuUsage();
    const table = parseTable(contents);
    const draft = new Draft(table);
    await adding([{ name: 'new', caps: linkable('URI:LIT:') }], true, editor)(draft);
    expect(packTable(draft.changed!).length).toBeGreaterThan(contents.length);
    await childrenOf(table.entries.slice(0, 1000), editor);
    return process.cpuUsage(start).user / 1000;
  }

  test.each([
    ['entries', () => many(2 ** 15, (i) => entry(`n${i}`))],
    ['entries of one name', () => many(2 ** 15, () => entry('n'))],
    ['the marks of a name', () => many(1, () => entry(`a${'\u0301\u0327'.repeat(500_000)}`))],
    ['marks of names', () => many(3000, (i) => entry(`${i}${'\u0301\u0327'.repeat(500)}`))],
    ['allowed marks', () => many(3000, (i) => entry(`${i}${'\u0301\u0327'.repeat(32)}`))],
    ['a name', () => many(1, () => entry('n'.repeat(4_000_000)))],
    ['metadata', () => many(1, () => entry('n', `{"a": "${'\\n'.repeat(2_000_000)}"}`))],
    [
      'a row of digits',
      () =>
        concatBytes(
          many(1, () => entry('n')),
          utf8('9'.repeat(4_000_000)),
        ),
    ],
  ])('%s: costs no more than its length', async (_, make) => {
    const contents = make();
    const ms = await cpuMsOf(contents);
    // Some ten times what it takes: the square of any of these would be an hour.
    expect(ms).toBeLessThan(10_000);
  });
});
