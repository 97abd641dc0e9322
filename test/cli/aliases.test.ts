import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aliasPathIn, isBarePath } from '../../src/cli/alias.ts';
import { createGridFolder } from '../../src/node.ts';
import { runHere } from '../support/cli.ts';
import { directoryCase, useVectorKeys } from '../support/directories.ts';

let scratch: string;
let grid: string;
let file: string;

useVectorKeys();

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-aliases-'));
  grid = join(scratch, 'grid');
  file = join(grid, 'private', 'aliases');
  await createGridFolder(grid, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  await done(['create-alias', 'home:', '--format', 'sdmf']);
});
afterAll(() => rm(scratch, { recursive: true }));

async function done(args: readonly string[], stdin = ''): Promise<string> {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', grid], stdin);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  return stdout.toString();
}

async function refused(args: readonly string[], stdin = ''): Promise<readonly [string, unknown]> {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', grid], stdin);
  expect(stdout.toString()).toBe('');
  return [stderr.replace('tahoe-mutable: ', ''), exit];
}

test('an alias stands for its directory wherever a cap is taken', async () => {
  await done(['ln', 'URI:LIT:nbswy3dp', 'home:hello']);
  await done(['mkdir', 'home:docs', '-o', join(scratch, 'docs.cap')]);
  const made = await done(['create', '-'], 'one');
  await done(['ln', '-', 'home:docs', 'note'], made);
  expect(await done(['ls', 'home:'])).toBe(
    'rw  directory mdmf  -  docs\nr-  file lit        5  hello\n',
  );
  expect(await done(['get', 'home:docs/note'])).toBe('one');
  await done(['put', 'home:docs/note', '-'], 'two');
  await done(['append', 'home:docs/note', '-'], ' three');
  expect(await done(['get', 'home:docs', 'note'])).toBe('two three');
  expect(await done(['check', 'home:docs/note'])).toMatch(/^version 3: /m);
  expect(await done(['servermap', 'home:docs/note'])).toMatch(/^version 3/m);
  expect(JSON.parse(await done(['cap', 'home:', '--json']))).toMatchObject({
    kind: 'write',
    format: 'sdmf',
    directory: true,
  });
  expect(await done(['cap', 'home:docs/note', '--json'])).toBe(
    await done(['cap', '-', '--json'], made),
  );
});

test('two paths behind aliases are moved and linked as Tahoe does', async () => {
  await done(['add-alias', 'other', 'home:docs']);
  await done(['ln', 'URI:LIT:nbswy3dp', 'home:from']);
  await done(['ln', 'home:from', 'other:again']);
  await done(['mv', 'home:from', 'other:to']);
  await done(['mv', 'other:to', 'home:']);
  await done(['mv', 'home:to', 'home:back']);
  expect(await done(['get', 'home:back'])).toBe('hello');
  expect(await done(['ls', 'other:'])).toContain('file lit   5  again\n');
  await done(['unlink', 'home:back']);
  expect(await refused(['mv', 'home:a', 'home:b', '--to', 'other:'])).toEqual([
    '--to: TO is missing, the path in that directory\n',
    2,
  ]);
});

test('an alias that nobody has made is named, and so are those that there are', async () => {
  for (const args of [
    ['ls', 'hmoe:docs'],
    ['cap', 'hmoe:'],
    ['ln', 'hmoe:x', 'home:x'],
  ]) {
    const [stderr, exit] = await refused(args);
    expect(stderr).toMatch(/^no alias is called "hmoe"; there are home/);
    expect(exit).toBe(2);
  }
  const { stdout } = await runHere(['ls', 'hmoe:docs', '--json', '--grid', grid]);
  expect(JSON.parse(stdout.toString()).error).toMatchObject({
    code: 'UnknownAliasError',
    facts: { alias: 'hmoe' },
  });
});

test('aliases are Tahoe’s own: lines that it has written are read, and all of them stay', async () => {
  const node = join(scratch, 'node');
  const theirs = '# mine\n\nhome: URI:LIT:\nwork:URI:DIR2-LIT:\nno colon\nhome: URI:DIR2-LIT:';
  await createGridFolder(node, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  await writeFile(join(node, 'private/aliases'), theirs);
  await writeFile(join(node, 'private/root_dir.cap'), 'URI:DIR2-LIT:\n');
  const run = async (...args: string[]) =>
    (await runHere([...args, '--grid', node])).stdout.toString();
  expect(await run('list-aliases')).toBe(
    ['home', 'tahoe', 'work'].map((name) => `r-  directory lit  ${name}:\n`).join(''),
  );
  expect(await run('ls', 'home:')).toBe('');
  await run('add-alias', 'new', 'work:');
  expect(await readFile(join(node, 'private/aliases'), 'utf8')).toBe(
    `${theirs}\nnew: URI:DIR2-LIT:\n`,
  );
  expect((await stat(join(node, 'private/aliases'))).mode & 0o777).toBe(0o600);
  await run('remove-alias', 'home');
  expect(await readFile(join(node, 'private/aliases'), 'utf8')).toBe(
    '# mine\n\nwork:URI:DIR2-LIT:\nno colon\nnew: URI:DIR2-LIT:\n',
  );
  expect((await runHere(['remove-alias', 'tahoe', '--grid', node])).stderr).toContain(
    'private/root_dir.cap: has tahoe: remove that file\n',
  );
});

test('caps of aliases are shown only to who asks for them', async () => {
  const [, cap] = /^home: (URI:DIR2:.*)$/m.exec(await readFile(file, 'utf8')) ?? [];
  for (const more of [[], ['--json']]) {
    expect(await done(['list-aliases', ...more])).not.toMatch(/URI:|[a-z2-7]{26}/);
    expect(await done(['list-aliases', '--caps', ...more])).toContain(cap);
  }
});

test('a malformed cap is told by its file or its alias, and never by itself', async () => {
  const bad = `@${join(scratch, 'bad')}`;
  await writeFile(bad.slice(1), 'URI:DIR2:aa');
  const aliases = await readFile(file, 'utf8');
  await writeFile(file, `${aliases}cut: URI:DIR2:aa\n`, { mode: 0o600 });
  const problem = 'malformed cap: writekey: has 2 characters, not 26\n';
  for (const [args, where] of [
    [['ls', 'cut:'], 'cut:'],
    [['get', 'cut:a'], 'cut:a'],
    [['check', bad], bad],
    [['ln', bad, 'home:', 'x'], bad],
    [['ln', 'home:', bad, 'x'], bad],
    [['cp', '-r', bad, 'home:', scratch], bad],
    [['cp', '-r', scratch, bad], bad],
  ] as const) {
    expect(await refused(args)).toEqual([`${where}: ${problem}`, 2]);
  }
  expect(await refused(['ls', 'URI:DIR2:aa'])).toEqual([problem, 2]);
  const renewed = await runHere(['lease', 'renew', bad, '--grid', grid]);
  expect(renewed.stdout.toString()).toBe(`${bad}: ${problem}`);
  const json = await runHere(['ln', bad, 'home:', 'x', '--grid', grid, '--json']);
  expect(JSON.parse(json.stdout.toString()).error).toEqual({
    code: 'MalformedCapError',
    message: `${bad}: ${problem.trim()}`,
    facts: { field: 'writekey', problem: 'has 2 characters, not 26', where: bad },
  });
  await writeFile(file, aliases);
});

test('a path alone begins at the alias tahoe, if there is one', async () => {
  expect(await refused(['ls', 'hello'])).toEqual([
    'malformed cap: prefix: does not begin with "URI:"\n',
    2,
  ]);
  await done(['add-alias', 'tahoe', 'home:']);
  expect(await done(['ls', 'hello'])).toBe('r-  file lit  5  hello\n');
  expect(await done(['ls'])).toBe(await done(['ls', 'home:']));
  await done(['remove-alias', 'tahoe']);
  expect((await refused(['ls']))[0]).toMatch(/^no alias is called "tahoe"; there are home/);
});

test('a name that is taken, and one that would be taken for something else, is refused', async () => {
  const before = await readFile(file);
  const dir = directoryCase('empty, SDMF').inner_cap;
  const taken = [
    'the alias home is there already; if it leads to no directory: remove-alias home, then again\n',
    5,
  ];
  expect(await refused(['add-alias', 'home', 'home:docs'])).toEqual(taken);
  expect(await refused(['create-alias', 'home'])).toEqual(taken);
  for (const [name, problem] of [
    ['', 'has no name'],
    ['a:b', 'has a colon, a slash or a blank in its name'],
    ['a/b', 'has a colon, a slash or a blank in its name'],
    ['a b', 'has a colon, a slash or a blank in its name'],
    ['@a', 'begins with @'],
    ['#a', 'begins with #'],
    ['URI', 'looks like the beginning of a cap'],
    [dir, 'has a colon, a slash or a blank in its name'],
  ] as const) {
    expect(await refused(['add-alias', name, 'home:'])).toEqual([`alias: ${problem}\n`, 2]);
  }
  expect(await refused(['add-alias', 'x', 'URI:LIT:'])).toEqual([
    'DIR: is no cap that a directory can be listed with\n',
    2,
  ]);
  expect((await refused(['add-alias', 'x', 'URI:DIR2:aa']))[0]).toMatch(/^malformed cap: writekey/);
  expect(await refused(['remove-alias', 'nobody'])).toEqual([
    expect.stringMatching(/^no alias is called "nobody"; there are home/),
    2,
  ]);
  expect(await readFile(file)).toEqual(before);
});

test('a directory that could not be made leaves its cap, and says how to make another', async () => {
  const node = join(scratch, 'failing');
  await createGridFolder(node, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  const server = (await readdir(node)).find((name) => /^s\d/.test(name)) as string;
  const shares = join(node, server, 'shares');
  await rm(shares, { recursive: true, force: true });
  await writeFile(shares, 'no folder');
  const run = (...args: string[]) => runHere([...args, '--grid', node]);
  const { stderr, exit } = await run('create-alias', 'home');
  expect(exit).toBe(1);
  expect(stderr.split('\n')[0]).toBe(
    'home: is kept, and may lead to no directory; to make another: remove-alias home, then again',
  );
  const kept = join(scratch, 'kept.cap');
  const made = await run('create', '-o', kept);
  expect([made.stderr.split('\n')[0], made.exit]).toEqual([
    `${kept}: is kept; what it holds the cap of may not be there`,
    1,
  ]);
  expect(await readFile(kept, 'utf8')).toMatch(/^URI:/);
  const again = await run('create-alias', 'home', '--json');
  expect([JSON.parse(again.stdout.toString()).error, again.exit]).toEqual([
    {
      code: 'NameTakenError',
      message: expect.stringContaining('remove-alias home, then again'),
      facts: { kind: 'alias', name: 'home' },
    },
    5,
  ]);
  await rm(shares);
  expect((await run('remove-alias', 'home')).exit).toBe(0);
  expect((await run('create-alias', 'home')).exit).toBe(0);
  expect((await run('ls', 'home:')).exit).toBe(0);
});

test('an alias that cannot be kept makes no directory', async () => {
  const node = join(scratch, 'blocked');
  await createGridFolder(node, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  await mkdir(join(node, 'private', 'aliases'));
  const aliases = join(node, 'private', 'aliases');
  const create = async () => {
    const { stderr, exit } = await runHere(['create-alias', 'home', '--grid', node]);
    return [stderr, exit];
  };
  expect(await create()).toEqual([`tahoe-mutable: ${aliases}: is not a regular file\n`, 2]);
  await rm(aliases, { recursive: true });
  await symlink('no/where', aliases);
  // As what a command cannot write elsewhere: `create -o`, `get -o`.
  expect(await create()).toEqual([
    `tahoe-mutable: ${aliases}: cannot be written: no such file or directory\n`,
    1,
  ]);
});

test('what is no alias stays what it was', () => {
  const cap = directoryCase('empty, SDMF').cap;
  const none = [cap, `ro.${cap}`, 'http://h/uri/x', 'x://y', './a:b', 'a/b:c', '@file:x', '-', 'a'];
  expect(none.filter((text) => aliasPathIn(text) !== undefined)).toEqual([]);
  expect(aliasPathIn('home:')).toEqual({ alias: 'home', path: '' });
  expect(aliasPathIn('höme:a b/c:d\n')).toEqual({ alias: 'höme', path: 'a b/c:d' });
  expect(['a', 'a/b', './a:b', '-', '@a', cap, encodeURIComponent(cap)].filter(isBarePath)).toEqual(
    ['a', 'a/b'],
  );
});
