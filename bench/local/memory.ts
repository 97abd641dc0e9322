/**
 * @module memory: how much more a process needs at its peak while it publishes, streams or reads
 * 100 MiB, on servers that are folders. Each does so in a process of its own (`memory-use.ts`).
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Grid } from '../../src/grid.ts';
import { answerOf } from '../apart.ts';
import { cost, type Row } from '../figure.ts';
import { huge, MiB } from '../sizes.ts';
import { folderServers, inFolder } from './servers.ts';

const uses = ['publish', 'stream', 'read'] as const;
export type Use = (typeof uses)[number];

export async function memory(): Promise<readonly Row[]> {
  return await inFolder(async (folder) => {
    const grid = new Grid({ servers: await folderServers(folder) });
    const { readCap } = await grid.create({ contents: randomBytes(huge.size) });
    await writeFile(join(folder, 'cap'), readCap);
    const script = fileURLToPath(new URL('memory-use.js', import.meta.url));
    return uses.map((use): Row => {
      const extra = answerOf(script, [use, folder]) as number;
      const naming = { unit: 'MiB more at the peak', against: 'the file itself' };
      return cost(`memory ${use} 100 MiB, folders`, extra / MiB, huge.size / MiB, naming);
    });
  });
}
