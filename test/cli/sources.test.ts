import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatCap, writeCapOf } from '../../src/caps.ts';
import { BadSourceError } from '../../src/errors.ts';
import { createGridFolder, openFile, openGrid } from '../../src/node.ts';
import { bundledProgram } from '../support/bundled.ts';
import { runHere } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

const before = bytesOf(1000);

let scratch: string;
let grid: string;
let cap: string;
let program: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-sources-'));
  grid = join(scratch, 'grid');
  await createGridFolder(grid, { servers: 2, encoding: { required: 1, happy: 2, total: 2 } });
  await (await openGrid(grid)).create({ contents: before, key: testKey });
  cap = `@${join(scratch, 'cap')}`;
  await writeFile(join(scratch, 'cap'), formatCap(writeCapOf(testKey, 'mdmf')));
  program = await bundledProgram();
});
afterAll(() => rm(scratch, { recursive: true }));

/** Runs `tahoe-mutable …` as a shell does, with `"$CLI"` and `$CAP` at hand. */
async function shell(script: string, env: Record<string, string> = {}) {
  const { PATH = '' } = process.env;
  const child = spawn('bash', ['--norc', '-c', script], {
    env: { PATH, CLI: program, CAP: cap, TAHOE_MUTABLE_GRID: grid, ...env },
    // For a script that does not say, a stdin that nothing comes from, and that does not end.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (piece) => {
    stdout += piece;
  });
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  const exit = await new Promise((resolve) => child.on('close', resolve));
  return { stdout, stderr, exit };
}

async function held(): Promise<Buffer> {
  return (await runHere(['get', cap, '--grid', grid])).stdout;
}

/** Puts `before` back. */
async function reset(): Promise<void> {
  const { exit } = await runHere(['put', cap, '-', '--grid', grid], before);
  expect(exit).toBe(0);
}

describe('what is read is what is written', () => {
  test.each([
    ['a file of /proc that says it is empty', 'put', '/proc/version'],
    [
      'a file of /sys that says it has 4096 bytes',
      'put',
      '/sys/kernel/mm/transparent_hugepage/enabled',
    ],
    ['one through a link', 'put', 'link'],
  ])('%s', async (_, command, source) => {
    await symlink('/proc/version', join(scratch, 'link')).catch(() => {});
    const path = source === 'link' ? join(scratch, 'link') : source;
    expect(await runHere([command, cap, path, '--grid', grid])).toMatchObject({ exit: 0 });
    const expected = await readFile(path);
    expect(expected.length).toBeGreaterThan(0);
    expect(await held()).toEqual(expected);
  });

  test.each([
    ['a pipe', 'printf hello | node "$CLI" put "$CAP" -', 'hello'],
    ['a pipe that is empty', ': | node "$CLI" put "$CAP" -', ''],
    ['a file on stdin', 'node "$CLI" put "$CAP" - < /proc/version', '/proc/version'],
    ['/dev/stdin, a pipe', 'printf dev | node "$CLI" put "$CAP" /dev/stdin', 'dev'],
    ['/dev/stdin, a file', 'node "$CLI" put "$CAP" /dev/stdin < /proc/version', '/proc/version'],
    ['/proc/self/fd/0', 'printf fd | node "$CLI" put "$CAP" /proc/self/fd/0', 'fd'],
    ['a process substitution', 'node "$CLI" put "$CAP" <(printf sub)', 'sub'],
    ['a here-document', 'node "$CLI" put "$CAP" - <<< here', 'here\n'],
    [
      'a FIFO',
      'mkfifo "$0.fifo"; printf fifo > "$0.fifo" & node "$CLI" put "$CAP" "$0.fifo"',
      'fifo',
    ],
    ['the null device, called by its name', 'node "$CLI" put "$CAP" /dev/null', ''],
  ])('%s', async (_, script, expected) => {
    await reset();
    const { stderr, exit } = await shell(script.replaceAll('$0', join(scratch, 'a')));
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
    const wanted = expected.startsWith('/') ? await readFile(expected) : Buffer.from(expected);
    expect(await held()).toEqual(wanted);
  });

  test('an open file: its size, then any part, as often as it is asked, until it is closed', async () => {
    const path = join(scratch, 'parts');
    await writeFile(path, before);
    const source = await openFile(path);
    expect(source.size).toBe(1000);
    for (const [offset, length] of [
      [0, 400],
      [400, 600],
      [10, 1],
      [0, 1000],
    ] as const) {
      expect(Buffer.from(await source.read(offset, length))).toEqual(
        Buffer.from(before.subarray(offset, offset + length)),
      );
      expect(source.size).toBe(1000);
    }
    await source.close();
    await expect(source.read(0, 1)).rejects.toEqual(
      new BadSourceError(path, 'cannot be read: file closed'),
    );
  });

  test('a file that has grown meanwhile, as far as it went when it was opened', async () => {
    const path = join(scratch, 'growing');
    await writeFile(path, 'first');
    const source = await openFile(path);
    await writeFile(path, 'first, second');
    const made = await (await openGrid(grid)).create({ contents: source });
    await source.close();
    expect(Buffer.from(await made.read()).toString()).toBe('first');
  });
});

describe('what cannot be read to its end changes nothing', () => {
  const closed =
    'stdin: is closed, or leads to /dev/null; to write nothing, give /dev/null as FILE';
  const endless = 'is a device, which may never end; copy what is wanted of it';
  test.each([
    ['a closed stdin', 'node "$CLI" put "$CAP" - <&-', closed],
    ['the same under another name', 'node "$CLI" put "$CAP" /dev/stdin <&-', closed],
    ['the null device as stdin', 'node "$CLI" put "$CAP" - < /dev/null', closed],
    ['a job in the background', 'set +m; node "$CLI" put "$CAP" - & wait $!', closed],
    ['append', 'node "$CLI" append "$CAP" - <&-', closed],
    ['update', 'node "$CLI" update "$CAP" - --offset 0 <&-', closed],
    ['create', 'node "$CLI" create - <&-', closed],
    ['a cap from a closed stdin', 'node "$CLI" put - "$0" <&-', closed],
    [
      'a descriptor that leads to the null device',
      'node "$CLI" put "$CAP" /dev/fd/9 9< /dev/null',
      '/dev/fd/9: is closed, or leads to /dev/null',
    ],
    ['zeros without end', 'node "$CLI" put "$CAP" /dev/zero', `/dev/zero: ${endless}`],
    ['the same on stdin', 'node "$CLI" put "$CAP" - < /dev/zero', `stdin: ${endless}`],
    ['random bytes without end', 'node "$CLI" put "$CAP" /dev/urandom', `/dev/urandom: ${endless}`],
    ['a folder on stdin', 'node "$CLI" put "$CAP" - < /', 'stdin: is no file, pipe or terminal'],
    [
      'a file that cannot be read',
      'node "$CLI" put "$CAP" /proc/self/mem',
      '/proc/self/mem: cannot be read: ',
    ],
  ])('%s', async (_, script, problem) => {
    await reset();
    const ran = await shell(script.replaceAll('$0', join(scratch, 'cap')));
    expect({ ...ran, stderr: ran.stderr.slice(0, 15 + problem.length) }).toEqual({
      stdout: '',
      stderr: `tahoe-mutable: ${problem}`,
      exit: 2,
    });
    expect(ran.stderr.trimEnd()).not.toContain('\n');
    expect(await held()).toEqual(Buffer.from(before));
  });

  test('a file that has been cut meanwhile', async () => {
    await reset();
    const path = join(scratch, 'shrinking');
    await writeFile(path, 'x'.repeat(200_000));
    const source = await openFile(path);
    await truncate(path, 150_000);
    const file = (await openGrid(grid)).open((await readFile(cap.slice(1))).toString());
    await expect(file.overwrite(source)).rejects.toThrowError(
      new BadSourceError(path, 'ends at 150000, which it did not before'),
    );
    await source.close();
    expect(await held()).toEqual(Buffer.from(before));
  });

  test('openFile refuses a size that is not true, whichever way', async () => {
    const lie = (path: string, size: number) =>
      new BadSourceError(path, `has another length than the ${size} bytes that it claims`);
    await expect(openFile('/proc/version')).rejects.toThrowError(lie('/proc/version', 0));
    const sys = '/sys/kernel/mm/transparent_hugepage/enabled';
    await expect(openFile(sys)).rejects.toThrowError(lie(sys, 4096));
  });

  test('no room for a copy: TMPDIR is named, and what was to be copied', async () => {
    await reset();
    const none = await shell('printf hello | node "$CLI" put "$CAP" -', { TMPDIR: '/no/where' });
    expect(none).toEqual({
      stdout: '',
      stderr:
        'tahoe-mutable: /no/where (TMPDIR, for a copy of stdin): cannot be written: no such file or directory\n',
      exit: 1,
    });
    // A limit of 1 MiB for files stands in for a full disk.
    const tmp = await mkdtemp(join(scratch, 'tmp-'));
    const full = await shell(
      'trap "" XFSZ; ulimit -f 1024; head -c 3000000 /dev/zero | node "$CLI" put "$CAP" -',
      { TMPDIR: tmp },
    );
    expect(full).toEqual({
      stdout: '',
      stderr: `tahoe-mutable: ${tmp} (TMPDIR, for a copy of stdin): cannot be written: file too large\n`,
      exit: 1,
    });
    expect(await readdir(tmp)).toEqual([]);
    expect(await held()).toEqual(Buffer.from(before));
  });
});

describe('output that nobody takes', () => {
  const full = 'stdout: cannot be written: no space left on device';

  test.each([
    ['help', 'node "$CLI" --help > /dev/full', full],
    ['help of a command', 'node "$CLI" get --help > /dev/full', full],
    ['version', 'node "$CLI" --version > /dev/full', full],
    ['what is read', 'node "$CLI" get "$CAP" > /dev/full', full],
    ['a report', 'node "$CLI" servermap "$CAP" > /dev/full', full],
    ['a document', 'node "$CLI" cap "$CAP" --json > /dev/full', full],
  ])('%s', async (_, script, problem) => {
    expect(await shell(script)).toEqual({
      stdout: '',
      stderr: `tahoe-mutable: ${problem}\n`,
      exit: 1,
    });
  });

  const shares = async () => {
    const paths = await readdir(grid, { recursive: true });
    return paths.filter((path) => /shares\/../.test(path)).sort();
  };

  test.each(['', '--json'])('of create %s: then no file is made', async (option) => {
    const held = await shares();
    const { stderr, exit } = await shell(`printf x | node "$CLI" create - ${option} > /dev/full`);
    expect({ stderr, exit }).toEqual({ stderr: `tahoe-mutable: ${full}\n`, exit: 1 });
    expect(await shares()).toEqual(held);
  });

  test.each(['>&-', '> /dev/null', '--json >&-'])(
    'of create (%s), unseen: nor then',
    async (how) => {
      const held = await shares();
      const { stderr, exit } = await shell(`printf x | node "$CLI" create - ${how}`);
      const problem = 'stdout: is closed, or thrown away, and the cap with it; give -o FILE';
      expect({ stderr, exit }).toEqual({ stderr: `tahoe-mutable: ${problem}\n`, exit: 2 });
      expect(await shares()).toEqual(held);
    },
  );
});

describe('what cannot be opened at all', () => {
  test('a socket is refused by name, before it is opened', async () => {
    const socket = join(scratch, 'socket');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    for (const command of [`create ${socket}`, `put "$CAP" ${socket}`, `append "$CAP" ${socket}`]) {
      const { stderr, exit } = await shell(`node "$CLI" ${command}`);
      expect({ stderr, exit }).toEqual({
        stderr: `tahoe-mutable: ${socket}: is a socket\n`,
        exit: 2,
      });
    }
    server.close();
    expect(await held()).toEqual(Buffer.from(before));
  });
});

describe('a key from what never ends', () => {
  test('is not waited for', async () => {
    const { stderr, exit } = await shell('node "$CLI" create /dev/null --private-key /dev/zero');
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^tahoe-mutable: \/dev\/zero: unusable key: .*\n$/);
  });

  test('may come by a pipe', async () => {
    const missing = `tahoe-mutable: ${join(scratch, 'nokey')}: cannot be read: no such file or directory\n`;
    const script = `node "$CLI" create /dev/null --private-key ${join(scratch, 'nokey')}`;
    expect((await shell(script)).stderr).toBe(missing);
    const { stderr } = await shell('node "$CLI" create /dev/null --private-key <(echo nonsense)');
    expect(stderr).toMatch(/^tahoe-mutable: \/dev\/fd\/\d+: unusable key: .*\n$/);
  });
});

describe('create -o', () => {
  const create = (output: string, ...args: string[]) =>
    runHere(['create', '-', '-o', output, '--grid', grid, ...args], 'words');

  test('puts the cap into a file that only its owner can read, and prints it nowhere', async () => {
    const output = join(scratch, 'new.cap');
    const { stdout, stderr, exit } = await create(output);
    expect({ stdout: stdout.toString(), stderr, exit }).toEqual({
      stdout: `${output}: the write cap of version 1: 2 shares on 2 servers\n`,
      stderr: '',
      exit: 0,
    });
    const made = await open(output);
    expect((await made.stat()).mode & 0o777).toBe(0o600);
    await made.close();
    const text = await readFile(output, 'utf8');
    expect(text).toMatch(/^URI:MDMF:[a-z2-7]{26}:[a-z2-7]{52}\n$/);
    const read = await runHere(['get', `@${output}`, '--grid', grid]);
    expect(read.stdout.toString()).toBe('words');
    const json = await create(`${output}2`, '--json');
    expect(JSON.parse(json.stdout.toString())).toMatchObject({ output: `${output}2`, seqnum: 1 });
    expect(json.stdout.toString()).not.toMatch(/URI:[A-Z0-9-]+:(?<!Verifier:)/);
  });

  test('leaves a file that is there as it is, and makes none', async () => {
    const output = join(scratch, 'old.cap');
    await writeFile(output, 'another cap');
    const { stderr, exit } = await create(output);
    expect({ stderr, exit }).toEqual({
      stderr: `tahoe-mutable: the file ${output} is there already; it may hold a cap, so nothing is written over it\n`,
      exit: 5,
    });
    expect(await readFile(output, 'utf8')).toBe('another cap');
  });

  test('leaves none when nothing was tried', async () => {
    const output = join(scratch, 'none.cap');
    const large = join(scratch, 'large');
    await writeFile(large, '');
    await truncate(large, 5 * 2 ** 30);
    const args = ['create', large, '--format', 'sdmf', '-o', output, '--grid', grid];
    const { stderr, exit } = await runHere(args);
    const problem = 'an SDMF file has at most 268435456 bytes; make it an MDMF one';
    expect({ stderr, exit }).toEqual({
      stderr: `tahoe-mutable: size 5368709120: ${problem}\n`,
      exit: 2,
    });
    expect(await readdir(scratch)).not.toContain('none.cap');
  });
});

test.each(['append', 'update'])('%s of nothing says so', async (command) => {
  await reset();
  const offset = command === 'update' ? ['--offset', '3'] : [];
  const { stdout } = await runHere([command, cap, '/dev/null', ...offset, '--grid', grid]);
  expect(stdout.toString()).toMatch(/^version \d+: as it was, for there is nothing to write\n$/);
  expect(await held()).toEqual(Buffer.from(before));
});
