/**
 * @module worker: a process that writes, and is killed in the middle of it.
 *
 * Started as `node worker.mjs <built src> <JSON: servers, encoding, cap, kind, number, point>`. It
 * counts its changes of the disk, and at the wanted one sends itself SIGKILL: before the system
 * call, while a thread is in it, or when it is done. So no kill misses the write, and where it falls
 * is known from the seed. Without a point it lives, and says how many changes there were.
 */
import { writeSync } from 'node:fs';
import fs, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { contentsOf } from './contents.mjs';
import { patient } from './patience.mjs';

const [built, json] = process.argv.slice(2);
const { servers, encoding, cap, kind, number, point } = JSON.parse(json);

let changes = 0;
let renames = 0;
function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** Counts the calls of one function, and dies at the wanted one. */
function watch(holder, name) {
  const real = holder[name];
  holder[name] = function watched(...args) {
    changes += 1;
    if (name === 'rename') renames += 1;
    const isLast =
      point?.of === 'rename' ? name === 'rename' && renames === point.at : changes === point?.at;
    if (isLast && point.when === 'before') die();
    const result = real.apply(this, args);
    if (isLast && point.when === 'during') die();
    return isLast ? result.finally(die) : result;
  };
}

for (const name of ['rename', 'copyFile', 'mkdir', 'rm']) watch(fs, name);
syncBuiltinESMExports();
const file = await open(process.execPath);
const handles = Object.getPrototypeOf(file);
await file.close();
for (const name of ['write', 'truncate', 'sync', 'chmod', 'chown']) watch(handles, name);

const { Grid } = await import(`${built}/grid.js`);
const { DirectoryServer } = await import(`${built}/storage/directory.js`);
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const grid = new Grid({
  ...patient,
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
const target = grid.open(cap);

const contents = contentsOf(kind, number);
// What a writer left that was killed is newer, and may be too little to be read: hence the force.
if (kind === 'inPlace') await target.update(contents.subarray(0, 8), 0, { force: true });
else await target.overwrite(contents, { force: true });
writeSync(1, JSON.stringify({ change: changes, rename: renames }));
