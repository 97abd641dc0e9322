import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { formatCap, toReadCap, toVerifyCap, writeCapOf } from '../../src/caps.ts';
import { logLines } from '../../src/cli/log-lines.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runHere } from '../support/cli.ts';
import { testKey, testPem } from '../support/client-grid.ts';

const cap = writeCapOf(testKey, 'mdmf');
const readCap = formatCap(toReadCap(cap));

let scratch: string;
/** A home with a node in it. */
let home: string;
let capFile: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-conventions-'));
  home = join(scratch, 'home');
  const grid = join(home, '.tahoe');
  const encoding = { required: 1, happy: 2, total: 2 };
  await mkdir(home);
  await createGridFolder(grid, { servers: 2, encoding });
  await (await openGrid(grid)).create({ contents: new Uint8Array([104, 105]), key: testKey });
  capFile = join(home, 'cap');
  await writeFile(capFile, `${formatCap(cap)}\n`, { mode: 0o600 });
});
afterAll(() => rm(scratch, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

async function run(line: string, stdin: string | Readable = '') {
  vi.stubEnv('HOME', home);
  const { stdout, stderr, exit } = await runHere(line.split(' '), stdin);
  return { stdout: stdout.toString(), stderr, exit };
}

test('the grid of the Tahoe node in the home is taken where none is named, as -v says', async () => {
  const node = join(home, '.tahoe');
  expect(await run(`get ${readCap}`)).toEqual({ stdout: 'hi', stderr: '', exit: 0 });
  const { stdout, stderr } = await run(`-v get ${readCap}`);
  expect([stdout, stderr.split('\n')[0]]).toEqual(['hi', `grid: ${node}, for none was named`]);

  const named = await run(`--grid ${scratch}/none get ${readCap}`);
  expect(named).toMatchObject({ stderr: expect.stringContaining('none: does not exist'), exit: 2 });
  vi.stubEnv('TAHOE_MUTABLE_GRID', join(scratch, 'other'));
  const inEnvironment = await run(`get ${readCap}`);
  expect(inEnvironment.stderr).toContain('other: does not exist');
  expect((await run(`--grid ${node} get ${readCap}`)).stdout).toBe('hi');
  const empty = await run(`--grid= get ${readCap}`);
  expect(empty).toEqual({
    ...{ stdout: '', stderr: 'tahoe-mutable: --grid: is empty; name a grid, or leave it out\n' },
    exit: 2,
  });
});

test('the version is told by -V, and -q and -v exclude each other', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(await run('-V')).toEqual({ stdout: `${version}\n`, stderr: '', exit: 0 });
  expect(await run(`-qv get ${readCap}`)).toMatchObject({
    ...{ stderr: expect.stringContaining('cannot be used with'), exit: 2 },
  });
});

test('-q leaves what was asked for, and errors', async () => {
  expect(await run(`-q put @${capFile}`, 'hi')).toEqual({ stdout: '', stderr: '', exit: 0 });
  expect(await run(`-q check @${capFile}`)).toEqual({ stdout: '', stderr: '', exit: 0 });
  expect(await run(`get -q @${capFile}`)).toEqual({ stdout: 'hi', stderr: '', exit: 0 });
  expect((await run(`-q stat @${capFile}`)).stdout).toMatch(/^size/);
  expect(JSON.parse((await run(`-q --json check @${capFile}`)).stdout)).toMatchObject({
    healthy: true,
  });
  expect(await run(`-q put ${readCap}`, 'x')).toEqual({
    ...{ stdout: '', exit: 6 },
    stderr: 'tahoe-mutable: overwriting needs a write cap, this is a read cap\n',
  });
});

test('contents come from stdin where no FILE is given; a terminal is told so', async () => {
  expect(await run(`put @${capFile}`, 'one')).toMatchObject({ stderr: '', exit: 0 });
  expect(await run(`append @${capFile}`, ', two')).toMatchObject({ stderr: '', exit: 0 });
  expect(await run(`update @${capFile} --offset 0`, 'O')).toMatchObject({ stderr: '', exit: 0 });
  expect((await run(`get @${capFile}`)).stdout).toBe('One, two');

  const typed = () => Object.assign(Readable.from([Buffer.from('typed')]), { isTTY: true });
  const hint = 'what to write is read from this terminal; Ctrl-D at the start of a line ends it\n';
  expect((await run(`put @${capFile}`, typed())).stderr).toBe(hint);
  expect((await run(`-q put @${capFile} -`, typed())).stderr).toBe('');
  expect((await run(`get @${capFile}`)).stdout).toBe('typed');
});

test('a cap that is typed at a terminal is not shown', async () => {
  const typed = Object.assign(Readable.from([`${readCap}\r`]), { isTTY: true });
  expect(await run('get -', typed)).toEqual({
    ...{ stdout: 'typed', stderr: 'a cap is read from this terminal, unseen\n', exit: 0 },
  });
  const ended = Object.assign(Readable.from([]), { isTTY: true });
  expect((await run('-q get -', ended)).stderr).toBe(
    'tahoe-mutable: stdin: is empty, where a cap is expected\n',
  );
});

test('a format may be said in any case', async () => {
  const said = await run('create --format MDMF --private-key /dev/null');
  expect(said.stderr).toBe(
    'tahoe-mutable: /dev/null: unusable key: it is not a PKCS#1 or PKCS#8 PEM\n',
  );
  const wrong = await run('create --format CHK');
  expect(wrong.stderr).toContain('Allowed choices are sdmf, mdmf.');
});

test('a file that holds a cap, and that others can open, is warned of', async () => {
  const wide = join(home, 'wide');
  await writeFile(wide, formatCap(cap));
  await chmod(wide, 0o644);
  const warning = `${wide}: other users can open it, and it holds a secret: chmod 600\n`;
  // The scratch folder is its owner's alone: nobody else gets to the file.
  expect(await run(`stat @${wide}`)).toMatchObject({ stderr: '', exit: 0 });
  await chmod(scratch, 0o755);
  try {
    expect(await run(`stat @${wide}`)).toMatchObject({ stderr: warning, exit: 0 });
    expect(await run(`-q stat @${wide}`)).toMatchObject({ stderr: '', exit: 0 });
    await writeFile(wide, formatCap(toVerifyCap(cap)));
    expect(await run(`check @${wide}`)).toMatchObject({ stderr: '', exit: 0 });
    await chmod(wide, 0o600);
    const secret = join(home, '.tahoe/private/secret');
    for (const folder of ['.tahoe', '.tahoe/private']) await chmod(join(home, folder), 0o755);
    await chmod(secret, 0o644);
    expect((await run(`put @${capFile}`)).stderr).toMatch(/^\S+\/private\/secret: other users can/);
    expect((await run(`get @${capFile}`)).stderr).toBe('');
  } finally {
    await chmod(scratch, 0o700);
  }
});

test('files that are made for caps and keys are their owner’s alone', async () => {
  const modes = async (...names: string[]) => {
    const files = await Promise.all(names.map((name) => stat(join(home, name))));
    return files.map(({ mode }) => mode & 0o777);
  };
  expect(await run(`add-alias literal URI:DIR2-LIT:`)).toMatchObject({ exit: 0 });
  await createGridFolder(join(home, 'grid'), { servers: 1 });
  const pem = join(home, 'pem');
  await writeFile(pem, testPem(), { mode: 0o600 });
  const create = `--grid ${home}/grid create -o ${home}/new.cap --private-key ${pem}`;
  expect(await run(create)).toMatchObject({ stderr: expect.any(String), exit: 0 });
  expect(await modes('new.cap', '.tahoe/private/aliases')).toEqual([0o600, 0o600]);
  expect(await modes('grid/private', 'grid/private/secret')).toEqual([0o700, 0o600]);
});

test('help tells of topics and of commands', async () => {
  const { stdout, exit } = await run('help exit-codes');
  expect(exit).toBe(0);
  expect(stdout).toMatch(/^What a command exits with\.\n\n {2}0 done {7}All/);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect((await run('help caps')).stdout).toContain('  URI:DIR2:…/a/b  a path behind');
  expect((await run('help grid create')).stdout).toMatch(/^Usage: tahoe-mutable grid create /);
  expect((await run('help')).stdout).toBe((await run('--help')).stdout);
  expect(await run('help grid none')).toMatchObject({ exit: 2 });
});

test('what a grid logs is a line each, with servers by their nicknames', () => {
  const lines: string[] = [];
  const log = logLines(
    (line) => lines.push(line),
    () => [{ id: 'v0-abcdefghijkl', nickname: 'attic' }],
  );
  log.debug({ operation: 'append' }, 'operation has begun');
  const failed = { server: 'v0-abcdefghijkl', during: 'writing', detail: 'gone\n' };
  log.warn({ operation: 'append', file: 'aa', outcome: 'failed', ...failed }, 'server has failed');
  log.info({ operation: 'append', silent: ['v0-abcdefghijkl'], ms: 7 }, 'operation has succeeded');
  expect(lines).toEqual([
    'append: server has failed (server attic [abcdefgh], during writing, detail gone )',
    'append: operation has succeeded (silent attic [abcdefgh], ms 7)',
  ]);
});
