import { describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { concatBytes, netstring, toBase32, utf8 } from '../../src/bytes.ts';
import { linkable } from '../../src/directory/child.ts';
import { firstTable } from '../../src/directory/edits.ts';
import { packTable } from '../../src/directory/table.ts';
import type { Directory, NewChild } from '../../src/directory.ts';
import {
  BadArgumentError,
  DirectoryCapError,
  ExistingChildError,
  InsufficientCapError,
  MalformedCapError,
  NoSuchChildError,
  NotADirectoryError,
  UnusableEntryError,
} from '../../src/errors.ts';
import type { Grid } from '../../src/grid.ts';
import { passTime, testGrid, testKey } from '../support/client-grid.ts';
import {
  contentsOf,
  directoryCase,
  directoryVectors,
  gatewayChildrenOf,
  vectorKey,
  writerOf,
} from '../support/directories.ts';

const formats = ['sdmf', 'mdmf'] as const;
const lit = (text: string) => `URI:LIT:${toBase32(utf8(text))}`;
const encoding = { required: 1, happy: 2, total: 2 };

/** A small grid whose time stands still until it is moved. */
function gridAt(seconds: number) {
  let now = seconds;
  const made = testGrid({ count: 2, encoding, date: () => now * 1000 });
  return {
    ...made,
    at: (later: number) => {
      now = later;
    },
  };
}

const namesIn = async (directory: Directory) =>
  (await directory.list()).map(({ name }) => name as string);

describe.each(formats)('a directory (%s)', (format) => {
  const { grid, at, another } = gridAt(1_700_000_200);

  test('is made, edited and read', async () => {
    const directory = await grid.createDirectory({ format, key: testKey });
    expect(await directory.list()).toEqual([]);
    expect(directory.file?.created).toMatchObject({ seqnum: 1, missing: [] });
    expect(directory.writeCap).toMatch(format === 'sdmf' ? /^URI:DIR2:/ : /^URI:DIR2-MDMF:/);

    const added = await directory.add('b', lit('hello'), { metadata: { note: 'é' } });
    expect(added).toMatchObject({ attempt: 0, write: { seqnum: 2 } });
    await directory.addAll([
      { name: 'cafe\u0301', child: directory },
      { name: 'a/b', child: grid.open(directory.file!.cap) },
    ]);
    const children = await directory.list();
    expect(
      children.map(({ name, kind, mutable, format: f, size }) => [name, kind, mutable, f, size]),
    ).toEqual([
      ['a/b', 'directory', true, format, undefined],
      ['b', 'file', false, 'lit', 5],
      ['café', 'directory', true, format, undefined],
    ]);
    expect(children.map(({ caps }) => caps.write)).toEqual([
      directory.writeCap,
      undefined,
      directory.writeCap,
    ]);
    const times = { linkcrtime: 1_700_000_200, linkmotime: 1_700_000_200 };
    expect(children[1]?.metadata).toEqual({ note: 'é', tahoe: times });

    at(1_700_000_201.5);
    await directory.setMetadata('b', { note: 2 });
    const described = { linkcrtime: 1_700_000_200, linkmotime: 1_700_000_201.5 };
    expect((await directory.get('b')).metadata).toEqual({ note: 2, tahoe: described });
    await directory.rename('b', 'z');
    await directory.unlink('cafe\u0301');
    expect(await namesIn(directory)).toEqual(['a/b', 'z']);
    const moved = { linkcrtime: 1_700_000_201.5, linkmotime: 1_700_000_201.5 };
    expect((await directory.get('z')).metadata).toEqual({ note: 2, tahoe: moved });
  });

  test('has no more than its cap gives', async () => {
    const directory = await grid.createDirectory({
      format,
      key: await vectorKey(0),
      children: [{ name: 'x', child: grid.open(directoryCase('empty, SDMF').inner_cap) }],
    });
    const reader = another().openDirectory(directory.readCap);
    const [child] = await reader.list();
    expect(Object.keys(child?.caps ?? {})).toEqual(['read', 'verify']);
    const refused = (operation: string, held: string) =>
      new InsufficientCapError(operation, 'write', held);
    await expect(reader.add('y', lit(''))).rejects.toEqual(refused('adding', 'read'));
    await expect(reader.unlink('x')).rejects.toEqual(refused('unlinking', 'read'));
    await expect(reader.rename('x', 'y')).rejects.toEqual(refused('renaming', 'read'));
    await expect(reader.setMetadata('x', {})).rejects.toEqual(refused('describing', 'read'));
    await expect(reader.move('x', directory)).rejects.toEqual(refused('moving', 'read'));
    await expect(directory.move('x', reader)).rejects.toEqual(refused('moving', 'read'));
    expect(() => reader.writeCap).toThrow(refused('giving away the write cap', 'read'));
    const verifier = another().openDirectory(directory.verifyCap);
    await expect(verifier.list()).rejects.toEqual(
      new InsufficientCapError('reading', 'read', 'verify'),
    );
    expect((await verifier.file?.verify())?.map).toBeDefined();
  });
});

test('its bytes are not written by the raw operations, unless they are asked to', async () => {
  const { grid } = gridAt(0);
  const directory = await grid.createDirectory({ key: testKey });
  await directory.add('x', lit('x'));
  const { file } = directory;
  const before = await file!.read();
  const x = utf8('x');
  await expect(file!.overwrite(x)).rejects.toBeInstanceOf(DirectoryCapError);
  await expect(file!.update(x, 0)).rejects.toBeInstanceOf(DirectoryCapError);
  await expect(file!.append(x)).rejects.toBeInstanceOf(DirectoryCapError);
  await expect(file!.modify(() => x)).rejects.toBeInstanceOf(DirectoryCapError);
  expect(await file!.read()).toEqual(before);
});

describe('replacing', () => {
  const child = lit('new');

  async function directoryWith(children: readonly NewChild[]) {
    const { grid } = gridAt(0);
    return grid.createDirectory({ key: testKey, children });
  }

  test('is not done unless it is asked for', async () => {
    const directory = await directoryWith([{ name: 'x', child: lit('old') }]);
    await expect(directory.add('x', child)).rejects.toEqual(new ExistingChildError('x'));
    await directory.add('x', child, { replace: 'only-files' });
    expect((await directory.get('x')).caps.read).toBe(child);
    await directory.add('x', lit('newer'), { replace: true });
    expect((await directory.get('x')).caps.read).toBe(lit('newer'));
  });

  test('only-files takes no directory for a file, and nothing unknown', async () => {
    const directory = await directoryWith([
      { name: 'd', child: 'URI:DIR2-LIT:' },
      { name: 'u', child: { read: 'x://future' } },
    ]);
    const options = { replace: 'only-files' } as const;
    await expect(directory.add('d', child, options)).rejects.toEqual(
      new ExistingChildError('d', 'directory'),
    );
    await expect(directory.add('u', child, options)).rejects.toEqual(
      new ExistingChildError('u', 'unknown'),
    );
    await directory.add('d', child, { replace: true });
    await expect(directory.rename('d', 'u', options)).rejects.toEqual(
      new ExistingChildError('u', 'unknown'),
    );
    await directory.rename('d', 'u', { replace: true });
    expect(await namesIn(directory)).toEqual(['u']);
  });
});

test('edits of two handles at once: forty names each, and all are there', async () => {
  const clock = new SimulatedClock();
  let collisions = 0;
  const { grid, another } = testGrid({
    count: 4,
    encoding: { required: 1, happy: 3, total: 4 },
    clock,
  });
  const first = await grid.createDirectory({ key: testKey });
  const second = another().openDirectory(first.writeCap);
  const names = (prefix: string) => Array.from({ length: 40 }, (_, i) => `${prefix}${100 + i}`);
  const addAll = async (directory: Directory, all: readonly string[]) => {
    for (const name of all) {
      const { attempt } = await directory.add(name, lit(name), {
        attempts: 100,
        onAttempt: ({ attempt }) => {
          if (attempt > 0) collisions++;
        },
      });
      expect(attempt).toBeGreaterThanOrEqual(0);
    }
  };
  const adding = Promise.all([addAll(first, names('a')), addAll(second, names('b'))]);
  await passTime(clock, adding);
  await adding;
  expect(await namesIn(first)).toEqual([...names('a'), ...names('b')]);
  expect(collisions).toBeGreaterThan(0);
});

test('options that are none are refused by every call that reads', async () => {
  const { grid } = gridAt(0);
  const directory = await grid.createDirectory({ key: testKey });
  const none = 5 as never;
  const reads = [
    () => directory.list(none),
    () => directory.listing(none),
    () => directory.get('x', none),
    () => directory.find('x', none),
    () => grid.find(`${directory.readCap}/x`, none),
    () => directory.file?.repair(none),
  ];
  const refusal = new BadArgumentError('options', 'is a number, not an object');
  for (const read of reads) await expect(read()).rejects.toEqual(refusal);
});

test('edits of one handle at once follow each other', async () => {
  const { grid } = gridAt(0);
  const directory = await grid.createDirectory({ key: testKey });
  const names = Array.from({ length: 40 }, (_, i) => `n${100 + i}`);
  const outcomes = await Promise.all(names.map((name) => directory.add(name, lit(name))));
  expect(outcomes.map(({ attempt }) => attempt)).toEqual(names.map(() => 0));
  expect(await namesIn(directory)).toEqual(names);
});

test('an edit says which attempt it is on', async () => {
  const clock = new SimulatedClock();
  const { grid, another } = testGrid({ clock, random: () => 0.5 });
  const directory = await grid.createDirectory({ key: testKey });
  const other = another().openDirectory(directory.writeCap);
  const seen: unknown[] = [];
  const interrupting: Promise<unknown>[] = [];
  const adding = directory.add('mine', lit('mine'), {
    onAttempt: (about) => {
      seen.push(about);
      if (about.attempt === 0) interrupting.push(other.add('theirs', lit('theirs')));
    },
  });
  await passTime(
    clock,
    adding.then(() => Promise.all(interrupting)),
  );
  expect((await adding).attempt).toBe(seen.length - 1);
  expect(seen[0]).toEqual({ attempt: 0, seqnum: 1 });
  expect(await namesIn(directory)).toEqual(['mine', 'theirs']);
  await expect(directory.unlink('mine', { onAttempt: 1 as never })).rejects.toEqual(
    new BadArgumentError('onAttempt', 'is a number, not a function'),
  );
});

describe('moving to another directory', () => {
  async function twoDirectories() {
    const made = gridAt(5);
    const from = await made.grid.createDirectory({
      key: testKey,
      children: [
        { name: 'x', child: directoryCase('empty, SDMF').inner_cap, metadata: { a: 1 } },
        { name: 'y', child: lit('y') },
      ],
    });
    const to = await made.grid.createDirectory({ key: await vectorKey(0), format: 'sdmf' });
    return { ...made, from, to };
  }

  test('takes the child along, write cap and metadata', async () => {
    const { from, to } = await twoDirectories();
    const outcome = await from.move('x', to, 'z');
    expect([outcome.added.attempt, outcome.unlinked?.attempt]).toEqual([0, 0]);
    expect(await namesIn(from)).toEqual(['y']);
    const [child] = await to.list();
    expect(child).toMatchObject({
      name: 'z',
      metadata: { a: 1, tahoe: { linkcrtime: 5, linkmotime: 5 } },
    });
    expect(child?.caps.write).toBe(directoryCase('empty, SDMF').inner_cap);
    await expect(from.move('x', to, 'z')).rejects.toEqual(new NoSuchChildError('x'));
  });

  test('who dies in between does the rest by moving again', async () => {
    const { from, to, another, at } = await twoDirectories();
    const dying = new AbortController();
    const reason = new Error('died');
    const moving = from.move('x', to, 'x', {
      signal: dying.signal,
      // The second edit is the one that unlinks.
      onAttempt: ({ seqnum }) => {
        if (linked) dying.abort(reason);
        linked = seqnum === 1;
      },
    });
    let linked = false;
    await expect(moving).rejects.toBe(reason);
    expect([await namesIn(from), await namesIn(to)]).toEqual([['x', 'y'], ['x']]);
    at(9);
    const again = another();
    const source = again.openDirectory(from.writeCap);
    await source.move('x', again.openDirectory(to.writeCap));
    expect([await namesIn(from), await namesIn(to)]).toEqual([['y'], ['x']]);
    expect((await to.get('x')).metadata?.tahoe).toEqual({ linkcrtime: 5, linkmotime: 9 });
  });

  test('does not replace another child, nor make anything of a broken one', async () => {
    const { from, to, grid } = await twoDirectories();
    await to.add('x', lit('there'));
    await expect(from.move('x', to)).rejects.toEqual(new ExistingChildError('x'));
    expect(await namesIn(from)).toEqual(['x', 'y']);
    await from.move('x', to, 'x', { replace: true });
    expect((await to.get('x')).caps.write).toBe(directoryCase('empty, SDMF').inner_cap);
    const strange = await grid.createDirectory({ key: await vectorKey(1) });
    const unpaired = netstring(utf8('u'));
    const fields = [new Uint8Array(0), new Uint8Array(3), utf8('{}')].map(netstring);
    await strange.file!.overwrite(netstring(concatBytes(unpaired, ...fields)), { raw: true });
    await expect(strange.move('u', to)).rejects.toEqual(
      new UnusableEntryError('u', 'its write cap is cut short'),
    );
  });

  test('within one directory is a rename; a directory is not moved into itself', async () => {
    const { from, grid } = await twoDirectories();
    const outcome = await from.move('x', grid.openDirectory(from.writeCap), 'z');
    expect(outcome.unlinked).toBe(undefined);
    expect(await namesIn(from)).toEqual(['y', 'z']);
    const sub = await grid.createDirectory({ key: await vectorKey(1) });
    await from.add('sub', sub);
    await expect(from.move('sub', sub)).rejects.toEqual(
      new BadArgumentError('target', 'is the directory that is to be moved into it'),
    );
    expect(await namesIn(from)).toEqual(['sub', 'y', 'z']);
  });
});

describe('a path', () => {
  async function tree(): Promise<{ grid: Grid; root: Directory }> {
    const { grid } = gridAt(0);
    const inner = await grid.createDirectory({
      key: await vectorKey(0),
      children: [
        { name: 'leaf', child: lit('leaf') },
        { name: '', child: lit('nameless') },
      ],
    });
    const children = [
      { name: 'inner', child: inner },
      { name: 'read-only', child: inner.readCap },
      { name: 'literal', child: 'URI:DIR2-LIT:giztumj2mewdqosvkjetutcjkq5cymb2fqzdu635fqwa' },
      { name: 'chk', child: directoryCase('all kinds, initial children, SDMF').cap },
      { name: 'unknown', child: { read: 'x://y' } },
    ];
    return { grid, root: await grid.createDirectory({ key: await vectorKey(1), children }) };
  }

  test('leads through directories of every kind', async () => {
    const { grid, root } = await tree();
    for (const path of ['inner/leaf', '/inner/leaf/', 'read-only/leaf']) {
      expect((await root.find(path)).caps.read).toBe(lit('leaf'));
      expect((await grid.find(`${root.readCap}/${path.replace(/^\//, '')}`)).name).toBe('leaf');
    }
    expect((await root.find(['inner', ''])).caps.read).toBe(lit('nameless'));
    expect((await root.find('literal/a')).caps.read).toBe('URI:LIT:');
    const readOnly = await root.openDirectory('read-only');
    expect(() => readOnly.writeCap).toThrow(InsufficientCapError);
    expect(await root.openDirectory('')).toBe(root);
    const literal = await root.openDirectory('literal');
    expect([literal.file, literal.readCap]).toEqual([
      undefined,
      'URI:DIR2-LIT:giztumj2mewdqosvkjetutcjkq5cymb2fqzdu635fqwa',
    ]);
    expect(() => literal.verifyCap).toThrow(
      new InsufficientCapError('verifying', 'verify', 'literal'),
    );
    await expect(literal.add('b', lit(''))).rejects.toBeInstanceOf(InsufficientCapError);
  });

  test('that leads nowhere says where it ends', async () => {
    const { grid, root } = await tree();
    await expect(root.find('inner/none')).rejects.toEqual(new NoSuchChildError('none'));
    await expect(root.find('none/x')).rejects.toEqual(new NoSuchChildError('none'));
    await expect(root.find('inner/leaf/x')).rejects.toEqual(new NotADirectoryError('leaf', 'file'));
    await expect(root.find('unknown/x')).rejects.toEqual(
      new NotADirectoryError('unknown', 'unknown'),
    );
    await expect(root.find('')).rejects.toEqual(new BadArgumentError('path', 'names no child'));
    await expect(root.find('a//b')).rejects.toEqual(
      new BadArgumentError('path', 'has an empty name in it'),
    );
    await expect(grid.find(root.readCap)).rejects.toBeInstanceOf(BadArgumentError);
    await expect(grid.find('nonsense/a')).rejects.toBeInstanceOf(MalformedCapError);
  });
});

describe('what Tahoe wrote', () => {
  test('opens, and what is strange in it outlives an edit', async () => {
    const vector = directoryCase('strange entries');
    const { grid } = gridAt(1_700_000_400);
    const key = await vectorKey(vector.key!);
    const directory = await grid.createDirectory({ key, format: 'sdmf' });
    expect(directory.writeCap).toBe(vector.cap);
    await directory.file!.overwrite(contentsOf(vector), { raw: true });
    const { leak: _, ...listing } = vector.json![1].children;
    expect(gatewayChildrenOf(await directory.list())).toEqual(listing);
    const before = await directory.list();
    await directory.add('new', lit('hello'));
    const after = await directory.list();
    const plain = (all: typeof before) =>
      all.map(({ name, kind, problem }) => [name, kind, problem]);
    expect(plain(after).sort()).toEqual([...plain(before), ['new', 'file', undefined]].sort());
  });

  test.each(directoryVectors.unreadable)('$what: hides no other child', async ({ contents }) => {
    const { grid } = gridAt(0);
    const directory = await grid.createDirectory({ key: testKey });
    const writer = writerOf(directory.writeCap);
    const good = await firstTable(writer, [{ name: 'good', caps: linkable(lit('good')) }]);
    const bad = Buffer.from(contents, 'hex');
    await directory.file!.overwrite(concatBytes(packTable(good), bad), { raw: true });
    const [child, ...rest] = await directory.list();
    expect([child?.name, child?.caps.read]).toEqual(['good', lit('good')]);
    expect(rest.every(({ kind }) => kind === 'ill-formed' || kind === 'file')).toBe(true);
    await directory.add('new', lit('new'));
    const after = Buffer.from(await directory.file!.read());
    expect((await directory.get('new')).caps.read).toBe(lit('new'));
    // An entry is wrapped anew, and so begins with its length again; its bytes are the same.
    expect(after.includes(bad)).toBe(true);
  });
});

describe('arguments', () => {
  const { grid } = gridAt(0);
  const made = grid.createDirectory({ key: testKey });
  const refused = (argument: string, problem: string) => new BadArgumentError(argument, problem);

  test('of the wrong kind are refused by name', async () => {
    const directory = await made;
    await expect(directory.add(1 as never, lit(''))).rejects.toEqual(
      refused('name', 'is a number, not a string'),
    );
    await expect(directory.add('\ud83d', lit(''))).rejects.toEqual(
      refused('name', 'has half a character'),
    );
    await expect(directory.add('x', 1 as never)).rejects.toEqual(
      refused('child', 'is a number, not a cap, or what has one'),
    );
    await expect(directory.add('x', { write: 1 } as never)).rejects.toEqual(
      refused('child', 'has a cap that is no text'),
    );
    await expect(directory.add('x', lit(''), { metadata: 1 as never })).rejects.toEqual(
      refused('metadata', 'are no object that JSON could say'),
    );
    await expect(directory.add('x', lit(''), { replace: 'yes' as never })).rejects.toEqual(
      refused('replace', 'is none of true, false, only-files'),
    );
    await expect(directory.move('x', {} as never)).rejects.toEqual(
      refused('target', 'is no directory of this library'),
    );
    const twice = [
      { name: 'é', child: lit('') },
      { name: 'e\u0301', child: lit('') },
    ];
    await expect(directory.addAll(twice)).rejects.toEqual(
      refused('children', 'have one name more than once'),
    );
    await expect(grid.createDirectory({ children: twice })).rejects.toEqual(
      refused('children', 'have one name more than once'),
    );
    await expect(directory.addAll({} as never)).rejects.toEqual(
      refused('children', 'are no array'),
    );
    expect(() => grid.openDirectory('URI:LIT:')).toThrow(
      refused('cap', 'is that of a file, not of a directory'),
    );
    const file = directory.writeCap.replace('DIR2-MDMF', 'MDMF');
    expect(() => grid.openDirectory(file)).toThrow(
      refused('cap', 'is that of a file, not of a directory'),
    );
    expect(await directory.list()).toEqual([]);
  });

  test('a clock that gives no number ends the edit', async () => {
    const { another } = gridAt(0);
    expect(() => another({ date: 1 as never })).toThrow(
      refused('date', 'is a number, not a function'),
    );
    const broken = testGrid({ date: () => Number.NaN });
    const directory = await broken.grid.createDirectory({ key: testKey });
    await expect(directory.add('x', lit(''))).rejects.toEqual(
      refused('date', 'did not give a finite number'),
    );
  });
});
