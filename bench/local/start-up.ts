/**
 * @module start-up: how long the command takes that does next to nothing, against Node that does
 * nothing, in turns with it: wall time from start to end.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGridFolder } from '../../src/description/grid-folder.ts';
import { openGrid } from '../../src/open-grid.ts';
import { costInPairs, type Row } from '../figure.ts';
import { projectRoot } from '../root.ts';
import { small } from '../sizes.ts';
import { inPairs } from '../statistics.ts';
import { inFolder } from './servers.ts';

export async function startUp(quick: boolean): Promise<readonly Row[]> {
  const { bin } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  const main = join(projectRoot, bin['tahoe-mutable']);
  return await inFolder(async (folder) => {
    const path = join(folder, 'grid');
    await createGridFolder(path);
    const grid = await openGrid(path);
    const { readCap } = await grid.create({ contents: randomBytes(small.size) });
    grid.close();
    const cap = join(folder, 'cap');
    await writeFile(cap, readCap);
    const commands = {
      '--help': ['--help'],
      cap: ['cap', `@${cap}`],
      get: ['--grid', path, 'get', `@${cap}`],
    };
    const rows: Row[] = [];
    for (const [name, args] of Object.entries(commands)) {
      const pairs = await inPairs(
        quick ? 7 : 21,
        () => wallOf([main, ...args]),
        () => wallOf(['-e', '0']),
      );
      rows.push(costInPairs(`start-up ${name}`, pairs, { unit: 'ms', against: 'bare node' }));
    }
    return rows;
  });
}

function wallOf(args: readonly string[]): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}
