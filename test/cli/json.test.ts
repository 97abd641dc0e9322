/**
 * @module json: each command's document, held against docs/json.md: every field that comes is
 * described, is of the type that is said, and is there unless it may be missing.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatCap, writeCapOf } from '../../src/caps.ts';
import { programOf } from '../../src/cli/program.ts';
import { createGridFolder } from '../../src/node.ts';
import { DATA_OFFSET } from '../../src/storage/container.ts';
import { runHere, startCli } from '../support/cli.ts';
import { testKey, testPem } from '../support/client-grid.ts';
import { described, misfits } from '../support/documented.ts';

let scratch: string;
let grid: string;
/** Commands whose documents were seen. */
const seen = new Set<string>();

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-json-'));
  grid = join(scratch, 'grid');
  const encoding = { required: 1, happy: 2, total: 2 };
  await createGridFolder(grid, { servers: 2, encoding });
  await writeFile(join(scratch, 'pem'), testPem());
  await writeFile(join(scratch, 'cap'), formatCap(writeCapOf(testKey, 'sdmf')));
});
afterAll(() => rm(scratch, { recursive: true }));

/** The documents of a command line, one for each line of those that print lines. */
async function documentsOf(line: string, stdin = 'data'): Promise<readonly object[]> {
  const args = line.split(' ').map((word) => word.replace(/^(@?)%/, `$1${scratch}/`));
  const { stdout } = await runHere(['--grid', grid, '--json', ...args], stdin);
  const text = stdout.toString().trim();
  const texts = /^\{"/.test(text) ? text.split('\n') : [text];
  return texts.map((text) => {
    const { schema, ...document } = JSON.parse(text);
    expect(schema).toBe(1);
    return document;
  });
}

const commandIn = (line: string) => /^(?:grid |lease )?\S+/.exec(line)?.[0] ?? '';

/** @param section of docs/json.md, where it is not that of the command */
async function holds(line: string, section = commandIn(line)): Promise<object> {
  const documents = await documentsOf(line);
  const problems = documents.flatMap((document) => {
    const isEnd = Reflect.get(document, 'type') === 'stats';
    return misfits(document, isEnd ? 'stats' : section);
  });
  expect({ line, problems }).toEqual({ line, problems: [] });
  if (section !== 'error') seen.add(commandIn(line));
  return documents[0] as object;
}

test('of files', async () => {
  await holds('grid create %other --servers 1 --encoding 1,1');
  await holds('grid status');
  await holds('create --private-key %pem --format SDMF');
  await holds('stat @%cap');
  await holds('stat URI:LIT:nbswy3dp');
  await holds('get @%cap -o %out');
  await holds('put @%cap');
  await holds('update @%cap --offset 1', 'put');
  await holds('append @%cap', 'put');
  expect(await holds('modify @%cap --exec cat')).toEqual({ changed: false });
  await holds('modify @%cap --exec true');
  await holds('servermap @%cap');
  await holds('check @%cap --verify --add-lease');
  await holds('check URI:LIT:nbswy3dp');
  await holds('repair @%cap');
  await holds('lease renew @%cap nonsense');
  await holds('cap @%cap');
});

test('of a command that is missing: an error as any other', async () => {
  for (const words of [[], ['grid']]) {
    const { stdout, stderr, exit } = await runHere(['--json', ...words]);
    const message = 'a command is missing; --help lists them';
    const error = { code: 'UsageError', message, facts: {} };
    expect(JSON.parse(stdout.toString())).toEqual({ schema: 1, error });
    expect([stderr, exit]).toEqual([`tahoe-mutable: ${message}\n`, 2]);
  }
});

test('of directories and walks', async () => {
  await holds('create-alias home');
  await holds('mkdir --grid %other -o %dir --private-key %pem', 'create');
  await holds('ln @%cap home:f');
  await holds('ln URI:LIT:nbswy3dp home:lit');
  await holds('mv home:f home:g', 'ln');
  await holds('ls home:');
  await holds('ls home: --caps');
  await holds('cp -r home: %copy');
  await holds('deep-check home: --add-lease');
  await holds('deep-check home: --repair');
  await holds('manifest home:');
  await holds('stats home:');
  await holds('add-alias literal URI:DIR2-LIT:');
  await holds('list-aliases --caps');
  await holds('list-aliases --names');
  await holds('remove-alias literal', 'add-alias');
  await holds('unlink home:lit', 'ln');
});

test('of shares, runs and the program itself', async () => {
  const { paths } = (await holds('find-shares @%cap')) as { paths: readonly string[] };
  await holds(`dump-share ${paths[0]}`);
  const share = await readFile(paths[0] as string);
  // No version of a share that there is.
  share[DATA_OFFSET] = 9;
  await writeFile(join(scratch, 'unknown'), share);
  await holds('dump-share %unknown');
  await holds('completion fish');
  await holds('help caps');
  const { child, ended } = await startCli(['inspect', '--json']);
  child.stderr?.once('data', () => child.kill('SIGINT'));
  const { stdout } = await ended;
  expect(misfits(JSON.parse(stdout.toString()), 'inspect')).toEqual([
    'inspect.schema is not in docs/json.md',
  ]);
  seen.add('inspect');
  // What is watched prints its own document, and no other one.
  await holds('inspect --no-wait --trace %trace -- stat @%cap', 'stat');
  await holds('judge %trace %none');
});

test('of what is damaged, and of what fails', async () => {
  const [first = ''] = (await readdir(grid)).filter((name) => /^s\d/.test(name));
  await rm(join(grid, first), { recursive: true });
  await writeFile(join(grid, first), 'no folder');
  await holds('check @%cap');
  await holds('servermap @%cap');
  await holds('grid status');
  await holds('put @%cap', 'error');
  await holds('get @%cap', 'error');
  await holds('frob', 'error');
  await holds('ls home:none', 'error');
});

test('docs/json.md describes every command, and no other', () => {
  const program = programOf(() => async () => {}, { stdout: '', stderr: '' });
  const names = program.commands.flatMap((command) => {
    const below = command.commands.map((it) => `${command.name()} ${it.name()}`);
    return below.length > 0 ? below : [command.name()];
  });
  const alike = ['mkdir', 'update', 'append', 'mv', 'unlink', 'remove-alias'];
  const sections = described.filter((name) => /^[a-z]/.test(name) && name !== 'error');
  expect([...sections, ...alike].sort()).toEqual([...names].sort());
  // The demo takes its time, and has tests of its own.
  expect([...names].filter((name) => !seen.has(name))).toEqual(['demo']);
});
