import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recoverableVersions } from '../../machines/servermap.ts';
import { formatCap } from '../../src/caps.ts';
import { Copying } from '../../src/cli/copy/copying.ts';
import type { FileEntry } from '../../src/cli/copy/entry.ts';
import { localPlace } from '../../src/cli/copy/local.ts';
import { gridPlace } from '../../src/cli/copy/on-grid.ts';
import { deferred } from '../../src/deferred.ts';
import type { NewChild } from '../../src/directory.ts';
import type { Grid } from '../../src/grid.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { plaintextOf } from '../../src/share/plaintext.ts';
import { runHere } from '../support/cli.ts';
import { useVectorKeys } from '../support/directories.ts';

let scratch: string;
let folder: string;
let grid: Grid;

useVectorKeys();

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-cp-'));
  folder = join(scratch, 'grid');
  await createGridFolder(folder, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  grid = await openGrid(folder);
});
afterAll(async () => {
  grid.close();
  await rm(scratch, { recursive: true });
});

async function run(...args: readonly string[]) {
  const { stdout, stderr, exit } = await runHere(['cp', ...args, '--grid', folder]);
  return [stdout.toString() + stderr.replaceAll(`${scratch}/`, ''), exit];
}

/** A new directory under an alias of its own, made with a key that is known. */
async function home(alias: string, ...children: readonly NewChild[]) {
  const directory = await grid.createDirectory({ children });
  await runHere(['add-alias', alias, directory.writeCap, '--grid', folder]);
  return directory;
}

const lit = (name: string, child = 'URI:LIT:nbswy3dp') => ({ name, child });
const here = (...names: readonly string[]) => join(scratch, ...names);
const text = (path: string) => readFile(path, 'utf8');

test('a tree is copied to a grid and back, with one edit of each directory', async () => {
  const there = await home('up');
  await mkdir(here('tree/sub/empty'), { recursive: true });
  await writeFile(here('tree/a'), 'a');
  await writeFile(here('tree/sub/b'), 'bb');
  await symlink('a', here('tree/link'));
  expect(await run('-r', here('tree'), 'up:new')).toEqual([
    '3 files, 4 bytes; 4 new directories\n',
    0,
  ]);
  const copied = await there.openDirectory('new/tree');
  expect((await copied.list()).map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'file a',
    'file link',
    'directory sub',
  ]);
  // Made, and then given all that is in it.
  const map = await copied.file!.servermap();
  expect(recoverableVersions(map).map(({ seqnum }) => seqnum)).toEqual([2]);
  expect(await run('-r', 'up:new', here('back'))).toEqual([
    '3 files, 4 bytes; 4 new directories\n',
    0,
  ]);
  expect(await text(here('back/new/tree/link'))).toBe('a');
  expect(await text(here('back/new/tree/sub/b'))).toBe('bb');
  expect(await readdir(here('back/new/tree/sub/empty'))).toEqual([]);

  // A mutable file keeps its caps; here, it is replaced.
  const before = await copied.get('a');
  await writeFile(here('tree/a'), 'changed');
  expect(await run(here('tree/a'), 'up:new/tree')).toEqual(['1 file, 7 bytes\n', 0]);
  const after = await copied.get('a');
  expect(after.caps).toEqual(before.caps);
  expect(await run('up:new/tree/a', here('back/new/tree'))).toEqual(['1 file, 7 bytes\n', 0]);
  expect(await text(here('back/new/tree/a'))).toBe('changed');
  // The contents go to another file, which has caps of its own.
  expect(await run('up:new/tree/a', 'up:copy')).toEqual(['1 file, 7 bytes\n', 0]);
  expect((await there.get('copy')).caps.read).not.toBe(after.caps.read);
  expect(await run('up:copy', 'up:new/tree/a')).toEqual(['1 file, 7 bytes\n', 0]);
  expect(await run('up:copy', 'up:copy')).toEqual(['tahoe-mutable: FROM and TO are one file\n', 2]);
});

test('immutable files are linked, not copied, and what has no name stands for what is in it', async () => {
  const to = await home('to');
  await home('from', lit('x'), { name: 'dir', child: 'URI:DIR2-LIT:' });
  expect(await run('from:x', 'to:')).toEqual(['1 file, 0 bytes, 1 of them linked\n', 0]);
  expect(await run('-r', 'from:', here('from'))).toEqual(['1 file, 5 bytes; 1 new directory\n', 0]);
  expect((await readdir(here('from'))).sort()).toEqual(['dir', 'x']);
  expect((await to.get('x')).caps.read).toBe('URI:LIT:nbswy3dp');
  expect(await run('from:x', here('from/y'))).toEqual(['1 file, 5 bytes\n', 0]);
  expect(await text(here('from/y'))).toBe('hello');
});

test('one bad entry does not end the copying, and is named', async () => {
  const names = ['..', '.', 'a/b', 'A', 'a', 'dir', 'file', '\u0000', 'good'];
  await home('bad', ...names.map((name) => lit(name)), {
    name: 'odd',
    child: { read: 'x://future' },
  });
  await mkdir(here('bad/dir'), { recursive: true });
  await symlink('a', here('bad/A'));
  await writeFile(here('bad/a'), '');
  const [output, exit] = await run('-r', 'bad:', here('bad'));
  expect(exit).toBe(1);
  expect(String(output).trimEnd().split('\n').sort()).toEqual([
    '..: ".." cannot be the name of a file here',
    '.: "." cannot be the name of a file here',
    '3 files, 15 bytes',
    '\\x00: "\\u0000" cannot be the name of a file here',
    'a/b: "a/b" cannot be the name of a file here',
    'a: "a" is one name with "A" here',
    'dir: bad/dir: is there, and is no file',
    'odd: the entry of "odd": its kind is not known',
  ]);
  expect(await text(here('bad/good'))).toBe('hello');
});

test('nothing is copied from a directory that cannot be, or into what it is not', async () => {
  const dir = await home('odd', lit('f'), { name: 'd', child: 'URI:DIR2-LIT:' });
  await dir.add('again', dir);
  await writeFile(here('f'), 'f');
  expect(await run('-r', 'odd:', here('odd'))).toEqual([
    '1 file, 5 bytes; 1 new directory\nagain: leads back to a directory that is above it, or that is copied to\n',
    1,
  ]);
  await mkdir(here('loop'));
  await symlink('.', here('loop/self'));
  await symlink('nowhere', here('loop/dangling'));
  const refusals: [readonly string[], string][] = [
    [[here('f'), here('g')], 'FROM and TO are both here; say ALIAS:PATH for what is on a grid'],
    [[here('f')], 'TO: is missing'],
    [['odd:', here('x')], 'FROM: is a directory; say --recursive'],
    [[here('f'), here('loop'), 'odd:'], 'loop: is a directory; say --recursive'],
    [['-r', 'odd:', here('f')], 'TO: is a file, and one file only can be copied to that'],
    [['odd:f', here('f/')], 'TO: is no directory, and ends with a slash'],
    [[here('f'), 'odd:d'], 'copying into a directory needs a write cap, this is a read cap'],
    [[here('none'), 'odd:'], 'none: cannot be read: no such file or directory'],
    [['URI:LIT:aa', 'odd:'], 'FROM: has no name for TO, which is a directory'],
    [['nobody:x', here('y')], 'no alias is called "nobody"; there are bad, from, odd, to, up'],
  ];
  for (const [args, problem] of refusals) {
    const exit = problem.includes('needs a write cap') ? 6 : 2;
    expect(await run(...args)).toEqual([`tahoe-mutable: ${problem}\n`, exit]);
  }
  expect(await run('odd:none', here('y'))).toEqual([
    'tahoe-mutable: no child is called "none"\n',
    4,
  ]);
  expect(await run('-r', here('loop'), 'odd:')).toEqual([
    '0 files, 0 bytes; 1 new directory\nloop/dangling: cannot be read: no such file or directory\nloop/self: leads back to a directory that is above it, or that is copied to\n',
    1,
  ]);
});

test('a grid that is among what is copied to it is passed over, by whatever path', async () => {
  const there = await home('self');
  await mkdir(here('around'));
  await symlink(folder, here('around/grid'));
  await symlink(join(folder, 's00'), here('around/server'));
  await symlink(join(folder, 's00/shares'), here('around/shares'));
  const why = 'belongs to the grid that is copied to';
  expect(await run('-r', here('around'), 'self:')).toEqual([
    `0 files, 0 bytes; 1 new directory
around/grid: ${why}
around/server: ${why}
around/shares: ${why}
`,
    1,
  ]);
  for (const path of ['grid', 'grid/s00', 'grid/s00/shares']) {
    const problem = `tahoe-mutable: ${path}: ${why}\n`;
    expect(await run('-r', here(path), 'self:')).toEqual([problem, 2]);
  }
  // What only lies beside the servers is anybody's.
  await mkdir(here('grid/notes'));
  const made = '0 files, 0 bytes; 1 new directory\n';
  expect(await run('-r', here('grid/notes'), 'self:')).toEqual([made, 0]);
  expect((await there.list()).map(({ name }) => name)).toEqual(['around', 'notes']);
});

test('what is no file makes no directory, and an empty path is none', async () => {
  const there = await home('odd');
  expect(await run('/dev/null', 'odd:null')).toEqual([
    'tahoe-mutable: /dev/null: is neither a file nor a directory\n',
    2,
  ]);
  expect(await run('', 'odd:')).toEqual(['tahoe-mutable: PATHS: one is empty\n', 2]);
  expect(await there.list()).toEqual([]);
});

test('a file over a directory, and two of one name, are refused; the rest arrives', async () => {
  const dir = await home('clash', { name: 'd', child: 'URI:DIR2-LIT:' });
  await mkdir(here('clash'));
  await writeFile(here('clash/d'), 'd');
  await writeFile(here('clash/e\u0301'), 'one');
  expect(await run(here('clash/d'), here('clash/e\u0301'), 'clash:')).toEqual([
    `1 file, 3 bytes\nclash/d: a directory is called "d" already\n`,
    1,
  ]);
  expect((await dir.list()).map(({ name }) => name)).toEqual(['d', 'é']);
});

test('what was uploaded when the copying ended, and is linked nowhere, is told', async () => {
  const dir = await home('ended');
  const ending = new AbortController();
  const copying = new Copying({ signal: ending.signal }, () => {});
  const place = await gridPlace(grid, { cap: formatCap(dir.file!.cap), names: [] }, copying);
  const arrived = deferred();
  const file = (name: string, work: FileEntry['withContents']): FileEntry => ({
    ...{ kind: 'file', name, where: name },
    pieces: () => {
      throw new Error('not wanted');
    },
    withContents: work,
  });
  const first = file('first', async (_, work) => {
    const made = await work(plaintextOf(new Uint8Array(1)));
    setImmediate(arrived.resolve);
    return made;
  });
  const second = file('second', async (_, work) => {
    await arrived.promise;
    ending.abort(new Error('enough'));
    return work(plaintextOf(new Uint8Array(1)));
  });
  await expect(copying.copy([first, second], await place.folder())).rejects.toThrow('enough');
  expect(copying.unlinked).toEqual(['first']);
  expect(await dir.list()).toEqual([]);
});

test('bytes are those of files that are there', async () => {
  const copying = new Copying({ signal: new AbortController().signal }, () => {});
  const file = (name: string, pieces: FileEntry['pieces']): FileEntry => ({
    ...{ kind: 'file', name, where: name, pieces },
    withContents: () => Promise.reject(new Error('not wanted')),
  });
  const gone = new Error('gone');
  const whole = file('whole', async function* () {
    yield new Uint8Array(2);
  });
  const broken = file('broken', async function* () {
    yield new Uint8Array(5);
    throw gone;
  });
  const place = await localPlace(here('counted'), copying);
  await copying.copy([whole, broken], await place.folder());
  expect(copying.done).toEqual({ files: 1, linked: 0, directories: 0, bytes: 2 });
  expect(copying.failed).toEqual([{ where: 'broken', error: gone }]);
  expect(await readdir(here('counted'))).toEqual(['whole']);
});
