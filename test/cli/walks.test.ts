import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import { formatCap, storageIndexOf } from '../../src/caps.ts';
import { WalkLog } from '../../src/cli/walk-log.ts';
import type { Directory } from '../../src/directory.ts';
import { BadResumeFileError } from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import type { WalkRecord } from '../../src/walk/record.ts';
import { runHere, startCli } from '../support/cli.ts';
import { vectorKey } from '../support/directories.ts';
import { lit, type TahoeLine, walkVectors } from '../support/trees.ts';

let scratch: string;
let grid: string;
let root: string;
let cap: string;
let tree: { readonly a: MutableFile; readonly b: MutableFile; readonly sub: Directory };

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-walks-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid, { servers: 2, encoding: { required: 1, happy: 2, total: 2 } });
  const opened = await openGrid(grid);
  const a = await opened.create({ key: await vectorKey(1), contents: new Uint8Array(20) });
  const b = await opened.create({ key: await vectorKey(2), format: 'sdmf' });
  const sub = await opened.createDirectory({
    key: await vectorKey(3),
    children: [{ name: 'b', child: b }],
  });
  const directory = await opened.createDirectory({
    key: await vectorKey(4),
    children: [
      { name: 'a', child: a },
      { name: 'hello', child: lit('hello') },
      { name: 's/b', child: sub },
      { name: 'x', child: { read: 'ro.x-future:y' } },
    ],
  });
  opened.close();
  tree = { a, b, sub };
  cap = directory.writeCap;
  root = join(scratch, 'root.cap');
  await writeFile(root, cap);
});
afterAll(() => rm(scratch, { recursive: true }));

async function run(...args: readonly string[]) {
  const { stdout, stderr, exit } = await runHere([...args, '--grid', grid]);
  return { stdout: stdout.toString(), stderr, exit };
}

async function linesOf(...args: readonly string[]) {
  const { stdout, stderr, exit } = await run(...args, '--json');
  const lines = stdout.split('\n').slice(0, -1);
  return { lines: lines.map((line) => JSON.parse(line) as TahoeLine), stderr, exit };
}

/** Where a server keeps the shares of a file. */
function sharesOf(server: number, file: MutableFile): string {
  const index = toBase32(storageIndexOf(file.cap));
  const name = `s${String(server).padStart(2, '0')}`;
  return join(grid, name, 'shares', index.slice(0, 2), index);
}

/** A file without its shares on the first server, while `work` goes on. */
async function short<T>(file: MutableFile, servers: readonly number[], work: () => Promise<T>) {
  const kept = await Promise.all(
    servers.map(async (server) => {
      const share = join(sharesOf(server, file), String(await shnumOn(server, file)));
      const bytes = await readFile(share);
      await rm(share);
      return { share, bytes };
    }),
  );
  try {
    return await work();
  } finally {
    for (const { share, bytes } of kept) await writeFile(share, bytes);
  }
}

async function shnumOn(server: number, file: MutableFile): Promise<number> {
  for (const shnum of [0, 1]) {
    if (await stat(join(sharesOf(server, file), `${shnum}`)).catch(() => undefined)) return shnum;
  }
  throw new Error(`no share on server ${server}`);
}

describe('manifest', () => {
  test('lists caps and paths', async () => {
    expect(await run('manifest', `@${root}`)).toEqual({
      stdout: [
        `${cap} /`,
        'ro.x-future:y x',
        `${tree.a.writeCap} a`,
        `${lit('hello')} hello`,
        `${tree.sub.writeCap} "s/b"`,
        `${tree.b.writeCap} "s/b"/b`,
        '',
      ].join('\n'),
      ...{ stderr: '', exit: 0 },
    });
    expect((await run('manifest', tree.sub.readCap)).stdout.split('\n')).toEqual([
      `${tree.sub.readCap} /`,
      `${tree.b.readCap} b`,
      '',
    ]);
  });

  test('as JSON has a line for each object, with the fields of Tahoe, and the numbers at last', async () => {
    const { lines, exit } = await linesOf('manifest', `@${root}`);
    expect(lines.map(({ path }) => path)).toEqual([
      ...[[], ['x'], ['a'], ['hello'], ['s/b'], ['s/b', 'b'], undefined],
    ]);
    const [first] = walkVectors['stream-manifest'];
    expect(Object.keys(lines[0]!).slice(0, 7)).toEqual(['schema', ...Object.keys(first!)]);
    expect(lines[2]).toEqual({
      schema: 1,
      ...{ path: ['a'], cap: tree.a.writeCap, type: 'file', verifycap: tree.a.verifyCap },
      ...{ repaircap: tree.a.writeCap, 'storage-index': toBase32(storageIndexOf(tree.a.cap)) },
      ...{ mutable: true, format: 'mdmf' },
    });
    expect(lines.at(-1)).toMatchObject({ type: 'stats', stats: { 'count-files': 3 } });
    expect(exit).toBe(0);
  });

  test('names what cannot be read, and goes on', async () => {
    const { stdout, stderr, exit } = await short(tree.sub.file!, [0, 1], () =>
      run('manifest', `@${root}`),
    );
    expect(stdout).toMatch(/"s\/b" {2}\(cannot be read: [^\n]*\)\n$/);
    expect(stderr).toBe('one directory could not be read: what is below is not known\n');
    expect(exit).toBe(1);
  });
});

test('stats counts', async () => {
  const { stdout, exit } = await run('stats', `@${root}`);
  expect(stdout.split('\n').slice(0, 6)).toEqual([
    'count-immutable-files       0',
    'count-mutable-files         2',
    'count-literal-files         1',
    'count-files                 3',
    'count-directories           2',
    'count-unknown               1',
  ]);
  expect(stdout).toContain('\nfiles of 4-10 bytes         1\n');
  expect(exit).toBe(0);
  const { lines } = await linesOf('stats', `@${root}`);
  expect(lines).toMatchObject([{ type: 'stats', stats: { 'count-files': 3 } }]);
});

describe('deep-check', () => {
  test('says of each object whether it is whole', async () => {
    expect(await run('deep-check', `@${root}`, '--verify')).toEqual({
      stdout: [
        'healthy      /',
        'healthy      x',
        'healthy      a',
        'healthy      hello',
        'healthy      "s/b"',
        'healthy      "s/b"/b',
        '4 objects checked: 4 healthy, 0 not healthy',
        '',
      ].join('\n'),
      ...{ stderr: '', exit: 0 },
    });
  });

  test('exits with 3 for what is not whole, and repairs it if asked to', async () => {
    const found = await short(tree.a, [0], () => run('deep-check', `@${root}`));
    expect(found.stdout).toContain('not healthy  a  (1 shares (enc 1-of-2))\n');
    expect(found.stdout).toContain('\n4 objects checked: 3 healthy, 1 not healthy\n');
    expect(found.exit).toBe(3);
    const refused = await short(tree.b, [0], () => run('deep-check', tree.sub.readCap, '--repair'));
    expect(refused.stdout).toContain(
      'not healthy  b  (1 shares (enc 1-of-2); not repaired: ' +
        'repairing needs a write cap, this is a read cap)\n' +
        '2 objects checked: 1 healthy, 1 not healthy; 1 not repaired\n',
    );
    expect(refused.exit).toBe(3);
    const { lines, exit } = await short(tree.a, [0], () =>
      linesOf('deep-check', `@${root}`, '--repair'),
    );
    expect(lines.find(({ path }) => path?.[0] === 'a')).toMatchObject({
      healthy: true,
      'check-and-repair-results': {
        'repair-attempted': true,
        'repair-successful': true,
        'pre-repair-results': { results: { healthy: false } },
        'post-repair-results': { results: { healthy: true } },
      },
    });
    expect(lines.at(-1)).toMatchObject({
      'count-objects-unhealthy-pre-repair': 1,
      'count-objects-unhealthy-post-repair': 0,
      'count-repairs-successful': 1,
    });
    expect(exit).toBe(0);
  });

  test('as JSON has the fields of Tahoe, and caps for those who ask', async () => {
    const { lines } = await linesOf('deep-check', `@${root}`);
    expect(JSON.stringify(lines)).not.toMatch(/URI:(?!\w+(-MDMF)?-Verifier:)/);
    expect(lines[3]).toMatchObject({ 'check-results': { results: { healthy: true } } });
    const told = await linesOf('deep-check', `@${root}`, '--caps', '--repair');
    const [tahoes] = walkVectors['stream-deep-check&repair=true'];
    expect(Object.keys(told.lines[0]!)).toEqual(expect.arrayContaining(Object.keys(tahoes!)));
    expect(told.lines[0]).toMatchObject({ cap, repaircap: cap });
    const results = told.lines.map((line) => line['check-and-repair-results']);
    expect(Object.keys(results[0] as object)).toEqual(
      Object.keys(tahoes!['check-and-repair-results'] as object),
    );
    expect(results[1]).toEqual({ 'storage-index': '', 'repair-attempted': false });
  });

  test('exits with 1 where the directory itself cannot be read', async () => {
    const { stdout, exit } = await short(tree.sub.file!, [0, 1], () =>
      run('deep-check', tree.sub.writeCap),
    );
    expect(stdout).toMatch(/^not healthy {2}\/ {2}\(no versions are recoverable; cannot be read: /);
    expect(exit).toBe(1);
    expect(await run('deep-check', formatCap(tree.a.cap))).toEqual({
      stdout: '',
      ...{ stderr: expect.stringContaining('is that of a file'), exit: 2 },
    });
  });
});

describe('--resume', () => {
  const log = (name: string) => join(scratch, name);

  test('keeps what was done, for its owner alone, and no cap that gives anything', async () => {
    const path = log('whole');
    const first = await run('deep-check', `@${root}`, '--resume', path);
    expect(first.exit).toBe(0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const kept = await readFile(path, 'utf8');
    expect(kept).not.toMatch(/URI:(?!\w+(-MDMF)?-Verifier:)/);
    expect(kept.split('\n')).toHaveLength(1 + 6 + 1 + 1);
    expect(await run('deep-check', `@${root}`, '--resume', path)).toEqual({
      stdout: '4 objects checked: 4 healthy, 0 not healthy\n',
      ...{ stderr: `${path}: this walk was finished before\n`, exit: 0 },
    });
    expect(await readFile(path, 'utf8')).toBe(kept);
  });

  test('goes on wherever it was cut off, and tells the numbers of the whole', async () => {
    const path = log('cut');
    const whole = await linesOf('deep-check', `@${root}`, '--resume', path);
    const kept = (await readFile(path, 'utf8')).split('\n');
    for (let cut = 1; cut <= 7; cut++) {
      // In the middle of a line, too, as a power failure would.
      const torn = cut === 3 ? kept[cut]!.slice(0, 20) : '';
      await writeFile(path, `${kept.slice(0, cut).join('\n')}\n${torn}`);
      const rest = await linesOf('deep-check', `@${root}`, '--resume', path);
      expect(rest.lines.map((line) => line.path)).toEqual(
        whole.lines.slice(cut - 1).map((line) => line.path),
      );
      expect(rest.lines.at(-1)).toEqual(whole.lines.at(-1));
      expect((await readFile(path, 'utf8')).split('\n')).toEqual(kept);
    }
  });

  test('goes on after a kill, with no object left out, and one at most told twice', async () => {
    const opened = await openGrid(grid);
    const children = Array.from({ length: 200 }, (_, i) => ({
      name: `${1000 + i}`,
      child: lit(`${i}`),
    }));
    const many = await opened.createDirectory({ key: await vectorKey(5), children });
    opened.close();
    const args = ['manifest', many.writeCap, '--grid', grid, '--resume', log('killed')];
    const { child, ended } = await startCli(args);
    let seen = 0;
    child.stdout?.on('data', (piece: Buffer) => {
      seen += piece.length;
      if (seen > 2000) child.kill('SIGKILL');
    });
    const first = (await ended).stdout.toString().split('\n').slice(0, -1);
    const second = (await run(...args)).stdout.split('\n').slice(0, -1);
    const whole = [`${many.writeCap} /`, ...children.map((it) => `${it.child} ${it.name}`)];
    expect([...first, ...second.filter((line) => line !== first.at(-1))]).toEqual(whole);
    expect(await readFile(log('killed'), 'utf8')).toMatch(/\n{"finished":true}\n$/);
  });

  test('is of one walk at a time', async () => {
    const task = { command: 'stats', root: '', options: [] };
    const record = { path: [], kind: 'directory' } as const;
    const seen: WalkRecord[] = [];
    const logs = [];
    for (let i = 0; i < 2; i++) {
      logs.push(await WalkLog.open(log('two'), task, (it) => seen.push(it)));
      await logs[i]!.add(record);
    }
    expect(seen).toEqual([record]);
    await expect(logs[0]!.add(record)).rejects.toEqual(
      new BadResumeFileError(log('two'), 'somebody else writes to it'),
    );
    await Promise.all(logs.map((it) => it.close()));
  });

  test('refuses a file of something else, and one that is damaged, by its name', async () => {
    const path = log('other');
    await run('stats', `@${root}`, '--resume', path);
    const refused = async (...args: readonly string[]) => {
      const { stdout, stderr, exit } = await run(...args, '--resume', path);
      expect([stdout, exit]).toEqual(['', 2]);
      return stderr.replace(`tahoe-mutable: ${path}: `, '').trimEnd();
    };
    expect(await refused('manifest', `@${root}`)).toBe(
      'is of another walk: stats of this directory',
    );
    expect(await refused('stats', tree.sub.readCap)).toBe(
      'is of another walk: stats of another directory',
    );
    const kept = await readFile(path, 'utf8');
    for (const [text, problem] of [
      ['my diary\n', 'is not the file of a walk'],
      ['{"version":1}\n', 'is not the file of a walk'],
      ['no line', 'is not the file of a walk'],
      [kept.replace('"version":1', '"version":9'), 'is of another version of this program'],
      [`${kept}{}\n`, 'line 9: follows the end'],
      [kept.replace('"kind":"unknown"', '"kind":"known"'), 'line 3: is no record of a walk'],
      [kept.replace('{"path":["a"]', '{"path":[1]'), 'line 4: is no record of a walk'],
      [kept.replace('{"path":["a"]', '[]{'), 'line 4: is no record of a walk'],
    ] as const) {
      await writeFile(path, text);
      expect(await refused('stats', `@${root}`)).toBe(problem);
      expect(await readFile(path, 'utf8')).toBe(text);
    }
    const { stderr, exit } = await run('stats', `@${root}`, '--resume', scratch);
    expect([stderr, exit]).toEqual([
      `tahoe-mutable: ${scratch}: cannot be read: illegal operation on a directory\n`,
      2,
    ]);
  });
});
