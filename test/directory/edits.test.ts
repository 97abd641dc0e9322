import { describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes, toBase32, utf8 } from '../../src/bytes.ts';
import { linkable } from '../../src/directory/child.ts';
import {
  adding,
  Draft,
  describing,
  type Edit,
  type Editor,
  firstTable,
  movable,
  type Replace,
  renaming,
  unlinking,
} from '../../src/directory/edits.ts';
import { metadataFrom, withoutTimes } from '../../src/directory/metadata.ts';
import { newEntry, packTable, parseTable, type Table } from '../../src/directory/table.ts';
import { ExistingChildError, NoSuchChildError, UnusableEntryError } from '../../src/errors.ts';
import {
  additionsOf,
  contentsOf,
  directoryCase,
  directoryVectors,
  vectorKeys,
  writerOf,
} from '../support/directories.ts';

const lit = (text: string) => linkable(`URI:LIT:${toBase32(utf8(text))}`);

function editorOf(cap: string, now: number): Editor {
  return { isMutable: true, writer: writerOf(cap), now };
}

async function edited(contents: Uint8Array, edit: Edit): Promise<Uint8Array> {
  const draft = new Draft(parseTable(contents));
  await edit(draft);
  return draft.changed === undefined ? contents : packTable(draft.changed);
}

const { dir, dir2, steps, old_ctime } = directoryVectors.edits;

/** What the gateway does when it is asked for this. */
function editFor(request: readonly string[], editor: Editor): Edit {
  const [method, , path = '', body = ''] = request;
  const [name = '', query = ''] = path.slice(1).split('?');
  const about = new URLSearchParams(method === 'PUT' ? query : path);
  const replaceText = about.get('replace') ?? 'true';
  const replace: Replace =
    replaceText === 'only-files' ? replaceText : (JSON.parse(replaceText) as boolean);
  if (method === 'PUT') {
    const caps = about.get('t') === 'uri' ? linkable(body) : lit(body);
    return adding([{ name, caps }], replace, editor);
  }
  switch (about.get('t')) {
    case 'set_children':
      return adding(additionsOf(JSON.parse(body)), true, editor);
    case 'rename':
      return renaming(about.get('from_name')!, about.get('to_name')!, true, editor);
    case 'unlink':
      return unlinking(about.get('name')!);
  }
  throw new Error(`what is ${path}?`);
}

describe('the edits that Tahoe was asked for', () => {
  test.each(steps.map((step, i) => ({ ...step, before: steps[i - 1] })))(
    '$step: give the same bytes',
    async ({ request, now, status, before, contents, contents_dir2 }) => {
      const editor = editorOf(dir, now);
      const old = hexToBytes(before?.contents ?? '');
      const old2 = hexToBytes(before?.contents_dir2 ?? '');
      if (request[2].includes('t=relink')) {
        const { target, metadata } = await movable(new Draft(parseTable(old)), 'y', editor);
        const caps = { rw: target.caps.write, ro: target.caps.read };
        const addition = { name: 'z', caps, metadata: withoutTimes(metadata) };
        const added = await edited(old2, adding([addition], true, editorOf(dir2, now)));
        expect(bytesToHex(added)).toBe(contents_dir2);
        expect(bytesToHex(await edited(old, unlinking('y')))).toBe(contents);
        return;
      }
      const editing = edited(old, editFor(request, editor));
      if (status >= 400) {
        const error = status === 404 ? NoSuchChildError : ExistingChildError;
        await expect(editing).rejects.toBeInstanceOf(error);
        expect(contents).toBe(before?.contents);
      } else {
        expect(bytesToHex(await editing)).toBe(contents);
      }
      expect(contents_dir2).toBe(before?.contents_dir2 ?? '');
    },
  );

  test('an old ctime becomes the time of the link', async () => {
    const metadata = metadataFrom({ ctime: 9.5, mtime: 8 });
    const { dir: cap } = old_ctime;
    const table = await firstTable(writerOf(cap), [{ name: 'c', caps: lit('x'), metadata }]);
    const edit = adding([{ name: 'c', caps: lit('') }], true, editorOf(cap, 1_700_000_215));
    expect(bytesToHex(await edited(packTable(table), edit))).toBe(old_ctime.contents);
  });
});

describe('strange entries', () => {
  const directory = directoryCase('strange entries');
  const contents = contentsOf(directory);
  const { entries } = parseTable(contents);
  const hexes = (all: Table['entries']) => all.map(({ bytes }) => bytesToHex(bytes)).sort();

  test('are all there after another child is added, where Tahoe would have kept ten', async () => {
    const { now, contents: tahoes } = directory.after_adding_new!;
    const edit = adding([{ name: 'new', caps: lit('hello') }], false, editorOf(directory.cap, now));
    const after = parseTable(await edited(contents, edit));
    const added = after.entries.filter(({ name }) => name === 'new');
    expect(hexes(after.entries)).toEqual(hexes([...entries, ...added]));
    // Of what Tahoe keeps, the bytes are Tahoe's.
    const dropped = ['unknown-rw', 'ro-ssk', 'imm-ssk'];
    const kept = after.entries.filter(({ name }) => !dropped.includes(name!));
    const shadowed = kept.findIndex(({ name }) => name === 'ñ');
    const likeTahoe = { entries: kept.toSpliced(shadowed, 1), tail: new Uint8Array(0) };
    expect(bytesToHex(packTable(likeTahoe))).toBe(tahoes);
  });

  const editor = editorOf(directory.cap, 1);

  test.each([
    ['mismatch', 'its read cap is not that of its write cap'],
    ['leak', 'a write cap stands where every reader of the directory sees it'],
    ['unknown-rw', 'an unknown write cap has no read cap beside it'],
    ['n\u0303'.normalize('NFC'), 'more than one entry has this name'],
  ])(
    '%s is not renamed or described, for that would make something else of it',
    async (name, problem) => {
      const error = new UnusableEntryError(name, problem);
      await expect(edited(contents, renaming(name, 'y', true, editor))).rejects.toEqual(error);
      await expect(edited(contents, describing(name, new Map(), editor))).rejects.toEqual(error);
    },
  );

  test.each(['unknown-rw', 'ro-ssk', 'none', 'leak'])(
    '%s is no file that only-files would replace',
    async (name) => {
      const edit = adding([{ name, caps: lit('x') }], 'only-files', editor);
      await expect(edited(contents, edit)).rejects.toBeInstanceOf(ExistingChildError);
    },
  );

  test('who unlinks or replaces a name means all that has it', async () => {
    const without = parseTable(await edited(contents, unlinking('ñ')));
    expect(without.entries.map(({ name }) => name)).not.toContain('ñ');
    expect(without.entries.length).toBe(entries.length - 2);
    const edit = adding([{ name: 'ñ', caps: lit('x') }], true, editor);
    const replaced = parseTable(await edited(contents, edit));
    expect(replaced.entries.filter(({ name }) => name === 'ñ').length).toBe(1);
    expect(replaced.entries.length).toBe(entries.length - 1);
  });
});

test('what is behind the last entry stays behind the last entry', async () => {
  const edit = adding([{ name: 'x', caps: lit('x') }], false, editorOf(dir, 1));
  const tail = utf8('99:cut short');
  const after = await edited(tail, edit);
  expect(after.subarray(-tail.length)).toEqual(tail);
  expect(parseTable(after).entries.map(({ name }) => name)).toEqual(['x']);
  expect(await edited(after, unlinking('x'))).toEqual(tail);
});

describe('metadata', () => {
  const editor = editorOf(dir, 2);
  const big = '{"n": 12345678901234567890, "f": 1.0, "1": 0, "no-write": 0}';

  async function withMetadata(text: string): Promise<Uint8Array> {
    const first = await edited(
      new Uint8Array(0),
      adding([{ name: 'x', caps: linkable(vectorKeys[0]!.write_cap) }], false, editorOf(dir, 1)),
    );
    const { entries, tail } = parseTable(first);
    const [entry] = entries;
    const fields = { ...entry!.fields!, metadata: utf8(text) };
    return packTable({ entries: [newEntry('x', fields)], tail });
  }

  const metadataIn = (contents: Uint8Array, name: string) =>
    new TextDecoder().decode(new Draft(parseTable(contents)).get(name)?.fields?.metadata);

  test('that no JavaScript number holds survive a change of the link', async () => {
    const contents = await withMetadata(big);
    const after = await edited(contents, renaming('x', 'y', false, editor));
    expect(metadataIn(after, 'y')).toBe(
      '{"n": 12345678901234567890, "f": 1.0, "1": 0, "no-write": 0, ' +
        '"tahoe": {"linkcrtime": 2.0, "linkmotime": 2.0}}',
    );
  });

  test('replace the old ones, and leave the times to the directory', async () => {
    const contents = await withMetadata('{"a": 1, "tahoe": {"linkcrtime": 1, "x": [1.50]}}');
    const given = metadataFrom({ b: 2, tahoe: { linkcrtime: 9 } });
    const after = await edited(contents, describing('x', given, editor));
    expect(metadataIn(after, 'x')).toBe(
      '{"b": 2, "tahoe": {"linkcrtime": 1, "x": [1.5], "linkmotime": 2.0}}',
    );
  });

  test.each([
    ['true', true],
    ['1', true],
    ['"no"', true],
    ['[0]', true],
    ['false', false],
    ['0', false],
    ['0.0', false],
    ['""', false],
    ['[]', false],
    ['{}', false],
    ['null', false],
  ])('no-write: %s takes the write cap away: %s', async (value, isTaken) => {
    const contents = await withMetadata(`{"no-write": ${value}}`);
    const after = await edited(contents, renaming('x', 'y', false, editor));
    const { target } = await movable(new Draft(parseTable(after)), 'y', editor);
    expect(target.caps.write === undefined).toBe(isTaken);
  });
});

describe('an edit that comes again', () => {
  const editor = editorOf(dir, 1);
  const empty = new Uint8Array(0);
  const add = (name: string, text: string, replace: Replace = false) =>
    adding([{ name, caps: lit(text) }], replace, editor);
  const namesIn = (contents: Uint8Array) => parseTable(contents).entries.map(({ name }) => name);

  test('knows its own link, though it was not to replace any', async () => {
    const mine = add('x', 'mine');
    const landed = await edited(empty, mine);
    expect(await edited(landed, mine)).toEqual(landed);
    // Also when somebody has described it meanwhile.
    const described = await edited(landed, describing('x', metadataFrom({ a: 1 }), editor));
    expect(await edited(described, mine)).toEqual(described);
    await expect(edited(await edited(empty, add('x', 'theirs')), mine)).rejects.toEqual(
      new ExistingChildError('x'),
    );
  });

  test('that changes metadata of a child does so wherever the first attempt did not', async () => {
    const before = await edited(empty, add('x', 'same'));
    const addition = { name: 'x', caps: lit('same'), metadata: metadataFrom({ a: 1 }) };
    const mine = adding([addition], true, editor);
    const landed = await edited(before, mine);
    expect(landed).not.toEqual(before);
    expect(await edited(before, mine)).toEqual(landed);
  });

  test('unlinks once: what is gone is gone, and what came after stays', async () => {
    const before = await edited(empty, add('x', 'old'));
    const unlink = unlinking('x');
    expect(await edited(before, unlink)).toEqual(empty);
    expect(await edited(empty, unlink)).toEqual(empty);
    const anew = await edited(empty, add('x', 'new'));
    expect(await edited(anew, unlink)).toEqual(anew);
    expect(await edited(before, unlink)).toEqual(empty);
    await expect(edited(empty, unlinking('x'))).rejects.toEqual(new NoSuchChildError('x'));
  });

  test('renames once', async () => {
    const before = await edited(empty, add('x', 'mine'));
    const rename = renaming('x', 'y', false, editor);
    const landed = await edited(before, rename);
    expect(namesIn(landed)).toEqual(['y']);
    expect(await edited(landed, rename)).toEqual(landed);
    const anew = await edited(landed, add('x', 'theirs'));
    expect(await edited(anew, rename)).toEqual(anew);
  });

  test('adds all children or none', async () => {
    const before = await edited(empty, add('b', 'there'));
    const both = adding(
      [
        { name: 'a', caps: lit('1') },
        { name: 'b', caps: lit('2') },
      ],
      false,
      editor,
    );
    await expect(edited(before, both)).rejects.toEqual(new ExistingChildError('b'));
    expect(namesIn(await edited(empty, both))).toEqual(['a', 'b']);
  });
});
