/**
 * @module recorded: what the grids of a file of tests do, as a trace, which is judged when all files
 * are through (`judge-traces.ts`).
 */
import { openSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { recordRealRun } from '../../src/inspector/real-run.ts';
import type { RealRecord } from '../../src/runtime/run-records.ts';

let file: number | undefined;

/** Written at once: nobody closes it. */
function write(record: RealRecord): void {
  const { testPath = 'none' } = expect.getState();
  file ??= openSync(join(folder, `${basename(testPath, '.interop.ts')}.jsonl`), 'w');
  writeSync(file, `${JSON.stringify(record)}\n`);
}

const folder = process.env.INTEROP_TRACES as string;
const early: RealRecord[] = [];

/** For each grid that a test opens. */
export const inspect = recordRealRun({
  version: 'interop',
  // The header comes before any test does.
  write: (record) => {
    if (record.kind === 'header') early.push(record);
    else for (const one of [...early.splice(0), record]) write(one);
  },
});
