/**
 * A settings store that two processes use at once. Each counts its own setting up to ten, and both
 * say who was the last: no change of either is lost, though they collide all the time.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGridFolder, openGrid } from 'tahoe-mutable/node';
import { Settings } from './settings.mjs';

const folder = await mkdtemp(join(tmpdir(), 'settings-'));
try {
  const encoding = { required: 2, happy: 3, total: 4 };
  const path = await createGridFolder(join(folder, 'grid'), { servers: 4, encoding });
  const grid = await openGrid(path);
  const file = await grid.create();

  const programs = ['ann', 'bob'].map((name) => {
    const program = fork(new URL('program.mjs', import.meta.url));
    // A cap is a secret: it goes by a channel, not by the command line.
    program.send({ path, cap: file.writeCap, name });
    return program;
  });
  for (const [code] of await Promise.all(programs.map((it) => once(it, 'exit')))) {
    assert.equal(code, 0);
  }

  const { lastBy, ...counts } = await new Settings(file).all();
  assert.deepEqual(counts, { ann: 10, bob: 10 });
  const { seqnum } = await file.stat();
  console.log(`40 changes by two processes, ${seqnum} versions; the last was by ${lastBy}`);
  grid.close();
} finally {
  await rm(folder, { recursive: true });
}
