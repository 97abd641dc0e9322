/**
 * @module mutants: the engine with a known mistake in it, for tests that must notice.
 *
 * A mutant is the built package with a few words of one source file replaced. The words must be
 * there exactly once, so a mutant cannot silently fail to mutate when the code moves on. Modules that
 * do not come to import what is replaced are those of every other mutant, loaded once.
 */
import { createHash } from 'node:crypto';
import {
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtPackage, withoutTypes } from './built.ts';
import { root } from './root.ts';

const ROOT = root;

export interface Edit {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

type Kernels = typeof import('../../machines/publish-kernel.ts') &
  typeof import('../../machines/quorum.ts') & {
    readonly repair: typeof import('../../machines/repair-kernel.ts');
  };

type Simulation = typeof import('../../src/simulation/scenario.ts') &
  typeof import('../../src/simulation/simulate.ts');

/**
 * The simulator around the engine with these edits; none for the engine as it is.
 * @param crypto which primitives: Node's, or those that a browser gets
 */
export async function simulationWith(
  edits: readonly Edit[],
  crypto: Crypto = 'node',
): Promise<Simulation> {
  const folder = await mutated(edits, crypto);
  const load = (module: string) =>
    import(pathToFileURL(join(folder, 'simulation', module)).href) as Promise<object>;
  return { ...(await load('scenario.js')), ...(await load('simulate.js')) } as Simulation;
}

/** The kernels of writing and repairing over a quorum, with these edits. */
export async function kernelsWith(edits: readonly Edit[]): Promise<Kernels> {
  const machines = join(await mutated(edits, 'node'), '../machines');
  const load = (module: string) =>
    import(pathToFileURL(join(machines, module)).href) as Promise<object>;
  const repair = await load('repair-kernel.js');
  const rest = { ...(await load('publish-kernel.js')), ...(await load('quorum.js')) };
  return { ...rest, repair } as Kernels;
}

/** The `src/` folder of the mutant. */
async function mutated(edits: readonly Edit[], crypto: Crypto): Promise<string> {
  const whole = await wholeWith(crypto);
  if (edits.length === 0) return join(whole, 'dist/src');
  const name = createHash('sha256').update(JSON.stringify(edits)).digest('hex').slice(0, 16);
  const folder = `${whole}-${name}`;
  if (await exists(folder)) return join(folder, 'dist/src');
  const changed = await changedFiles(edits);
  await stage(folder, async (staged) => {
    const modules = await modulesOf(whole);
    const affected = importersOf(new Set(changed.keys()), modules);
    await link(join(whole, 'package.json'), join(staged, 'package.json'));
    for (const folder of new Set([...modules.keys()].map(dirname))) {
      await mkdir(join(staged, 'dist', folder), { recursive: true });
    }
    for (const module of modules.keys()) {
      const [from, to] = [join(whole, 'dist', module), join(staged, 'dist', module)];
      const source = changed.get(module);
      if (source !== undefined) await writeFile(to, source);
      // A file of its own is a module of its own; what is behind a symbolic link is loaded once.
      else if (affected.has(module)) await link(from, to);
      else await symlink(from, to);
    }
  });
  return join(folder, 'dist/src');
}

type Crypto = 'node' | 'portable';

/** The built package with these primitives, and nothing else changed. */
async function wholeWith(crypto: Crypto): Promise<string> {
  const original = resolve(await builtPackage(), '../..');
  const folder = `${original}-mutant-${crypto}`;
  if (await exists(folder)) return folder;
  await stage(folder, async (staged) => {
    for (const part of ['src', 'machines']) {
      await cp(join(original, 'dist', part), join(staged, 'dist', part), { recursive: true });
    }
    // Under vitest the condition for sources is on, and here are none.
    const manifest = JSON.parse(await readFile(join(original, 'package.json'), 'utf8'));
    manifest.imports = { '#crypto': `./dist/src/crypto/${crypto}.js` };
    await writeFile(join(staged, 'package.json'), JSON.stringify(manifest));
  });
  return folder;
}

/** Fills `folder`, which is there when all is in it. */
async function stage(folder: string, fill: (staged: string) => Promise<void>): Promise<void> {
  const staged = `${folder}-${process.pid}`;
  await mkdir(staged);
  await fill(staged);
  // Another test process may have been faster.
  await rename(staged, folder).catch(() => rm(staged, { recursive: true }));
}

/** Every module, from `dist/`, with those that it imports. */
function modulesOf(whole: string): Promise<Modules> {
  const known = modules.get(whole) ?? readModules(join(whole, 'dist'));
  modules.set(whole, known);
  return known;
}
type Modules = ReadonlyMap<string, readonly string[]>;
const modules = new Map<string, Promise<Modules>>();

async function readModules(dist: string): Promise<Modules> {
  const found = new Map<string, readonly string[]>();
  for (const module of await readdir(dist, { recursive: true })) {
    if (!module.endsWith('.js')) continue;
    const source = await readFile(join(dist, module), 'utf8');
    // Relative names in quotes are modules; one that were none would do no harm.
    const imports = [...source.matchAll(/['"](\.{1,2}\/[^'"]+\.js)['"]/g)].map(([, name = '']) =>
      join(dirname(module), name),
    );
    if (/['"]#crypto['"]/.test(source))
      imports.push('src/crypto/node.js', 'src/crypto/portable.js');
    found.set(module, imports);
  }
  return found;
}

/** These and all whose imports lead to them. */
function importersOf(changed: ReadonlySet<string>, modules: Modules): ReadonlySet<string> {
  const affected = new Set(changed);
  // A set goes on with what is added meanwhile.
  for (const one of affected) {
    for (const [module, imports] of modules) if (imports.includes(one)) affected.add(module);
  }
  return affected;
}

/** Every file with an edit, transpiled, by its name in `dist/`. @throws Error when an edit does not fit, or fits twice */
async function changedFiles(edits: readonly Edit[]): Promise<ReadonlyMap<string, string>> {
  const changed = new Map<string, string>();
  for (const file of new Set(edits.map((edit) => edit.file))) {
    let source = await readFile(join(ROOT, file), 'utf8');
    for (const { from, to } of edits.filter((edit) => edit.file === file)) {
      const pieces = source.split(from);
      if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} times: ${from}`);
      source = pieces.join(to);
    }
    changed.set(file.replace(/\.ts$/, '.js'), withoutTypes(file, source));
  }
  return changed;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
