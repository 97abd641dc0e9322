/**
 * @module trees: directories within directories, on a small grid in memory, with keys of the vectors.
 */
import { readFileSync } from 'node:fs';
import { toBase32, utf8 } from '../../src/bytes.ts';
import { formatImmutableCap, immutableStorageIndexOf } from '../../src/immutable/caps.ts';
import { diskOf } from '../../src/storage/memory.ts';
import type { DeepStats } from '../../src/walk/stats.ts';
import { encodeChk } from './chk.ts';
import { type TestGrid, testGrid } from './client-grid.ts';
import { vectorKey } from './directories.ts';

/** What Tahoe's gateway said of one tree. */
export const walkVectors: {
  readonly 'stream-manifest': readonly TahoeLine[];
  readonly 'stream-deep-check': readonly TahoeLine[];
  readonly 'stream-deep-check&repair=true': readonly TahoeLine[];
  readonly 'start-deep-check': Readonly<Record<string, unknown>>;
  readonly 'start-deep-check&repair=true': Readonly<Record<string, unknown>>;
} = JSON.parse(readFileSync(new URL('../vectors/walks.json', import.meta.url), 'utf8'));

export type TahoeLine = Readonly<Record<string, unknown>> & {
  readonly path?: readonly string[];
  readonly stats?: DeepStats;
};

/** Everything that a walk gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const lit = (text: string): string => `URI:LIT:${toBase32(utf8(text))}`;

/** A grid of two servers, one of which is enough. */
export function smallGrid(options: Parameters<typeof testGrid>[0] = {}): TestGrid {
  return testGrid({ count: 2, encoding: { required: 1, happy: 2, total: 2 }, ...options });
}

/** Puts an immutable file on the servers, a share on each. @returns its cap */
export async function putImmutable(
  servers: TestGrid['servers'],
  contents: Uint8Array,
): Promise<string> {
  const file = await encodeChk(contents, { required: 1, total: servers.length });
  const index = immutableStorageIndexOf(file.cap);
  for (const [i, server] of servers.entries()) {
    diskOf(server).setImmutable(index, i, file.shares[i]!);
  }
  return formatImmutableCap(file.cap);
}

/**
 *     unknown, chk, lit, "lit dir", other/{later, twin}, sub/{back, file, other}
 *
 * `sub/back` leads to the root, `other/twin` to `sub/file` but only to read it, `sub/other` is the
 * `other` of the root, and `other/later` its `sub`.
 */
export async function tahoeLikeTree(on: TestGrid) {
  const { grid, servers } = on;
  const chk = await putImmutable(servers, new Uint8Array(3000));
  const file = await grid.create({ format: 'sdmf', key: await vectorKey(13) });
  const root = await grid.createDirectory({ format: 'sdmf', key: await vectorKey(15) });
  const other = await grid.createDirectory({ key: await vectorKey(12) });
  const sub = await grid.createDirectory({
    key: await vectorKey(14),
    children: [
      { name: 'back', child: root },
      { name: 'file', child: file },
      { name: 'other', child: other.readCap },
    ],
  });
  await other.addAll([
    { name: 'later', child: sub.readCap },
    { name: 'twin', child: file.readCap },
  ]);
  await root.addAll([
    { name: 'sub', child: sub },
    { name: 'unknown', child: { read: 'ro.x-tahoe-future://read' } },
    { name: 'lit', child: lit('hello') },
    { name: 'chk', child: chk },
    { name: 'other', child: other },
    { name: 'lit dir', child: 'URI:DIR2-LIT:' },
  ]);
  return { root, sub, other, file, chk };
}
