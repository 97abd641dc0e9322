/**
 * @module blocks: every code block of the README, the guides and the comments of the sources that is
 * code is typed and run, against the package as it was installed in an otherwise empty folder.
 *
 * - The `ts` blocks of a page are one program, compiled, then run in a folder of its own, where that
 *   of docs/getting-started.md was run before: `grid`, `file` and `directory` are the ones made
 *   there, unless the page makes its own. The README's is also run as it stands.
 * - The `sh` blocks of a page are one script, run in a folder of its own, in which those of
 *   docs/getting-started.md have been run before.
 * - Each `ts` block in a comment (`@example`) is a program of its own, with the same `grid`, `file` and
 *   `directory`; all are run in one process, one after the other.
 * - A block that cannot be run says why behind its language: "```sh not run: waits for Ctrl-C".
 *   It is typed all the same, and what it calls of `npm run` has to be there.
 *
 *     node docs/site/blocks.mjs FOLDER
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = resolve(process.argv[2]);
const start = 'docs/getting-started.md';
/** These begin with nothing. */
const isFirst = (page) => page === start || page === 'README.md';
const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CONTRIBUTING.md', 'examples/README.md', 'test/scenarios/README.md']
  .concat(guides.map((name) => `docs/${name}`))
  .map((page) => ({ page, name: basename(page, '.md'), blocks: blocksOf(page) }));
/** By what they are called as programs. */
const examples = ['machines', 'src'].flatMap((room) =>
  readdirSync(join(root, room), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${room}/${name}`)
    .flatMap((page) => blocksOf(page).map((block) => ({ page, block, name: nameOf(page, block) }))),
);
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const problems = [];

function nameOf(page, { at }) {
  return `${page.slice(0, -'.ts'.length).replaceAll('/', '-')}-${at}`;
}

/** Of a source what its comments say, each on its line. */
function linesOf(page) {
  const lines = readFileSync(join(root, page), 'utf8').split('\n');
  return page.endsWith('.ts') ? lines.map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? '') : lines;
}

/** `code` stands on the lines on which it stands in the page, so that errors name these. */
function blocksOf(page) {
  const lines = linesOf(page);
  const blocks = [];
  for (let at = 0; at < lines.length; at++) {
    const [, language, mark] = /^```(\w+) ?(.*)$/.exec(lines[at]) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at);
    const text = lines.slice(at + 1, end).join('\n');
    const unrun = /^not run: (.+)/.exec(mark)?.[1];
    if (mark !== '' && unrun === undefined) throw new Error(`${page}:${at + 1}: what is ${mark}?`);
    blocks.push({ language, text, at: at + 1, unrun });
    at = end;
  }
  return blocks;
}

const isTs = ({ language }) => /^[jt]s$/.test(language);
const isSh = ({ language }) => language === 'sh';
const isRun = ({ unrun }) => unrun === undefined;
const ofStart = (which) =>
  pages.find(({ page }) => page === start).blocks.filter((block) => which(block) && isRun(block));

const inPlace = (blocks) =>
  blocks.reduce((code, { at, text }) => {
    const missing = at - code.split('\n').length + 1;
    return `${code}${'\n'.repeat(missing)}${text}\n`;
  }, '');

// --- types ------------------------------------------------------------------------------------------

const source = join(folder, 'typed');
mkdirSync(source, { recursive: true });
const given = ['grid', 'file', 'directory'];
writeFileSync(
  join(source, 'prelude.ts'),
  `${ofStart(isTs)
    .map(({ text }) => text)
    .join('\n')}\nexport { ${given.join(', ')} };\n`,
);

/** What the page does not make itself comes from the start; on line 1, where its heading stands. */
function programOf(page, blocks) {
  const code = inPlace(blocks);
  const own = (name) => new RegExp(`(const|let) \\{?.*\\b${name}\\b.* =|import .*\\b${name}\\b`);
  const names = given.filter((name) => code.includes(name) && !own(name).test(code));
  const prelude = `import './prelude.js'; import { ${names.join(', ')} } from './prelude.js';`;
  const first = isFirst(page) ? '' : prelude;
  return `${first}${code}export {};\n`;
}

for (const { page, name, blocks } of pages) {
  const ts = blocks.filter(isTs);
  if (ts.length > 0) writeFileSync(join(source, `${name}.ts`), programOf(page, ts));
  const some = ts.filter(isRun);
  if (some.length > 0) writeFileSync(join(source, `${name}.run.ts`), programOf(page, some));
}
for (const { page, name, block } of examples) {
  writeFileSync(join(source, `${name}.ts`), programOf(page, [block]));
}
const ran = examples.filter(({ block }) => isRun(block));
writeFileSync(
  join(source, 'examples.run.ts'),
  `${ran.map(({ name }) => `await import('./${name}.js');\n`).join('')}export {};\n`,
);
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      ...{ module: 'NodeNext', target: 'ES2023', lib: ['ES2023', 'ESNext.Disposable', 'DOM'] },
      ...{ types: ['node'], strict: true, rootDir: 'typed', outDir: 'program' },
      ...{ skipLibCheck: true },
    },
    include: ['typed'],
  }),
);
mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
for (const types of ['@types/node', 'undici-types']) {
  symlinkSync(join(root, 'node_modules', types), join(folder, 'node_modules', types));
}
writeFileSync(join(folder, 'typed/package.json'), '{ "type": "module" }');
writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
await attempt('types', () =>
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
    cwd: folder,
  }),
);

// --- running ----------------------------------------------------------------------------------------

async function attempt(what, call) {
  const began = performance.now();
  try {
    return { ...(await call()), seconds: (performance.now() - began) / 1000 };
  } catch (error) {
    problems.push(`${what}: ${error.stdout ?? ''}${error.stderr ?? error.stack}`);
    return { stdout: '', stderr: '', seconds: (performance.now() - began) / 1000 };
  }
}

const environment = {
  ...process.env,
  PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
};

function emptyFolder(name) {
  const place = join(folder, 'run', name.replaceAll('/', '-'));
  mkdirSync(place, { recursive: true });
  return { cwd: place, env: environment, timeout: 60_000 };
}

const runTs = (name, file) =>
  attempt(name, () => run(process.execPath, [file], emptyFolder(`${name}-ts`)));

function runSh(page, name, blocks) {
  const before = isFirst(page) ? [] : ofStart(isSh);
  const lines = [...before, ...blocks].map(({ text }) => text);
  // Each command says when it begins.
  const script = ["PS4='+@$EPOCHREALTIME '", 'set -euxo pipefail', ...lines, ':'].join('\n');
  return attempt(page, () => run('bash', ['-c', script], emptyFolder(`${name}-sh`)));
}

/** How long each command of a script took, from its trace. */
function commandsOf(trace) {
  const steps = [...trace.matchAll(/^\++@(\d+\.\d+) (.*)$/gm)];
  return steps.slice(0, -1).map(([, at, text], i) => ({
    text,
    seconds: Number(steps[i + 1][1]) - Number(at),
  }));
}

const counts = { ts: 0, sh: 0, unrun: 0, other: 0 };
for (const { page, name, blocks } of pages) {
  const code = blocks.filter((block) => isTs(block) || isSh(block));
  const [ts, sh] = [isTs, isSh].map((which) =>
    code.filter((block) => which(block) && isRun(block)),
  );
  const unrun = code.filter((block) => !isRun(block));
  counts.ts += ts.length;
  counts.sh += sh.length;
  counts.unrun += unrun.length;
  counts.other += blocks.length - code.length;
  if (code.length === 0) continue;
  const told = [];
  if (ts.length > 0) {
    const { seconds } = await runTs(page, join(folder, 'program', `${name}.run.js`));
    told.push(`${ts.length} ts run in ${seconds.toFixed(1)} s`);
  }
  if (sh.length > 0) {
    const { seconds, stderr } = await runSh(page, name, sh);
    told.push(`${sh.length} sh run in ${seconds.toFixed(1)} s`);
    const slow = commandsOf(stderr).sort((a, b) => b.seconds - a.seconds);
    for (const { text, seconds } of slow.slice(0, page === 'README.md' ? 40 : 1)) {
      told.push(`  ${seconds.toFixed(2)} s  ${text.slice(0, 80)}`);
    }
  }
  for (const { at, unrun: why, text } of unrun) {
    told.push(`line ${at} not run: ${why}`);
    for (const [, script] of text.matchAll(/npm run (?:--\S+ )*([\w:]+)/g)) {
      if (scripts[script] === undefined) problems.push(`${page}:${at}: no npm run ${script}`);
    }
  }
  console.log(`${page}: ${told.join('\n  ')}`);
}

// The README's lines as they stand.
const asTheyStand = join(folder, 'as-they-stand.mjs');
const readme = pages.find(({ page }) => page === 'README.md');
writeFileSync(asTheyStand, inPlace(readme.blocks.filter((block) => isTs(block) && isRun(block))));
const { seconds } = await runTs('README.md as it stands', asTheyStand);
console.log(`README.md as it stands, in an empty project: ${seconds.toFixed(1)} s`);

const { seconds: examplesTook } = await runTs(
  'the examples in comments',
  join(folder, 'program', 'examples.run.js'),
);
console.log(
  `${ran.length} of ${examples.length} examples in comments: ${examplesTook.toFixed(1)} s`,
);

const { ts, sh, unrun, other } = counts;
console.log(`blocks: ${ts} ts and ${sh} sh run, ${unrun} not run, ${other} are no code`);
for (const problem of problems) console.error(`\n${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
