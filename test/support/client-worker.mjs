/**
 * @module client-worker: the other process of `test/client/processes.test.ts`, started as
 * `node client-worker.mjs <built src> <task> <JSON: servers, encoding, cap and the task's own>`.
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { numbered } from './numbered-contents.mjs';

const [built, task, json] = process.argv.slice(2);
const { Grid } = await import(`${built}/grid.js`);
const { DirectoryServer } = await import(`${built}/storage/directory.js`);

const { servers, encoding, cap, ...about } = JSON.parse(json);
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const grid = new Grid({
  encoding,
  servers: servers.map(
    ({ tubId, permutationSeed, ...rest }) =>
      new DirectoryServer({
        ...rest,
        tubId: bytes(tubId),
        permutationSeed: bytes(permutationSeed),
      }),
  ),
});
const file = grid.open(cap);

/** Adds `count` lines, each by a modification of its own. */
async function lines({ name, count }) {
  for (let n = 0; n < count; n++) {
    const line = `${name} ${n}`;
    const modifier = (contents) => {
      const text = Buffer.from(contents).toString();
      return text.split('\n').includes(line) ? undefined : Buffer.from(`${text}${line}\n`);
    };
    await file.modify(modifier, { attempts: 100, backoffMs: 5 });
    writeSync(1, `${line}\n`);
  }
}

/** Writes, reads and changes a large file, and says how much memory that took, in KiB. */
async function large({ size }) {
  const contents = numbered(7, true, size);
  await file.overwrite(contents);
  const offset = Math.floor(size / 2);
  const patch = Buffer.alloc(1000, 'patch');
  const { inPlace } = await file.update(patch, offset);
  patch.copy(contents, offset);
  const whole = await file.read();
  let streamed = 0;
  for await (const piece of file.stream()) {
    const expected = contents.subarray(streamed, streamed + piece.length);
    if (Buffer.compare(piece, expected) !== 0) throw new Error(`differs after ${streamed}`);
    streamed += piece.length;
  }
  const isEqual = Buffer.compare(whole, contents) === 0 && streamed === size;
  const maxRSS = peakMemory();
  writeSync(1, JSON.stringify({ inPlace, isEqual, maxRSS }));
}

if (task === 'large') await large(about);
if (task === 'lines') await lines(about);

/**
 * In KiB. What `resourceUsage` tells on Linux begins with the peak of whoever started this process.
 */
function peakMemory() {
  const status = '/proc/self/status';
  if (!existsSync(status)) return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))[1]);
}
