/**
 * Programs that use all of the package, compiled against the packed one as strictly as TypeScript
 * can, by the oldest that is supported and by the newest.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { newProject, root } from './packed.ts';

const project = newProject();
afterAll(() => project.remove());
cpSync(`${root}test/types/consumer`, project.folder, { recursive: true });
writeFileSync(join(project.folder, 'package.json'), JSON.stringify({ type: 'module' }));

const dom = ['DOM', 'DOM.Iterable'];
const onNode = { types: ['node'], files: ['core.ts', 'machines.ts', 'node.ts', 'testing.ts'] };
const inBrowser = { types: [], files: ['core.ts'] };

interface Setting {
  readonly module: string;
  readonly moduleResolution: string;
  readonly libraries: readonly string[];
  readonly types: readonly string[];
  readonly files: readonly string[];
}

const settings: readonly (readonly [string, Setting])[] = [
  ['node16, without DOM', { ...resolvedBy('node16'), libraries: [], ...onNode }],
  ['nodenext, with DOM', { ...resolvedBy('nodenext'), libraries: dom, ...onNode }],
  ['a bundler, without DOM', { ...resolvedBy('bundler'), libraries: [], ...onNode }],
  ['a bundler, with DOM', { ...resolvedBy('bundler'), libraries: dom, ...onNode }],
  ['a browser, without Node’s types', { ...resolvedBy('bundler'), libraries: dom, ...inBrowser }],
];

function resolvedBy(moduleResolution: string) {
  const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution;
  return { module, moduleResolution };
}

/** What `tsc` says of the programs, line by line. */
function complaints(compiler: string, { files, libraries, ...setting }: Setting): string[] {
  const compilerOptions = {
    ...setting,
    lib: ['ES2022', ...libraries],
    target: 'ES2022',
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
  };
  const config = JSON.stringify({ compilerOptions, files });
  writeFileSync(join(project.folder, 'tsconfig.json'), config);
  const tsc = createRequire(import.meta.url).resolve(`${compiler}/package.json`);
  const args = [join(tsc, '../bin/tsc'), '--pretty', 'false', '-p', project.folder];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  // What belongs to the line before is indented.
  return `${stdout}${stderr}`.split('\n').filter((line) => /^\S/.test(line));
}

/** Its declarations do not bear `exactOptionalPropertyTypes`: those of XState 5.33 do not by themselves. */
const isOfXState = (line: string) => /node_modules\/xstate\/.*\.d\.ts\(/.test(line);

test.each(
  ['typescript-oldest', 'typescript-newest'].flatMap((compiler) =>
    settings.map(([name, setting]) => [compiler, name, setting] as const),
  ),
)('%s, resolved by %s: nobody complains but XState', (compiler, _, setting) => {
  const all = complaints(compiler, setting);
  expect(all.filter((line) => !isOfXState(line))).toEqual([]);
});
