import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatCap, toReadCap, writeCapOf } from '../../src/caps.ts';
import * as complaint from '../../src/cli/complaint.ts';
import { exitCodeFor, exits, signalExits, worstOf } from '../../src/cli/exit-codes.ts';
import * as errors from '../../src/errors.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runCli, runHere } from '../support/cli.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';

const cap = writeCapOf(testKey, 'mdmf');
const writeCap = formatCap(cap);
const readCap = formatCap(toReadCap(cap));
const stranger = `URI:SSK-RO:${'a'.repeat(26)}:${'a'.repeat(52)}`;

let scratch: string;
let grid: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-exits-'));
  grid = join(scratch, 'grid');
  const encoding = { required: 1, happy: 2, total: 2 };
  await createGridFolder(grid, { servers: 2, encoding });
  await (await openGrid(grid)).create({ contents: bytesOf(100), key: testKey });
});
afterAll(() => rm(scratch, { recursive: true }));

test('every class of error has one exit code, and no other error has one', () => {
  const classes = Object.values({ ...errors, ...complaint }).filter(
    (it) => typeof it === 'function' && it.prototype instanceof errors.TahoeMutableError,
  ) as (typeof errors.TahoeMutableError)[];
  const mapped = exits.flatMap(({ errors }) => errors);
  // Those without are what others are made of.
  const codes = classes.flatMap(({ code }) => code ?? []);
  expect([...mapped].sort()).toEqual(codes.sort());
});

test('a command that never hears what it waits for has failed', async () => {
  const deaf = 'import fs from "node:fs"; fs.open = () => {};';
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(deaf)}` };
  const { exit, stdout } = await runCli(['cap', '@package.json'], { env });
  expect([exit, stdout.toString()]).toEqual([1, '']);
});

test('docs/shell.md has the same table', async () => {
  const docs = await readFile('docs/shell.md', 'utf8');
  const rows = docs.match(/^\| \d+ \|.*\|$/gm)?.map((row) => row.replaceAll('`', ''));
  expect(rows).toEqual(
    [...exits, ...signalExits].map(({ code, name, meaning, errors }) => {
      const cells = [code, name, meaning.replaceAll('`', ''), errors.join(', ')];
      return `| ${cells.join(' | ')} |`.replace('|  |', '| |');
    }),
  );
});

describe('each code is that of a real command', () => {
  const exitOf = async (...args: string[]) => (await runHere([...args, '--grid', grid], 'x')).exit;

  test('0, 2, 4, 5 and 6', async () => {
    expect([
      await exitOf('stat', readCap),
      await exitOf('stat'),
      await exitOf('stat', stranger),
      await exitOf('put', writeCap, '-', '--base', `7-${'0'.repeat(64)}`),
      await exitOf('put', readCap, '-'),
    ]).toEqual([0, 2, 4, 5, 6]);
  });

  test('3 where one server has lost its share, 1 where one is not heard that may have some', async () => {
    const [first = ''] = (await readdir(grid)).filter((name) => /^s\d/.test(name));
    await rm(join(grid, first, 'shares'), { recursive: true });
    expect(await exitOf('check', readCap)).toBe(3);
    await rm(join(grid, first), { recursive: true });
    expect([await exitOf('stat', readCap), await exitOf('stat', stranger)]).toEqual([0, 1]);
  });
});

test('a file is not there only where every server has answered, and none has what is wanted', () => {
  const code = (error: string, facts: object) => exitCodeFor({ code: error, facts: { ...facts } });
  const heard = [{ status: 'empty' }, { status: 'good' }];
  const wanted = { seqnum: 3 };
  const unavailable = (facts: object) => code('VersionUnavailableError', { wanted, ...facts });
  expect({
    absent: unavailable({ servers: heard, seen: [{ seqnum: 2 }] }),
    short: unavailable({ servers: heard, seen: [{ seqnum: 3 }] }),
    silent: unavailable({ servers: [...heard, { status: 'failed' }], seen: [] }),
    corrupt: code('UnrecoverableFileError', { servers: [{ status: 'corrupt' }], seen: [] }),
    unread: code('UnrecoverableFileError', { servers: heard, seen: [{ seqnum: 1 }] }),
  }).toEqual({ absent: 4, short: 1, silent: 1, corrupt: 1, unread: 1 });
});

test('of several files, what is least known about counts most', () => {
  expect([worstOf([]), worstOf([0, 3]), worstOf([3, 0, 4]), worstOf([6, 3, 1])]).toEqual([
    0, 3, 4, 1,
  ]);
});
