/**
 * @module mutants: the engine with a known mistake in it, for tests that must notice.
 *
 * A mutant is the built package with a few words of one source file replaced. The words must be
 * there exactly once, so a mutant cannot silently fail to mutate when the code moves on.
 */
import { createHash } from 'node:crypto';
import { cp, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtPackage } from './built.ts';
import { root } from './root.ts';

const ROOT = root;

export interface Edit {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

type Kernels = typeof import('../../machines/publish-kernel.ts') &
  typeof import('../../machines/quorum.ts');

type Simulation = typeof import('../../src/simulation/scenario.ts') &
  typeof import('../../src/simulation/simulate.ts');

/**
 * The simulator around the engine with these edits; none for the engine as it is.
 * @param crypto which primitives: Node's, or those that a browser gets
 */
export async function simulationWith(
  edits: readonly Edit[],
  crypto: 'node' | 'portable' = 'node',
): Promise<Simulation> {
  const folder = await mutated(edits, crypto);
  const load = (module: string) =>
    import(pathToFileURL(join(folder, 'simulation', module)).href) as Promise<object>;
  return { ...(await load('scenario.js')), ...(await load('simulate.js')) } as Simulation;
}

/** The kernels of writing over a quorum, with these edits. */
export async function kernelsWith(edits: readonly Edit[]): Promise<Kernels> {
  const machines = join(await mutated(edits, 'node'), '../machines');
  const load = (module: string) =>
    import(pathToFileURL(join(machines, module)).href) as Promise<object>;
  return { ...(await load('publish-kernel.js')), ...(await load('quorum.js')) } as Kernels;
}

/** The `src/` folder of the mutant. */
async function mutated(edits: readonly Edit[], crypto: string): Promise<string> {
  const built = await builtPackage();
  const original = resolve(built, '../..');
  const name = createHash('sha256')
    .update(JSON.stringify([crypto, edits]))
    .digest('hex')
    .slice(0, 16);
  const folder = `${original}-mutant-${name}`;
  if (await exists(folder)) return join(folder, 'dist/src');
  const changed = await changedFiles(edits);
  const staged = `${folder}-${process.pid}`;
  await cp(original, staged, { recursive: true });
  for (const [file, source] of changed) {
    await writeFile(join(staged, 'dist', file.replace(/\.ts$/, '.js')), source);
  }
  // Under vitest the condition for sources is on, and here are none.
  const manifest = JSON.parse(await readFile(join(staged, 'package.json'), 'utf8'));
  manifest.imports = { '#crypto': `./dist/src/crypto/${crypto}.js` };
  await writeFile(join(staged, 'package.json'), JSON.stringify(manifest));
  // Another test process may have been faster.
  await rename(staged, folder).catch(() => {});
  return join(folder, 'dist/src');
}

/** Every file with an edit, transpiled. @throws Error when an edit does not fit, or fits twice */
async function changedFiles(edits: readonly Edit[]): Promise<ReadonlyMap<string, string>> {
  const changed = new Map<string, string>();
  for (const file of new Set(edits.map((edit) => edit.file))) {
    let source = await readFile(join(ROOT, file), 'utf8');
    for (const { from, to } of edits.filter((edit) => edit.file === file)) {
      const pieces = source.split(from);
      if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} times: ${from}`);
      source = pieces.join(to);
    }
    changed.set(file, await transpile(file, source));
  }
  return changed;
}

async function transpile(file: string, source: string): Promise<string> {
  const { default: ts } = await import('typescript');
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  };
  const options = { compilerOptions, reportDiagnostics: true };
  const { outputText, diagnostics = [] } = ts.transpileModule(source, options);
  const [problem] = diagnostics;
  if (problem === undefined) return outputText;
  throw new Error(
    `${file} is no program: ${ts.flattenDiagnosticMessageText(problem.messageText, '; ')}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
