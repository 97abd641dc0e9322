import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { concatBytes, netstring, utf8 } from '../../src/bytes.ts';
import { addressIn } from '../../src/cli/cap-text.ts';
import type { Directory } from '../../src/directory.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runHere } from '../support/cli.ts';
import { directoryCase } from '../support/directories.ts';

let scratch: string;
let grid: string;
let root: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-directories-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid, { servers: 2, encoding: { required: 1, happy: 2, total: 2 } });
  root = join(scratch, 'root.cap');
  await done(['mkdir', '-o', root]);
});
afterAll(() => rm(scratch, { recursive: true }));

/** What a command that must not fail prints. */
async function done(args: readonly string[], stdin = ''): Promise<string> {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', grid], stdin);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  return stdout.toString();
}

async function refused(args: readonly string[]): Promise<readonly [string, unknown]> {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', grid]);
  expect(stdout.toString()).toBe('');
  return [stderr, exit];
}

/** Of `ls --json`. */
function listed(text: string): readonly { readonly name: string; readonly kind: string }[] {
  return JSON.parse(text).children;
}

const capIn = async (path: string) => (await readFile(path, 'utf8')).trim();
const listing = async (...args: readonly string[]) =>
  listed(await done(['ls', ...args, '--json'])).map(({ name, kind }) => `${kind} ${name}`);

async function opened<T>(work: (directory: Directory) => Promise<T>): Promise<T> {
  const opened = await openGrid(grid);
  return work(opened.openDirectory(await capIn(root)));
}

test('directories are made, linked, listed, moved and unlinked', async () => {
  const cap = await capIn(root);
  expect(cap).toMatch(/^URI:DIR2-MDMF:/);
  expect(await done(['ls', `@${root}`])).toBe('');
  const made = await done(['mkdir', `@${root}`, 'sub', '--format', 'sdmf']);
  expect(made).toMatch(/^URI:DIR2:[a-z2-7]{26}:[a-z2-7]{52}\n$/);
  const sub = join(scratch, 'sub.cap');
  await writeFile(sub, made);
  await done(['mkdir', `@${root}`, 'sub/deeper', '-o', join(scratch, 'deeper.cap')]);
  const linked = await done(['ln', 'URI:LIT:nbswy3dp', `@${root}`, 'sub/deeper/hello']);
  expect(linked).toMatch(/^version 2, built on version 1.*: 2 shares on 2 servers\n$/);
  expect(await done(['ls', `@${root}`])).toBe('rw  directory sdmf  -  sub\n');
  expect(await done(['ls', '-', 'sub/deeper/'], cap)).toBe('r-  file lit  5  hello\n');
  expect(await done(['ls', '-'], `${cap}/sub/deeper/hello\n`)).toBe('r-  file lit  5  hello\n');

  expect(await done(['mv', `@${root}`, 'sub/deeper/hello', 'hello'])).toMatch(
    /^version 3.*\nversion 3.*\n$/,
  );
  expect(await listing(`@${root}`)).toEqual(['file hello', 'directory sub']);
  await done(['mv', `@${root}`, 'hello', 'a', '--to', `@${sub}`]);
  await done(['mv', `@${sub}`, 'a', 'b']);
  expect(await listing(`@${sub}`)).toEqual(['file b', 'directory deeper']);
  await done(['unlink', `@${root}`, 'sub/deeper']);
  expect(await listing(`@${root}`, 'sub')).toEqual(['file b']);
});

test('files are read by their caps, immutable ones too, and by the way to them', async () => {
  await done(['ln', 'URI:LIT:nbswy3dp', `@${root}`, 'greeting']);
  expect(await done(['get', `@${root}`, 'greeting'])).toBe('hello');
  expect(await done(['get', '-'], `${await capIn(root)}/greeting\n`)).toBe('hello');
  expect(await done(['get', 'URI:LIT:nbswy3dp', '--offset', '1', '--length', '3'])).toBe('ell');
  expect(await refused(['get', `@${root}`, 'nobody'])).toEqual([
    expect.stringContaining('no child is called "nobody"'),
    4,
  ]);
  await done(['unlink', `@${root}`, 'greeting']);
});

test('caps are shown only to who asks for them', async () => {
  await done(['ln', directoryCase('empty, SDMF').inner_cap, `@${root}`, 'secret']);
  for (const more of [[], ['--json']]) {
    expect(await done(['ls', `@${root}`, 'secret', ...more])).not.toMatch(/URI:|[a-z2-7]{26}/);
    expect(await done(['ls', `@${root}`, 'secret', '--caps', ...more])).toContain(
      directoryCase('empty, SDMF').inner_cap,
    );
  }
});

test('a name that is taken is not taken over unless that is said', async () => {
  await done(['ln', 'URI:LIT:', `@${root}`, 'x']);
  const taken = ['tahoe-mutable: a child is called "x" already\n', 5];
  expect(await refused(['ln', 'URI:LIT:aa', `@${root}`, 'x'])).toEqual(taken);
  expect(await refused(['mkdir', `@${root}`, 'x'])).toEqual([
    'tahoe-mutable: a file is called "x" already\n',
    5,
  ]);
  await done(['ln', 'URI:LIT:aa', `@${root}`, 'x', '--replace', 'only-files']);
  await done(['mkdir', `@${root}`, 'd']);
  const [stderr] = await refused(['ln', 'URI:LIT:', `@${root}`, 'd', '--replace', 'only-files']);
  expect(stderr).toBe('tahoe-mutable: a directory is called "d" already\n');
  await done(['ln', 'URI:LIT:', `@${root}`, 'd', '--replace', 'any']);
});

test('directories that are missing on the way are made, and all linked by one edit', async () => {
  const before = await opened((directory) => directory.file!.stat());
  await done(['mkdir', `@${root}`, 'way/on the/there', '-o', join(scratch, 'there.cap')]);
  const after = await opened((directory) => directory.file!.stat());
  expect(after.seqnum).toBe(before.seqnum + 1);
  const there = (await readFile(join(scratch, 'there.cap'), 'utf8')).trim();
  const child = await opened((directory) => directory.find('way/on the/there'));
  expect(child.caps.write).toBe(there);
  await done(['ln', 'URI:LIT:', `@${root}`, 'way/file']);
  expect(await refused(['mkdir', `@${root}`, 'way/file/x'])).toEqual([
    'tahoe-mutable: "file" is no directory, but file\n',
    4,
  ]);
  await done(['unlink', `@${root}`, 'way']);
});

test('a directory that nobody could link is not made, and leaves no cap behind', async () => {
  const out = join(scratch, 'orphan.cap');
  const reader = await opened(async (directory) => directory.readCap);
  expect(await refused(['mkdir', reader, 'x', '-o', out])).toEqual([
    'tahoe-mutable: adding needs a write cap, this is a read cap\n',
    6,
  ]);
  await done(['ln', 'URI:LIT:', `@${root}`, 'taken']);
  await refused(['mkdir', `@${root}`, 'taken', '-o', out]);
  await expect(readFile(out)).rejects.toMatchObject({ code: 'ENOENT' });
  await done(['unlink', `@${root}`, 'taken']);
});

test('what is not there, or cannot be linked, is named', async () => {
  expect(await refused(['ls', `@${root}`, 'none'])).toEqual([
    'tahoe-mutable: no child is called "none"\n',
    4,
  ]);
  expect(await refused(['unlink', `@${root}`, 'none'])).toEqual([
    'tahoe-mutable: no child is called "none"\n',
    4,
  ]);
  expect(await refused(['unlink', `@${root}`])).toEqual(['tahoe-mutable: PATH: says no name\n', 2]);
  expect(await refused(['ln', '-', '-', 'x'])).toEqual([
    'tahoe-mutable: two caps cannot both be "-"\n',
    2,
  ]);
  expect(await refused(['ln', 'x://future', `@${root}`, 'x'])).toEqual([
    'tahoe-mutable: child: an unknown write cap has no read cap beside it\n',
    2,
  ]);
  expect(await refused(['ln', 'URI:MDMF:aa', `@${root}`, 'x'])).toEqual([
    'tahoe-mutable: malformed cap: writekey: has 2 characters, not 26\n',
    2,
  ]);
});

test('a directory is not moved below itself, where no path would lead any more', async () => {
  await done(['mkdir', `@${root}`, 'outer', '-o', join(scratch, 'outer.cap')]);
  await done(['mkdir', `@${root}`, 'outer/inner', '-o', join(scratch, 'inner.cap')]);
  const outer = `@${join(scratch, 'outer.cap')}`;
  const problem = ['tahoe-mutable: TO: is in the directory that is to be moved there\n', 2];
  const move = ['mv', `@${root}`, 'outer'];
  expect(await refused([...move, 'outer/inner/outer'])).toEqual(problem);
  expect(await refused([...move, 'outer/outer'])).toEqual(problem);
  expect(await refused([...move, 'inner/outer', '--to', outer])).toEqual(problem);
  expect(await listing(`@${root}`, 'outer')).toEqual(['directory inner']);
  await done(['mv', `@${root}`, 'outer/inner', 'inner']);
  await done(['mv', `@${root}`, 'outer', 'inner/outer']);
  expect(await listing(`@${root}`, 'inner')).toEqual(['directory outer']);
  await done(['unlink', `@${root}`, 'inner']);
});

test('what is strange is listed as what it is, and its name moves no terminal', async () => {
  const strange = join(scratch, 'strange.cap');
  await done(['mkdir', '-o', strange]);
  const entry = (...fields: readonly string[]) =>
    netstring(concatBytes(...fields.map((field) => netstring(utf8(field)))));
  const contents = concatBytes(
    entry('\u001b[2J', 'URI:LIT:', '', '{}'),
    entry('bad', 'URI:LIT:', '', '[]'),
    entry('twice', 'URI:LIT:', '', '{}'),
    entry('twice', 'x://y', '', '{}'),
    entry('few'),
  );
  const file = join(scratch, 'contents');
  await writeFile(file, contents);
  await done(['put', `@${strange}`, file, '--raw']);
  expect(await done(['ls', `@${strange}`])).toBe(
    [
      'r-  file lit    0  "\\u001b[2J"',
      'r-  ill-formed  -  bad  (its metadata are no JSON object)',
      'r-  file lit    0  twice  (a later entry has the same name)',
      'r-  unknown     -  twice',
      'r-  ill-formed  -  few  (it has fewer than four fields)',
      '',
    ].join('\n'),
  );
});

test('what a cap points to may be said in many ways', () => {
  const cap = directoryCase('empty, SDMF').cap;
  const encoded = encodeURIComponent(cap);
  expect(addressIn(`${cap}/a%20b/ c\n`)).toEqual({ cap, names: ['a%20b', ' c'] });
  expect(addressIn(`${cap}/`)).toEqual({ cap, names: [] });
  expect(addressIn(`http://127.0.0.1:3456/uri/${encoded}/a%2Fb/?t=info`)).toEqual({
    cap,
    names: ['a/b'],
  });
  expect(addressIn(`http://127.0.0.1:3456/uri?uri=${encoded}`)).toEqual({ cap, names: [] });
  expect(addressIn('ro.x://y/z')).toEqual({ cap: 'ro.x://y/z', names: [] });
});

test('what the shell made, a program finds', async () => {
  const children = await opened((directory) => directory.list());
  expect(children.map(({ name }) => name)).toEqual(['d', 'secret', 'sub', 'x']);
});
