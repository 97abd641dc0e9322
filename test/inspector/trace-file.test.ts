import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { TraceError } from '../../src/errors.ts';
import { createInspector } from '../../src/inspector/server.ts';
import { TraceFile } from '../../src/inspector/trace-file.ts';
import { runHere } from '../support/cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trace-file-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.useRealTimers());

const there = 'exists already: name another file, or remove it';

describe('a file that is there', () => {
  test('is never written over', async () => {
    const trace = join(folder, 'crash.jsonl');
    await writeFile(trace, 'the crash before');
    await expect(createInspector({ page: folder, trace })).rejects.toEqual(
      new TraceError(trace, there, { isTaken: true }),
    );
    const ended = await runHere(['inspect', '--no-wait', '--trace', trace, '--', 'cap', '-']);
    expect(ended).toMatchObject({ stderr: `tahoe-mutable: ${trace}: ${there}\n`, exit: 5 });
    expect(await readFile(trace, 'utf8')).toBe('the crash before');
  });
});

describe('nothing is left behind', () => {
  const trace = () => join(folder, 'none.jsonl');

  test('by --trace without a command, which is a usage error', async () => {
    expect(await runHere(['inspect', '--no-wait', '--trace', trace()])).toMatchObject({
      stderr:
        'tahoe-mutable: --trace: of which run? Say a command: inspect --trace FILE -- get CAP\n',
      exit: 2,
    });
    expect(existsSync(trace())).toBe(false);
  });

  test.each([['nonsense'], ['get', 'URI:nonsense']])(
    'by a command that runs nothing: %s',
    async (...words) => {
      const { exit } = await runHere(['inspect', '--no-wait', '--trace', trace(), '--', ...words]);
      expect([exit, existsSync(trace())]).toEqual([2, false]);
    },
  );
});

describe('a trace that does not drain', () => {
  test('ends by itself, is told, and keeps nothing open', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(TraceFile.open(pipe, () => {})).rejects.toEqual(
      new TraceError(pipe, 'cannot be written: nobody reads it'),
    );
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const told: string[] = [];
    const pipes = () => process.getActiveResourcesInfo().filter((it) => it === 'PipeWrap').length;
    const before = pipes();
    const file = await TraceFile.open(pipe, ({ message }) => told.push(message));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    for (let i = 0; i < 4; i++) file.write('x'.repeat(100_000));
    const closing = file.close();
    await vi.advanceTimersByTimeAsync(4999);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await closing;
    expect(told).toEqual([`${pipe}: the trace is incomplete: nothing was taken for 5 s`]);
    vi.useRealTimers();
    await vi.waitFor(() => expect(pipes()).toBe(before));
    closeSync(reader);
    expect(existsSync(pipe)).toBe(true);
  });

  test('and one that does, of more than a batch, is complete', async () => {
    const path = join(folder, 'long.jsonl');
    const file = await TraceFile.open(path, (problem) => {
      throw problem;
    });
    const line = 'y'.repeat(99_999);
    for (let i = 0; i < 30; i++) file.write(line);
    await file.close();
    expect(await readFile(path, 'utf8')).toBe(`${line}\n`.repeat(30));
  });
});
