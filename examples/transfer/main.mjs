/** The service at work: an upload that is watched, a download, and an upload that is given up. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Grid, MemoryServer } from 'tahoe-mutable';
import { transferService } from './service.mjs';

const servers = [0, 1, 2, 3].map((i) => new MemoryServer({ id: `s${i}` }));
const grid = new Grid({ servers, encoding: { required: 2, happy: 3, total: 4 } });
const directory = await grid.createDirectory();
const service = transferService(grid, directory).listen(0, '127.0.0.1');
await once(service, 'listening');
const address = `http://127.0.0.1:${service.address().port}`;

const photo = randomBytes(5_000_000);
const put = (name, signal) =>
  fetch(`${address}/${name}`, { method: 'PUT', body: photo, ...(signal && { signal }) });

const steps = (await (await put('photo.jpg')).text())
  .trim()
  .split('\n')
  .map((it) => JSON.parse(it));
const phases = [...new Set(steps.map(({ phase }) => phase).filter(Boolean))];
console.log(`uploaded in ${steps.length} steps: ${phases.join(', ')}`);
assert.deepEqual(steps.at(-1), { stored: 'photo.jpg', bytes: photo.length });

const back = await fetch(`${address}/photo.jpg`);
assert.ok(photo.equals(Buffer.from(await back.arrayBuffer())));

// The client sees the first step of an upload, and goes away.
const leaving = new AbortController();
const begun = await put('other.jpg', leaving.signal);
await begun.body.getReader().read();
leaving.abort();
assert.equal((await fetch(`${address}/other.jpg`)).status, 404);
const names = (await directory.list()).map(({ name }) => name);
assert.deepEqual(names, ['photo.jpg']);
console.log('downloaded the same bytes; the upload that was given up left no name');

service.close();
service.closeAllConnections();
grid.close();
