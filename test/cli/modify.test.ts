import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { modifierOf } from '../../src/cli/commands/modify.ts';
import { createGridFolder, openGrid } from '../../src/node.ts';
import { runHere } from '../support/cli.ts';
import { useVectorKeys } from '../support/directories.ts';

let scratch: string;
let cap: string;

useVectorKeys();
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-modify-'));
  await createGridFolder(scratch, { servers: 1, encoding: { required: 1, happy: 1, total: 1 } });
  const grid = await openGrid(scratch);
  cap = (await grid.create({ contents: utf8('one two\n') })).writeCap;
  grid.close();
});
afterAll(() => rm(scratch, { recursive: true }));

async function run(...args: readonly string[]) {
  const { stdout, stderr, exit } = await runHere(['--grid', scratch, ...args], cap);
  return [stdout.toString() + stderr, exit];
}
const get = async () => (await run('get', '-'))[0];

test('a program makes new contents of the old ones', async () => {
  expect(await run('modify', '-', '--exec', 'tr', 'a-z', 'A-Z')).toEqual([
    expect.stringMatching(/^version 2, built on version 1 /),
    0,
  ]);
  expect(await run('modify', '-', '--exec', 'sh', '--', '-c', 'cat; echo more')).toEqual([
    expect.stringMatching(/^version 3, /),
    0,
  ]);
  expect(await get()).toBe('ONE TWO\nmore\n');
  expect(await run('modify', '-', '--exec', 'cat')).toEqual(['nothing had to be changed\n', 0]);
});

test('where it fails, or cannot be run, nothing is written', async () => {
  const before = await get();
  expect(await run('modify', '-', '--exec', 'sh', '--', '-c', 'echo half; exit 7')).toEqual([
    'tahoe-mutable: sh exited with 7; nothing was written\n',
    1,
  ]);
  const [told] = await run('modify', '-', '--json', '--exec', 'sh', '--', '-c', 'kill -9 $$');
  expect(JSON.parse(String(told).split('tahoe-mutable:')[0] as string).error).toEqual({
    code: 'CommandFailedError',
    message: 'sh was ended by SIGKILL; nothing was written',
    facts: { program: 'sh', exitCode: null, signal: 'SIGKILL' },
  });
  expect(await run('modify', '-', '--exec', join(scratch, 'none'))).toEqual([
    `tahoe-mutable: --exec: ${join(scratch, 'none')}: cannot be run: ENOENT\n`,
    2,
  ]);
  expect(await get()).toBe(before);
});

test('an option of the program that stands before "--" is refused with a hint', async () => {
  expect(await run('modify', '-', '--exec', 'sh', '-c', 'cat')).toEqual([
    `tahoe-mutable: unknown option '-c'; options of CMD go behind "--": --exec CMD -- ARGS\n`,
    2,
  ]);
});

test('where others write at every attempt, a line names three of the shares, and facts name all', async () => {
  const wide = join(scratch, 'wide');
  await createGridFolder(wide, { servers: 5, encoding: { required: 1, happy: 5, total: 5 } });
  const opened = await openGrid(wide);
  const file = await opened.create({ contents: utf8('0') });
  // What the rivals of both attempts leave behind.
  for (const n of [0, 1, 2]) {
    if (n > 0) await file.append('r');
    await cp(wide, `${wide}-${n}`, { recursive: true });
  }
  await cp(`${wide}-0`, wide, { recursive: true });
  const rival = `cp -r ${wide}-$TAHOE_MUTABLE_ATTEMPT/. ${wide}; echo mine`;
  const how = ['--attempts', '2', '--json', '--exec', 'sh', '--', '-c', rival];
  const { stdout, stderr, exit } = await runHere(
    ['--grid', wide, 'modify', '-', ...how],
    file.writeCap,
  );
  expect(exit).toBe(5);
  expect(stderr).toMatch(
    /^tahoe-mutable: somebody else has written to this file at each of 2 attempts, the last time (share \d on s0\d \[[a-z2-7]{8}\], ){2}share \d on s0\d \[[a-z2-7]{8}\] and 2 more; try again when fewer write, or with more --attempts\n$/,
  );
  expect(JSON.parse(stdout.toString()).error.facts.surprises).toHaveLength(5);
});

test('each attempt is told its number and its version, and what the program complains of is seen', async () => {
  const stderr = new PassThrough();
  const script = 'cat >&2; echo $TAHOE_MUTABLE_ATTEMPT $TAHOE_MUTABLE_SEQNUM';
  const { signal } = new AbortController();
  const modifier = modifierOf(['sh', '-c', script], { signal, stderr });
  expect(await modifier(utf8('seen'), { attempt: 1, seqnum: 7 })).toEqual(utf8('2 7\n'));
  expect(stderr.read().toString()).toBe('seen');
  // Whoever does not read what there is may still print.
  const deaf = modifierOf(['sh', '-c', 'exec <&-; echo'], { signal, stderr });
  expect(await deaf(new Uint8Array(1 << 20), { attempt: 0, seqnum: 1 })).toEqual(utf8('\n'));
});

test('an interruption ends the program', async () => {
  const ending = new AbortController();
  const { signal } = ending;
  const modifier = modifierOf(['sh', '-c', 'echo begun >&2; exec cat /dev/zero'], {
    signal,
    stderr: new PassThrough().on('data', () => ending.abort(new Error('enough'))),
  });
  await expect(modifier(new Uint8Array(0), { attempt: 0, seqnum: 1 })).rejects.toThrow('enough');
});
