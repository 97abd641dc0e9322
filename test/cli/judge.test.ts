import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { runHere } from '../support/cli.ts';
import { falsehoods, recordOf, told } from '../support/falsehoods.ts';
import { asRealRun } from '../support/real-trace.ts';

let folder: string;
let trace: readonly TraceRecord[];
let broken: readonly TraceRecord[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-judge-'));
  const record = await recordOf('overwrite');
  trace = record.trace;
  const [lie] = falsehoods.find(({ id }) => id === 'U4')?.lies ?? [];
  broken = told(trace, lie as NonNullable<typeof lie>, record.names);
});
afterAll(() => rm(folder, { recursive: true }));

const linesOf = (records: readonly TraceRecord[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

async function judge(text: string | Uint8Array, ...more: readonly string[]) {
  const file = join(folder, 'run.jsonl');
  await writeFile(file, text);
  const { stdout, stderr, exit } = await runHere(['judge', file, ...more]);
  const plain = (said: string) => said.replaceAll(file, 'run.jsonl');
  return { stdout: plain(stdout.toString()), stderr: plain(stderr.toString()), exit };
}

test('a simulated run: all is decided, and holds', async () => {
  expect(await judge(linesOf(trace))).toEqual({
    stdout: 'run.jsonl: a simulated run, 2 operations\n  43 of 43 properties decided: all hold\n',
    ...{ stderr: '', exit: 0 },
  });
});

test('a real run that was killed: what is before the cut is judged', async () => {
  const text = linesOf(asRealRun(trace));
  const cut = text.slice(0, text.length / 2);
  const line = cut.split('\n').length;
  const { stdout, exit } = await judge(cut);
  const [about, note, decided, ...undecided] = stdout.split('\n');
  expect([about, note, decided, exit]).toEqual([
    'run.jsonl: a real run, 1 operation, 1 unfinished',
    `  line ${line}, the last one, is cut off; what is before it is judged`,
    '  26 of 43 properties decided: all hold',
    0,
  ]);
  expect(undecided[0]).toMatch(/^ {2}undecided U7 U11 .*: what the servers hold/);
});

test('a violation names its record and its chart, and the exit code is 3', async () => {
  const { stdout, exit } = await judge(linesOf(asRealRun(broken)));
  const why = 'exhausted, and s3 is asked';
  const end = asRealRun(broken).find(({ kind, ...record }) => {
    return kind === 'end' && 'chart' in record && record.chart === 'servermapUpdate';
  }) as TraceRecord;
  const { seq } = end;
  expect(stdout).toContain(
    `  ✗ U4 exhausted means everybody: ${why} (record ${seq}, w1/writeFile/servermapUpdate)\n`,
  );
  expect(exit).toBe(3);
  const json = JSON.parse((await judge(linesOf(asRealRun(broken)), '--json')).stdout);
  expect(json.traces[0]).toMatchObject({ run: 'real', operations: 2, decided: 26, note: null });
  expect(json.traces[0].properties.find(({ id }: { id: string }) => id === 'U4')).toEqual({
    ...{ id: 'U4', name: 'exhausted means everybody', verdict: 'violated', because: why },
    statement: 'An update is exhausted only when every server has answered, failed or timed out.',
    ...{ record: seq, actor: 'w1/writeFile/servermapUpdate' },
  });
});

test('what is no trace of this format is refused by its line, with exit code 2', async () => {
  expect(await judge(linesOf(trace).replace('-trace 2', '-trace 1'))).toEqual({
    stdout: '',
    stderr:
      'tahoe-mutable: run.jsonl: line 1: the format is "tahoe-mutable-trace 1"; only "tahoe-mutable-trace 2" is read\n',
    exit: 2,
  });
  const away = await runHere(['judge', join(folder, 'away')]);
  expect(away).toMatchObject({ exit: 2 });
  expect(away.stderr.toString()).toContain('cannot be read: no such file or directory');
});

const header =
  '{"kind":"header","format":"tahoe-mutable-trace 2","about":{"run":"real"},"seq":0,"at":0,"step":0}\n';

test('an empty file, and what is compressed or no UTF-8, is refused by name', async () => {
  for (const [bytes, problem] of [
    ['', 'is empty'],
    [gzipSync(header), 'is compressed (gzip)'],
    [Buffer.from(header, 'utf16le'), 'is not UTF-8'],
  ] as const) {
    const stderr = `tahoe-mutable: run.jsonl: ${problem}\n`;
    expect(await judge(bytes)).toEqual({ stdout: '', stderr, exit: 2 });
  }
});

test('where nothing was run there is nothing to decide: of no kind of run, with exit code 1', async () => {
  const nothing = 'run.jsonl: there is no operation in it';
  const stdout = `${nothing}\n  nothing to decide\n`;
  expect(await judge(header)).toEqual({ stdout, stderr: '', exit: 1 });
  expect(await judge(header.slice(0, 20))).toEqual({
    stdout: `${nothing} (line 1, the last one, is cut off)\n  nothing to decide\n`,
    ...{ stderr: '', exit: 1 },
  });
  const json = JSON.parse((await judge(header, '--json')).stdout);
  expect(json.traces[0]).toMatchObject({ run: null, operations: 0, decided: 0, violated: 0 });
});

test('of several files each is judged, whatever the others are; the worst exit code wins', async () => {
  const [good, empty, bad, away] = ['good', 'empty', 'bad', 'away'].map((it) => join(folder, it));
  await writeFile(good as string, linesOf(trace));
  await writeFile(empty as string, header);
  await writeFile(bad as string, linesOf(asRealRun(broken)));
  const judgeAll = (...files: readonly (string | undefined)[]) =>
    runHere(['judge', ...(files as string[])]);
  const all = await judgeAll(away, good, folder, bad, empty);
  expect(all.stdout.toString().match(/^\S+: .*/gm)).toEqual([
    `${good}: a simulated run, 2 operations`,
    `${bad}: a real run, 2 operations`,
    `${empty}: there is no operation in it`,
  ]);
  expect(all).toMatchObject({
    stderr:
      `tahoe-mutable: ${away}: cannot be read: no such file or directory\n` +
      `tahoe-mutable: ${folder}: is not a regular file\n`,
    exit: 2,
  });
  expect((await judgeAll(good, empty, bad)).exit).toBe(3);
  expect((await judgeAll(good, empty)).exit).toBe(1);
  const { stdout } = await judgeAll(good, away, '--json');
  const { traces } = JSON.parse(stdout.toString());
  expect(traces[0]).toMatchObject({ file: good, decided: 43, violated: 0 });
  expect(traces[1]).toEqual({ file: away, problem: 'cannot be read: no such file or directory' });
});
