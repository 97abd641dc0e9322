/**
 * @module judge-traces: the runs that the interop suite has recorded, judged when it is through.
 * A violation fails the suite, and so does a trace without operations.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTrace } from '../../src/inspector/read-trace.ts';
import { judgeTrace } from '../../src/simulation/judge-trace.ts';

let folder: string;

export async function setup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-traces-'));
  process.env.INTEROP_TRACES = folder;
}

export async function teardown(): Promise<void> {
  const problems: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const read = readTrace(await readFile(join(folder, name), 'utf8'));
    const judged = read.kind === 'refused' ? read : judgeTrace(read.records);
    if (judged.kind === 'refused') {
      problems.push(`${name}: ${judged.problem}`);
      continue;
    }
    const { operations, files, properties } = judged;
    const decided = properties.filter(({ verdict }) => verdict.kind !== 'undecided');
    const violated = decided.filter(({ verdict }) => verdict.kind === 'violated');
    console.log(
      `judged ${name}: ${operations} operations on ${files} files, ${decided.length} properties ` +
        `decided, ${violated.length} violated`,
    );
    for (const { id, verdict } of properties) {
      if (verdict.kind === 'violated') problems.push(`${name}: ${id}: ${JSON.stringify(verdict)}`);
      // A doubt is worth a look.
      else if (verdict.kind === 'undecided' && /^v\d|^\S+ met/.test(verdict.because))
        console.log(`  ${id} undecided: ${verdict.because}`);
    }
    if (operations === 0) problems.push(`${name}: there is no operation in it`);
  }
  if (problems.length > 0) throw new Error(`traces of the interop suite:\n${problems.join('\n')}`);
  await rm(folder, { recursive: true });
}
