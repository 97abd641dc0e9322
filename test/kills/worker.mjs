/**
 * @module worker: a process that writes, and is killed in the middle of it.
 *
 * Started as `node worker.mjs <built src> <JSON: servers, encoding, cap, kind, number, point>`, with
 * the point of its death (see `death.mjs`). Without one it lives, and says how many changes of the
 * disk there were.
 */
import { writeSync } from 'node:fs';
import { contentsOf } from './contents.mjs';
import { dieAt } from './death.mjs';
import { patient } from './patience.mjs';

const [built, json] = process.argv.slice(2);
const { servers, encoding, cap, kind, number, point } = JSON.parse(json);

const changes = await dieAt(point);

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
writeSync(1, JSON.stringify(changes));
