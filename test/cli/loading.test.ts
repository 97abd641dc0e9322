/**
 * @module loading: what a command loads before it has anything to do. A short command's time is that
 * of finding, reading and compiling modules: they are counted here, and their time never is.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtPackage } from '../support/built.ts';
import { runCli } from '../support/cli.ts';
import { root } from '../support/root.ts';

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-loading-'));
});

afterAll(() => rm(scratch, { recursive: true }));

const verifyCap = `URI:MDMF-Verifier:${'a'.repeat(26)}:${'a'.repeat(52)}`;

/** What the command loads that is neither Node's nor the command line's own, each by its name. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const notes = join(scratch, args.join('').replace(/\W/g, ''));
  const preloaded = pathToFileURL(join(root, 'test/support/note-loaded.mjs'));
  const program = join(await builtPackage(), 'cli/main.js');
  const env = { NOTE_LOADED: notes, NODE_OPTIONS: `--import ${preloaded}` };
  const { exit, stderr } = await runCli(args, { env, program });
  expect([exit, stderr]).toEqual([0, '']);
  const urls = (await readFile(notes, 'utf8')).split('\n').filter((url) => url.startsWith('file:'));
  const names = new Set(urls.map(nameOf));
  return [...names].filter((name) => !/^src\/cli\//.test(name)).sort();
}

/** Of a package, or the path of a module of ours. */
function nameOf(url: string): string {
  const [, own] = /\/dist\/((?:src|machines)\/.*)\.js$/.exec(url) ?? [];
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  return own ?? name ?? url;
}

const always = [
  'commander',
  'machines/reason',
  'machines/servermap',
  'src/abort',
  'src/decode-text',
  'src/errors',
  'src/package-version',
  'src/redacted',
  'src/storage/atomic-file',
  'src/storage/left-behind',
  'src/version-name',
];

test.each(['--help', '--version'])('%s loads no engine', async (option) => {
  expect(await loadedBy(option)).toEqual(always);
});

test('cap loads what caps are made of, and no engine', async () => {
  const besides = (await loadedBy('cap', verifyCap)).filter((name) => !always.includes(name));
  expect(besides).toEqual([
    '@noble/hashes',
    'src/bytes',
    'src/caps',
    'src/crypto/der',
    'src/crypto/hash',
    'src/crypto/keys',
    'src/crypto/node',
    'src/crypto/pss',
    'src/crypto/release',
    'src/crypto/salts',
    'src/hidden',
    'src/refusal',
    'src/turn',
    'src/turns',
  ]);
});
