/**
 * @module memory-use: publishes, streams or reads 100 MiB once, and prints how many bytes more were
 * resident at the peak than before. What a process needs for its first small file does not count.
 *
 *     node memory-use.js publish|stream|read FOLDER
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Grid } from '../../src/grid.ts';
import type { Plaintext } from '../../src/share/plaintext.ts';
import { huge, small } from '../sizes.ts';
import { memoryOf, resetPeak } from '../usage.ts';
import type { Use } from './memory.ts';
import { folderServers } from './servers.ts';

const [use, folder] = process.argv.slice(2) as [Use, string];
const grid = new Grid({ servers: await folderServers(folder) });
await (await grid.create({ contents: source(small.size) })).read();
const file = grid.open(await readFile(join(folder, 'cap'), 'utf8'));

resetPeak();
const before = memoryOf().now;
if (use === 'publish') await grid.create({ contents: source(huge.size) });
else if (use === 'read') await file.read();
else for await (const _ of file.stream());
console.log(JSON.stringify(memoryOf().peak - before));

/** As from a file: never in memory as a whole. */
function source(size: number): Plaintext {
  return { size, read: async (_, length) => new Uint8Array(length).fill(1) };
}
