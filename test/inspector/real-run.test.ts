import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { recordRealRun } from '../../src/inspector/real-run.ts';
import type { RealRecord } from '../../src/runtime/run-records.ts';
import { testGrid } from '../support/client-grid.ts';

test('dump', async () => {
  const records: RealRecord[] = [];
  const inspect = recordRealRun({ version: '1', write: (r) => records.push(r) });
  const { grid, create } = testGrid({
    count: 3,
    encoding: { required: 2, happy: 2, total: 3 },
    inspect,
    random: () => 0.5,
  });
  const file = await create('sdmf', utf8('contents'));
  await file.overwrite(utf8('x'));
  await file.read();
  await file.renewLeases();
  const directory = await grid.createDirectory();
  await directory.add('a', file);
  await directory.find('a');
  for await (const _ of grid.deepCheck(directory.writeCap));
  await file
    .modify(() => {
      throw new Error(`mine ${file.writeCap}`);
    })
    .catch(() => {});
  writeFileSync('/tmp/dump.jsonl', records.map((r) => JSON.stringify(r)).join('\n'));
});
