/**
 * This client and Tahoe's own walk through the same tree: both meet the same, in the same order, count
 * the same, and say the same of the shares.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import type { Grid } from '../../src/grid.ts';
import { openGrid } from '../../src/node.ts';
import { manifestEntryOf } from '../../src/walk/met.ts';
import { bytesOf } from '../support/client-grid.ts';
import { checkedBy, sorted } from './check-lines.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

let real: RealGrid;
let theirs: Gateway;
let ours: Grid;
let root: string;
/** Files that can be changed. */
let sdmf: string;
let mdmf: string;

beforeAll(async () => {
  real = await startRealGrid();
  theirs = await real.gateway();
  ours = await openGrid(theirs.folder, { inspect });
  root = await theirs.mkdir('sdmf');
  const [sub, deep] = [await theirs.mkdir('mdmf'), await theirs.mkdir('sdmf')];
  sdmf = await theirs.put('sdmf', bytesOf(500));
  mdmf = await theirs.put('mdmf', bytesOf(300_000));
  await theirs.putChild(root, 'chk', bytesOf(3000));
  await theirs.putChild(root, 'a long one', bytesOf(200_000));
  await theirs.putChild(root, 'short', utf8('hello'));
  const link = (directory: string, name: string, cap: string) =>
    ours.openDirectory(directory).add(name, cap);
  await link(root, 'z', sub);
  await link(root, 'é', deep);
  await link(root, 'future', 'ro.x-future://read');
  await link(root, 'nothing', 'URI:DIR2-LIT:');
  await link(sub, 'up', root);
  await link(sub, 'sdmf', sdmf);
  await link(sub, 'to read', ours.open(mdmf).readCap);
  await link(sub, 'same', ours.openDirectory(deep).readCap);
  await link(deep, 'mdmf', mdmf);
  await link(deep, 'lit', `URI:LIT:${toBase32(utf8('x'))}`);
});
afterAll(async () => {
  ours?.close();
  await real.close();
});

async function manifestOf(cap: string): Promise<readonly object[]> {
  const met: object[] = [];
  for await (const it of ours.walk(cap)) met.push(manifestEntryOf(it));
  return [...met, { type: 'stats', stats: await ours.deepStats(cap) }];
}

async function checked(options: { verify?: boolean; repair?: boolean } = {}) {
  const found: [readonly string[], unknown][] = [];
  for await (const { met, examination } of ours.deepCheck(root, options)) {
    expect([met.path, met.error, examination.error]).toEqual([met.path, undefined, undefined]);
    found.push([met.path, sorted(examination.check?.results)]);
  }
  return found;
}

test('the manifest and the numbers are those of Tahoe, with a write cap and a read cap', async () => {
  for (const cap of [root, ours.openDirectory(root).readCap]) {
    expect(await manifestOf(cap)).toEqual(await theirs.walk(cap, { t: 'stream-manifest' }));
  }
});

test('a deep check says of every file what that of Tahoe says, by lists and by blocks', async () => {
  const query = { t: 'stream-deep-check' };
  expect(await checked()).toEqual(checkedBy(await theirs.walk(root, query)));
  const index = storageIndexOf(parseCap(sdmf));
  for (const position of real.servers.keys()) {
    const [shnum] = await real.sharesOf(position, index);
    if (shnum === undefined) continue;
    await real.deleteShare(position, index, shnum);
    break;
  }
  expect(await checked()).toEqual(checkedBy(await theirs.walk(root, query)));
  const verified = checkedBy(await theirs.walk(root, { ...query, verify: 'true' }));
  expect(await checked({ verify: true })).toEqual(verified);
});

test('what a deep repair has mended, Tahoe finds healthy', async () => {
  await checked({ repair: true });
  for (const [, results] of checkedBy(await theirs.walk(root, { t: 'stream-deep-check' }))) {
    expect(results).toMatchObject({ healthy: true });
  }
});
