/**
 * Programs that use all of the package, compiled against the packed one as strictly as TypeScript
 * can, by the oldest that is supported and by the newest.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { newProject, root } from './packed.ts';

const project = newProject();
afterAll(() => project.remove());
cpSync(`${root}test/types/consumer`, project.folder, { recursive: true });
writeFileSync(join(project.folder, 'package.json'), JSON.stringify({ type: 'module' }));

const dom = ['DOM', 'DOM.Iterable'];
const everywhere = ['browser.ts', 'core.ts'];
const onNode = { types: ['node'], files: [...everywhere, 'machines.ts', 'node.ts', 'testing.ts'] };
const inBrowser = { types: [], files: everywhere };

/** Not among the dependencies: each would put its own `tsc` in the place of ours. */
const compilers = { '5.4.5': 'the oldest TypeScript', '7.0.2': 'the newest TypeScript' } as const;
type Compiler = keyof typeof compilers;
const versions = Object.keys(compilers) as Compiler[];
const compilersAt = join(project.folder, 'compilers');
for (const version of versions) {
  const to = ['--prefix', join(compilersAt, version), '--no-audit', '--no-fund', '--silent'];
  execFileSync('npm', ['install', ...to, `typescript@${version}`]);
}

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
function complaints(compiler: Compiler, { files, libraries, ...setting }: Setting): string[] {
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
  const tsc = join(compilersAt, compiler, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '--pretty', 'false', '-p', project.folder];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  // What belongs to the line before is indented.
  return `${stdout}${stderr}`.split('\n').filter((line) => /^\S/.test(line));
}

/** Its declarations do not bear `exactOptionalPropertyTypes`: those of XState 5.33 do not by themselves. */
const isOfXState = (line: string) => /node_modules\/xstate\/.*\.d\.ts\(/.test(line);

test.each(
  versions.flatMap((version) =>
    settings.map(([name, setting]) => [compilers[version], name, version, setting] as const),
  ),
)('%s, resolved by %s: nobody complains but XState', (_, __, compiler, setting) => {
  const all = complaints(compiler, setting);
  expect(all.filter((line) => !isOfXState(line))).toEqual([]);
});
