import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { replaceFile } from '../../src/storage/atomic-file.ts';
import { temporaryPathIn } from '../../src/storage/left-behind.ts';
import { builtPackage } from '../support/built.ts';
import { runCli } from '../support/cli.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-left-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that has begun to write `target`, and never goes on. */
async function stuckWriter(target: string) {
  const atomicFile = join(await builtPackage(), 'storage/atomic-file.js');
  const script = `
    import { replaceFile } from ${JSON.stringify(atomicFile)};
    await replaceFile(${JSON.stringify(target)}, (async function* () {
      yield Buffer.from('the plaintext');
      process.stdout.write('begun');
      await new Promise((resolve) => setInterval(resolve, 2 ** 31 - 1));
    })());`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('what a killed get left is swept by the next one, unlike what a living one writes', async () => {
  const grid = join(folder, 'grid');
  await createGridFolder(grid, { servers: 2, encoding: { required: 1, happy: 2, total: 2 } });
  const { writeCap } = await (await openGrid(grid)).create({ contents: utf8('hello') });
  const [dead, living] = await Promise.all([
    stuckWriter(join(folder, 'dead')),
    stuckWriter(join(folder, 'living')),
  ]);
  try {
    dead.kill('SIGKILL');
    await once(dead, 'close');
    const left = (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
    expect(left.map((name) => name.split('-')[3])).toEqual(
      expect.arrayContaining([String(dead.pid), String(living.pid)]),
    );
    const of = (pid?: number) => left.find((name) => name.includes(`-${pid}-`)) as string;
    expect(await readFile(join(folder, of(dead.pid)), 'utf8')).toBe('the plaintext');
    const out = join(folder, 'out');
    const args = ['get', '-', '-o', out, '--grid', grid];
    expect(await runCli(args, { stdin: writeCap })).toMatchObject({ stderr: '', exit: 0 });
    expect((await readdir(folder)).sort()).toEqual([of(living.pid), 'grid', 'out']);
  } finally {
    living.kill('SIGKILL');
  }
});

test('nothing is swept that only looks like ours, and nothing behind a link', async () => {
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'close');
  const ours = basename(temporaryPathIn(folder)).replace(`-${process.pid}-`, `-${gone.pid}-`);
  const machine = ours.split('-')[2] as string;
  const others = [
    ours.replace(machine, '01234567'),
    ours.replace('.tahoe', 'tahoe'),
    `${ours}.bak`,
    ours.replace(String(gone.pid), `0${gone.pid}`),
    ours.replace(String(gone.pid), String(process.pid)),
    ours.replace(String(gone.pid), '1'),
  ];
  for (const name of others) await writeFile(join(folder, name), 'of somebody');
  const treasure = join(folder, 'treasure');
  await writeFile(treasure, 'kept');
  const link = ours.replace(/[0-9a-f]{12}\.tmp$/, 'aaaaaaaaaaaa.tmp');
  await symlink(treasure, join(folder, link));
  await writeFile(join(folder, ours), 'left behind');
  await replaceFile(join(folder, 'new'), [utf8('new')]);
  expect((await readdir(folder)).sort()).toEqual([...others, link, 'new', 'treasure'].sort());
  expect(await readFile(treasure, 'utf8')).toBe('kept');
});
