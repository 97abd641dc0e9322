/**
 * @module bundled: the command line as it is published, in a few files. Node opens and compiles
 * these in half the time that two hundred modules take, and some tests start it fifty times.
 */
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { builtPackage } from './built.ts';
import { root } from './root.ts';

/** The absolute path of `main.cjs`, beside the built package. */
export function bundledProgram(): Promise<string> {
  bundling ??= bundle();
  return bundling;
}
let bundling: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const dist = resolve(await builtPackage(), '..');
  const target = join(dist, 'bundle');
  const program = join(target, 'cli/main.cjs');
  if (await stat(program).catch(() => undefined)) return program;
  const [{ rolldown }, { default: config }] = await Promise.all([
    import('rolldown'),
    import('../../rolldown.config.ts'),
  ]);
  // Beside the target, and as deep: what the program looks for, it looks for from where it is.
  const staged = await mkdtemp(join(dist, 'staged-'));
  const { output, ...input } = config;
  const made = await rolldown({ ...input, cwd: root });
  await made.write({ ...output, dir: join(staged, 'cli') });
  await made.close();
  try {
    await rename(staged, target);
  } catch {
    // Another test process was faster.
    await rm(staged, { recursive: true });
  }
  return program;
}
