/**
 * @module packed: the package as somebody installs it from its tarball, and the runtimes that it
 * promises, each in a folder outside of the repository.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../support/root.ts';

export const run = promisify(execFile);

/** Nothing is built, downloaded or asked beside the packages themselves. */
const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
const here = join(root, 'test/platforms');

/**
 * Installs what `npm run build` has made into `folder`, and lays the program beside it.
 * `flags` are npm's.
 */
export async function installPacked(folder: string, ...flags: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
  await run('npm', ['install', ...quiet, ...flags, `./${tarball}`], { cwd: folder });
  for (const name of ['program.mjs', 'use-grid.mjs']) {
    await copyFile(join(here, name), join(folder, name));
  }
}

/** By their names: the command that runs a file, without the file. */
export type Runtimes = Readonly<Record<string, readonly [string, ...string[]]>>;

/** Installs them as `runtimes/package-lock.json` says. @throws Error when one cannot be had */
export async function installRuntimes(folder: string): Promise<Runtimes> {
  await mkdir(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    await copyFile(join(here, 'runtimes', name), join(folder, name));
  }
  await run('npm', ['ci', ...quiet], { cwd: folder });
  const of = (path: string) => join(folder, 'node_modules', path);
  return {
    'Node 20': [of('node20/bin/node')],
    'Node 22': [of('node22/bin/node')],
    'Node 24': [of('node24/bin/node')],
    Bun: [of('@oven/bun-linux-x64/bin/bun')],
    // Of what it may be forbidden, all is allowed: also to load the addon.
    Deno: [of('@deno/linux-x64-glibc/deno'), 'run', '--allow-all'],
  };
}
