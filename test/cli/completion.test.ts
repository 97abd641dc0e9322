import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGridFolder } from '../../src/node.ts';
import { bundledProgram } from '../support/bundled.ts';
import { runHere } from '../support/cli.ts';
import { directoryCase } from '../support/directories.ts';

let scratch: string;
const { cap } = directoryCase('empty, SDMF');

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-completion-'));
  await createGridFolder(scratch, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  const lines = [`home: ${cap}`, 'hot-stuff: URI:DIR2-LIT:', '$(touch evil): URI:DIR2-LIT:'];
  await writeFile(join(scratch, 'private/aliases'), `${lines.join('\n')}\n`);
});
afterAll(() => rm(scratch, { recursive: true }));

async function scriptFor(shell: string): Promise<string> {
  const { stdout, stderr, exit } = await runHere(['completion', shell]);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  return stdout.toString();
}

/** What bash is given for each line, as it calls the function; its words are cut at colons. */
async function completedByBash(...typed: readonly string[]): Promise<readonly string[][]> {
  const main = await bundledProgram();
  const asked = typed.map((line) => {
    const words = line.split(/(?<=:)|(?=:)| /);
    const array = words.map((word) => `'${word}'`).join(' ');
    return [
      `COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${array})`,
      `COMP_CWORD=${words.length - 1}; _tahoe_mutable tahoe-mutable; echo "\${COMPREPLY[*]}"`,
    ].join('\n');
  });
  const program = `tahoe-mutable() { '${process.execPath}' '${main}' "$@"; }`;
  const { stdout } = await promisify(execFile)(
    'bash',
    ['--norc', '-c', [await scriptFor('bash'), program, ...asked].join('\n')],
    { cwd: scratch, env: { PATH: process.env.PATH, TAHOE_MUTABLE_GRID: scratch } },
  );
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => line.split(' ').filter((word) => word !== ''));
}

test('bash completes commands, options, their values and names of aliases, and never a cap', async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['tahoe-mutable ch', ['check']],
    ['tahoe-mutable --json grid ', ['create', 'status']],
    ['tahoe-mutable cp --rec', ['--recursive']],
    ['tahoe-mutable create --format ', ['sdmf', 'mdmf']],
    ['tahoe-mutable completion ', ['bash', 'zsh', 'fish']],
    ['tahoe-mutable get --output ', []],
    ['tahoe-mutable cp home:', []],
    ['tahoe-mutable ls URI:DIR2:', []],
    [`tahoe-mutable --grid ${scratch} ls ho`, ['home:', 'hot-stuff:']],
    ['tahoe-mutable ls --grid nowhere h', []],
    ['tahoe-mutable remove-alias ', ['home:', 'hot-stuff:']],
    ['tahoe-mutable dump-share x', []],
    ['tahoe-mutable ', ['grid', 'create']],
  ];
  const completed = await completedByBash(...cases.map(([line]) => line));
  expect(completed.slice(0, -1)).toEqual(cases.slice(0, -1).map(([, words]) => words));
  expect(completed.at(-1)).toEqual(expect.arrayContaining(['grid', 'create', 'cp', 'inspect']));
  expect(await readdir(scratch)).not.toContain('evil');
});

test('what the scripts ask for has names in it, and no caps', async () => {
  const { stdout } = await runHere(['list-aliases', '--names', '--grid', scratch]);
  expect(stdout.toString()).toBe('home:\nhot-stuff:\n');
  const { stderr } = await runHere(['list-aliases', '--names', '--caps', '--grid', scratch]);
  expect(stderr).toContain("option '--names' cannot be used with option '--caps'");
});

test.each(['bash', 'zsh', 'fish'])(
  'the script for %s has every command and option',
  async (shell) => {
    const script = await scriptFor(shell);
    const { stdout } = await runHere(['--help']);
    const commands = [...stdout.toString().matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(
      ([, name]) => name,
    );
    expect(commands).toContain('create-alias');
    const missing = commands.filter((name) => name !== 'help' && !script.includes(` ${name}`));
    expect(missing).toEqual([]);
    for (const option of ['recursive', 'private-key', 'no-wait']) expect(script).toContain(option);
    // Where the shell is here, it has to like what it gets.
    const { error, stderr } = spawnSync(shell, ['-n'], { input: script });
    expect(error === undefined ? stderr.toString() : '').toBe('');
  },
);
