/**
 * @module built: the package as published, for tests that start other processes.
 *
 * Node 20 cannot run TypeScript, so the sources are transpiled once per state of the sources into
 * `node_modules/.cache`, beside a copy of package.json: there `#crypto`, `tahoe-mutable` and the
 * dependencies resolve as in the published package. No type check: that is `npm run check`.
 */
import { createHash } from 'node:crypto';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { transformSync } from 'rolldown/utils';
import { root } from './root.ts';

const ROOT = root;
const CACHE = join(ROOT, 'node_modules/.cache/tahoe-mutable-built');
/** Builds of earlier states of the sources are of no use after a while. */
const KEPT_MS = 60 * 60 * 1000;

/** The absolute path of the built `src/`: `storage/directory.js`, `cli/main.js` and so on. */
export function builtPackage(): Promise<string> {
  building ??= build();
  return building;
}
let building: Promise<string> | undefined;

async function build(): Promise<string> {
  const files = await sources();
  const target = join(CACHE, await fingerprint(files));
  const built = join(target, 'dist/src');
  if (await exists(target)) return built;
  await mkdir(CACHE, { recursive: true });
  await removeOld();
  const staged = await mkdtemp(join(CACHE, 'staged-'));
  await cp(join(ROOT, 'package.json'), join(staged, 'package.json'));
  await transpile(files, staged);
  try {
    await rename(staged, target);
  } catch {
    // Another test process was faster.
    await rm(staged, { recursive: true });
  }
  return built;
}

async function sources(): Promise<string[]> {
  const files: string[] = [];
  for (const folder of ['machines', 'src']) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) files.push(join(ROOT, folder, name));
    }
  }
  return files.sort();
}

async function fingerprint(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [
    ...files,
    ...['package.json', 'test/support/built.ts'].map((name) => join(ROOT, name)),
  ]) {
    hash
      .update(`${file}\0`)
      .update(await readFile(file))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

async function transpile(files: readonly string[], target: string): Promise<void> {
  for (const file of files) {
    const name = relative(ROOT, file);
    const out = join(target, 'dist', name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, withoutTypes(name, await readFile(file, 'utf8')));
  }
}

/**
 * `erasableSyntaxOnly` and `verbatimModuleSyntax` make each file translatable by itself: types go,
 * and nothing else.
 * @throws Error when it is no program
 */
export function withoutTypes(name: string, source: string): string {
  const { code, errors } = transformSync(name, source, {
    lang: 'ts',
    target: 'es2023',
    typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: 'rewrite' },
  });
  const [problem] = errors;
  if (problem !== undefined) throw new Error(`${name} is no program: ${problem.message}`);
  return code;
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    const status = await stat(path).catch(() => undefined);
    if (status !== undefined && status.mtimeMs < Date.now() - KEPT_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
