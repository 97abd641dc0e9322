/**
 * @module judge-traces: the runs that the interop suite has recorded, judged when it is through.
 * A violation fails the suite, and so does a recording with less in it than was always there.
 *
 * `INTEROP_TRACES` names a folder in which they stay, for `tahoe-mutable judge`.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { readTrace } from '../../src/inspector/read-trace.ts';
import { judgeTrace } from '../../src/simulation/judge-trace.ts';
import { partsOf } from '../../src/simulation/judgement-parts.ts';

/**
 * What the whole suite records, and how many properties some run decides: less means that a grid is
 * recorded no more, or that records have lost what properties are judged by.
 */
const expected = { runs: 11, operations: 950, decided: 26 };

let project: TestProject;
let kept: string | undefined;
let folder: string;

export async function setup(its: TestProject): Promise<void> {
  project = its;
  kept = process.env.INTEROP_TRACES;
  folder = kept ?? (await mkdtemp(join(tmpdir(), 'tahoe-mutable-traces-')));
  process.env.INTEROP_TRACES = folder;
}

export async function teardown(): Promise<void> {
  const problems: string[] = [];
  const decidedIds = new Set<string>();
  const found = { runs: 0, operations: 0, decided: 0 };
  for (const name of (await readdir(folder)).sort()) {
    const read = readTrace(await readFile(join(folder, name), 'utf8'));
    const judged = read.kind === 'refused' ? read : judgeTrace(read.records);
    if (judged.kind === 'refused') {
      problems.push(`${name}: ${judged.problem}`);
      continue;
    }
    const { operations, files, properties } = judged;
    const { decided, outcome, violated, undecided, holds } = partsOf(judged);
    console.log(
      `judged ${name}: ${operations} operations on ${files} files, ` +
        `${decided} of ${properties.length} properties decided: ${outcome}`,
    );
    for (const { id, verdict } of violated) {
      problems.push(`${name}: ${id}: ${verdict.because} (record ${verdict.seq}, ${verdict.actor})`);
    }
    // A doubt is worth a look.
    for (const [because, [doubted]] of undecided) {
      if (/^v\d|^\S+ met/.test(because)) console.log(`  ${doubted?.id} undecided: ${because}`);
    }
    if (operations === 0) problems.push(`${name}: there is no operation in it`);
    found.runs++;
    found.operations += operations;
    for (const { id } of [...violated, ...holds]) decidedIds.add(id);
  }
  found.decided = decidedIds.size;
  console.log(
    `judged ${found.runs} real runs, ${found.operations} operations: ` +
      `${found.decided} properties decided, ${problems.length} problems`,
  );
  // Of a part of the suite less is expected.
  if (await isWhole()) {
    for (const what of ['runs', 'operations', 'decided'] as const) {
      if (found[what] >= expected[what]) continue;
      problems.push(`${what}: ${found[what]}, where ${expected[what]} are expected`);
    }
  }
  if (kept === undefined) await rm(folder, { recursive: true });
  if (problems.length === 0) return;
  // Vitest tells of what a teardown throws, and succeeds all the same.
  process.exitCode = 1;
  throw new Error(`traces of the interop suite:\n${problems.join('\n')}`);
}

async function isWhole(): Promise<boolean> {
  const { state, config } = project.vitest;
  const { testFiles } = await project.globTestFiles();
  return config.testNamePattern === undefined && state.getFiles().length === testFiles.length;
}
