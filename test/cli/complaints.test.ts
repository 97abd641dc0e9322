import { execFileSync } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase32 } from '../../src/bytes.ts';
import { formatCap, toReadCap, toVerifyCap, writeCapOf } from '../../src/caps.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runCli, runHere, startCli } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

const cap = writeCapOf(testKey, 'mdmf');
const writeCap = formatCap(cap);
const readCap = formatCap(toReadCap(cap));
const verifyCap = formatCap(toVerifyCap(cap));

let scratch: string;
let grid: string;
let capFile: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-test-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid);
  await (await openGrid(grid)).create({ contents: bytesOf(1000), key: testKey });
  capFile = join(scratch, 'cap');
  await writeFile(capFile, writeCap);
});
afterAll(() => rm(scratch, { recursive: true }));

/** What a command says that prints no contents. */
async function said(args: readonly string[], stdin = '') {
  const { stdout, stderr, exit } = await runHere(args, stdin);
  return { stdout: stdout.toString(), stderr, exit };
}

function line(text: string, exit: number) {
  return { stdout: '', stderr: `tahoe-mutable: ${text}\n`, exit };
}

describe('a mistake of the caller: one line, exit code 2', () => {
  test.each([
    [['frob'], "unknown command 'frob'"],
    [['get', '-', '--lenght', '5'], "unknown option '--lenght' (Did you mean --length?)"],
    [['ln', '-'], "missing required argument 'DIR'"],
    [['put', '-'], 'CAP and FILE cannot both come from stdin'],
    [['cap', '-', 'x'], "too many arguments for 'cap'. Expected 1 argument but got 2."],
    [['update', '-', 'x'], "required option '--offset <bytes>' not specified"],
    [['put', '-', '/dev/stdin'], 'CAP and FILE cannot both come from stdin'],
    [['cap', 'URI:MDMF:abc:def'], 'malformed cap: writekey: has 3 characters, not 26'],
    [['get', '@/no/such/file'], '/no/such/file: cannot be read: no such file or directory'],
    [['get', readCap, '--grid', '/no/grid'], '/no/grid: does not exist'],
    [
      ['get', readCap],
      'which grid? Say --grid DIR, or set TAHOE_MUTABLE_GRID; there is no folder ~/.tahoe',
    ],
  ])('%j', async (args, text) => {
    expect(await said(args)).toEqual(line(text, 2));
  });

  test.each([
    ['get', '--offset', '<bytes>', '1e3', 'It must be a whole number.'],
    ['get', '--offset', '<bytes>', '-1', 'It must be a whole number.'],
    ['get', '--length', '<bytes>', '', 'It must be a whole number.'],
    ['get', '--length', '<bytes>', '9007199254740992', 'It must be at most 2^53-1.'],
    ['grid create', '--servers', '<count>', '0x10', 'It must be a whole number.'],
    ['grid create', '--encoding', '<k,N>', '3', 'It must be k,N or k,happy,N, like 3,10.'],
    ['create', '--format', '<format>', 'chk', 'Allowed choices are sdmf, mdmf.'],
  ])('%s %s %s: %j', async (command, option, placeholder, value, problem) => {
    const text = `option '${option} ${placeholder}' argument '${value}' is invalid. ${problem}`;
    expect(await said([...command.split(' '), '-', option, value])).toEqual(line(text, 2));
  });

  test.each([
    [['get', 'URI:CHK:a:b:3:10:5'], 'malformed cap: key: has 1 characters, not 26'],
    [['ls', 'URI:LIT:nbswy3dp'], 'cap: is that of a file, not of a directory'],
    [
      ['put', 'URI:LIT:nbswy3dp', '-'],
      'malformed cap: prefix: this is an immutable cap, and what it leads to cannot change',
    ],
    [['get', readCap, '--offset', '1001'], 'offset 1001: the file has 1000 bytes'],
    [['update', writeCap, '-', '--offset', '1001'], 'offset 1001: the file has 1000 bytes'],
    [
      ['put', writeCap, '/no/such/file'],
      '/no/such/file: cannot be read: no such file or directory',
    ],
    [['put', writeCap, '/'], '/: is not a regular file'],
    [
      ['create', '-', '--private-key', '/dev/null'],
      '/dev/null: unusable key: it is not a PKCS#1 or PKCS#8 PEM',
    ],
  ])('on a grid: %j', async (args, text) => {
    expect(await said([...args, '--grid', grid], 'data')).toEqual(line(text, 2));
  });

  test('a file of the user is in the facts, too', async () => {
    const where = '/no/such/file';
    const unread = { where, problem: 'cannot be read: no such file or directory' };
    for (const [args, code, facts] of [
      [['put', writeCap, where], 'UsageError', unread],
      [['create', '-', '--private-key', where], 'UsageError', unread],
      [['find-shares', writeCap, where], 'UsageError', unread],
      [
        ['create', '-', '--private-key', '/dev/null'],
        'BadKeyError',
        { where: '/dev/null', problem: 'it is not a PKCS#1 or PKCS#8 PEM' },
      ],
    ] as const) {
      const { stdout } = await said([...args, '--grid', grid, '--json'], 'data');
      expect(JSON.parse(stdout).error).toMatchObject({ code, facts });
    }
  });

  test('what tahoe.cfg says of new files and cannot be: no cap is printed before', async () => {
    const broken = join(scratch, 'broken');
    await createGridFolder(broken);
    await writeFile(join(broken, 'tahoe.cfg'), '[client]\nshares.needed = many\n');
    const problem = `${join(broken, 'tahoe.cfg')}: [client] shares.needed: must be a whole number`;
    for (const args of [
      ['create', '-'],
      ['create', '-', '-o', join(scratch, 'unmade')],
      ['mkdir'],
      ['create-alias', 'home'],
    ]) {
      expect(await said([...args, '--grid', broken], 'data')).toEqual(line(problem, 2));
    }
    expect(await readdir(scratch)).not.toContain('unmade');
  });

  test('a folder that is no empty place for a grid', async () => {
    expect(await said(['grid', 'create', grid])).toEqual(line(`${grid}: is not empty`, 5));
    const file = join(scratch, 'taken');
    await writeFile(file, '');
    const taken = line(`${file}: is there, and is no folder`, 5);
    expect(await said(['grid', 'create', file])).toEqual(taken);
    const empty = 'folder: is an empty string, not the path of a file or folder';
    expect(await said(['grid', 'create', ''])).toEqual(line(empty, 2));
    const servers = await said(['grid', 'create', join(scratch, 'none'), '--servers', '257']);
    expect(servers).toEqual(line('servers 257: must be from 1 to 256', 2));
  });
});

test.each([
  [['get', verifyCap], 'reading needs a read cap, this is a verify cap'],
  [['put', readCap, '-'], 'overwriting needs a write cap, this is a read cap'],
  [['append', verifyCap, '-'], 'updating needs a write cap, this is a verify cap'],
  [
    ['servermap', readCap, '--mode', 'write'],
    'mapping for write needs a write cap, this is a read cap',
  ],
])('a cap that gives no right to it: one line, exit code 6: %j', async (args, text) => {
  expect(await said([...args, '--grid', grid], 'data')).toEqual(line(text, 6));
});

describe('an operation that finds nothing: one line, exit code 4', () => {
  const stranger = `URI:SSK-RO:${'a'.repeat(26)}:${'a'.repeat(52)}`;
  const problem = 'no version can be read: no good share found (13 of 13 servers answered)';

  test('says why', async () => {
    expect(await said(['get', stranger, '--grid', grid])).toEqual(line(problem, 4));
  });

  test('with --json also in a document, with the facts', async () => {
    const out = join(scratch, 'none');
    const { stdout, ...rest } = await said(['get', stranger, '-o', out, '--grid', grid, '--json']);
    expect(rest).toEqual({ stderr: `tahoe-mutable: ${problem}\n`, exit: 4 });
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'UnrecoverableFileError', message: problem, facts: { seen: [], bad: 0 } },
    });
  });

  test('with --verbose also with the facts and the stack', async () => {
    const { stderr, exit } = await said(['get', stranger, '--grid', grid, '--verbose']);
    expect(exit).toBe(4);
    expect(stderr.split('\n')).toContain(`tahoe-mutable: ${problem}`);
    expect(stderr).toMatch(/\nUnrecoverableFileError: .*\n {4}at /);
    expect(stderr).toMatch(/\n {2}code: 'UnrecoverableFileError',\n {2}facts: \{/);
  });

  test('leaves no output behind, and an old one as it was', async () => {
    const nowhere = join(scratch, 'no/where');
    expect(await said(['get', readCap, '-o', nowhere, '--grid', grid])).toEqual(
      line(`${nowhere}: cannot be written: no such file or directory`, 1),
    );
    const before = await readdir(scratch);
    const out = join(scratch, 'out');
    expect((await said(['get', stranger, '-o', out, '--grid', grid])).exit).toBe(4);
    expect(await readdir(scratch)).toEqual(before);
    await writeFile(out, 'old');
    expect((await said(['get', stranger, '-o', out, '--grid', grid])).exit).toBe(4);
    expect(await readFile(out, 'utf8')).toBe('old');
  });
});

describe('secrets', () => {
  test('are in no output, whatever goes wrong, unless they were asked for', async () => {
    const commands = [
      [writeCap],
      ['get', writeCap, 'x', 'y'],
      ['get', `${writeCap}a`],
      ['get', writeCap.replace('URI:', '')],
      ['get', `@${writeCap}`],
      ['put', writeCap, writeCap],
      ['get', writeCap, '--offset', writeCap],
      ['get', writeCap, '--offset', '5000'],
      ['get', `@${capFile}`, '--grid', writeCap],
      ['update', writeCap, '/dev/null', '--offset', '5000'],
      ['servermap', `@${capFile}`],
      ['check', writeCap, '--verify'],
      ['append', writeCap, '-'],
      ['cap', writeCap],
    ];
    const secrets = [
      toBase32(cap.writekey),
      (await readFile(join(grid, 'private/secret'))).toString().trim(),
    ];
    for (const command of commands) {
      const args = command.includes('--grid') ? command : [...command, '--grid', grid];
      const { stdout, stderr } = await said([...args, '--verbose', '--json'], 'data');
      for (const secret of secrets) expect(`${stdout}${stderr}`).not.toContain(secret);
    }
  });
});

describe('a child process', () => {
  test('prints help when told nothing, and its version when asked', async () => {
    const { stdout, stderr, exit } = await runCli([]);
    expect({ stdout: stdout.toString(), exit }).toEqual({ stdout: '', exit: 2 });
    expect(stderr).toMatch(/^Usage: tahoe-mutable \[options\] \[command\]\n/);
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    const asked = await runCli(['--version']);
    expect({ ...asked, stdout: asked.stdout.toString() }).toEqual({
      stdout: `${version}\n`,
      stderr: '',
      exit: 0,
    });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'ends of %s, even if its input never comes',
    async (signal) => {
      const fifo = join(scratch, `fifo-${signal}`);
      execFileSync('mkfifo', [fifo]);
      const args = ['put', `@${capFile}`, fifo, '--grid', grid];
      const tmp = await mkdtemp(join(scratch, 'tmp-'));
      const before = await said(['servermap', readCap, '--grid', grid, '--json']);
      const { child, ended } = await startCli(args, { TMPDIR: tmp });
      // Opens when the child has opened its end, and so is waiting for input.
      const writer = await open(fifo, 'w');
      child.kill(signal);
      const { stdout, stderr, exit } = await ended;
      await writer.close();
      expect({ stdout: stdout.toString(), stderr, exit }).toEqual({
        stdout: '',
        stderr: `tahoe-mutable: interrupted by ${signal}\n`,
        exit: signal,
      });
      expect(await readdir(tmp)).toEqual([]);
      expect(await said(['servermap', readCap, '--grid', grid, '--json'])).toEqual(before);
    },
  );

  test('says nothing when its reader has gone away', async () => {
    const { child, ended } = await startCli(['get', `@${capFile}`, '--grid', grid]);
    child.stdout?.destroy();
    const { stderr, exit } = await ended;
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 141 });
  });
});
