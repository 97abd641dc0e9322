/**
 * This client and Tahoe's own share directories: each lists what the other made, and neither loses or
 * rewrites what the other put there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesToHex, toBase32, utf8 } from '../../src/bytes.ts';
import { parseTable } from '../../src/directory/table.ts';
import type { Directory } from '../../src/directory.ts';
import type { Grid } from '../../src/grid.ts';
import { openGrid } from '../../src/node.ts';
import { bytesOf, expectBytes } from '../support/client-grid.ts';
import { directoryCase, type GatewayListing, gatewayChildrenOf } from '../support/directories.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

const formats = ['sdmf', 'mdmf'] as const;
const lit = (text: string) => `URI:LIT:${toBase32(utf8(text))}`;
const unknown = { write: 'x-future://write', read: 'x-future://read' };

let real: RealGrid;
let theirs: Gateway;
let ours: Grid;
beforeAll(async () => {
  real = await startRealGrid();
  theirs = await real.gateway();
  ours = await openGrid(theirs.folder, { inspect });
});
afterAll(async () => {
  ours?.close();
  await real.close();
});

const childrenIn = async (directory: Directory) => gatewayChildrenOf(await directory.list());
const childrenSeen = async (cap: string): Promise<GatewayListing[1]['children']> =>
  (await theirs.list(cap))[1].children;

/** Each entry, by name. */
async function entriesOf(directory: Directory): Promise<Map<string | undefined, string>> {
  const { entries } = parseTable(await directory.file!.read());
  return new Map(entries.map(({ name, bytes }) => [name, bytesToHex(bytes)]));
}

describe.each(formats)('a directory (%s)', (format) => {
  test('that this client made is listed by Tahoe, with its write cap and with its read cap', async () => {
    const file = await ours.create({ format, contents: bytesOf(1000) });
    const inner = await ours.createDirectory({ format });
    const { children: kinds } = directoryCase('all kinds, initial children, SDMF');
    const chk = (kinds as GatewayListing[1]['children'])['chk file']![1].ro_uri as string;
    const directory = await ours.createDirectory({
      format,
      children: [
        { name: 'cafe\u0301 \u{1f600}', child: file, metadata: { n: [1, 2.5, 'é'], ctime: 9.5 } },
        { name: 'inner', child: inner },
        { name: 'a/b', child: lit('hello') },
        { name: 'chk', child: chk },
        { name: 'future', child: unknown },
        { name: 'verify', child: file.verifyCap },
      ],
    });
    expect(await childrenSeen(directory.writeCap)).toEqual(await childrenIn(directory));
    const reader = ours.openDirectory(directory.readCap);
    expect(await childrenSeen(directory.readCap)).toEqual(await childrenIn(reader));
    const [, about] = await theirs.list(directory.writeCap);
    expect(about).toMatchObject({
      rw_uri: directory.writeCap,
      ro_uri: directory.readCap,
      verify_uri: directory.verifyCap,
      mutable: true,
    });
    expect((await theirs.check(directory.writeCap, { verify: true })).results.healthy).toBe(true);
  });

  test('is edited by both in turn, and each leaves the entries of the other as they are', async () => {
    const cap = await theirs.mkdir(format);
    const directory = ours.openDirectory(cap);
    expect(directory.writeCap).toBe(cap);
    await theirs.putChild(cap, 'theirs', utf8('hello'));
    await directory.add('ours', await ours.create({ format }), { metadata: { a: 1.5 } });
    await directory.add('future', unknown);
    const before = await entriesOf(directory);
    await theirs.putChild(cap, 'more', bytesOf(100));
    const after = await entriesOf(directory);
    for (const [name, bytes] of before) expect([name, after.get(name)]).toEqual([name, bytes]);
    expect(await childrenSeen(cap)).toEqual(await childrenIn(directory));

    await theirs.edit(cap, { t: 'rename', from_name: 'ours', to_name: 'renamed' });
    await directory.rename('theirs', 'zz');
    await directory.setMetadata('zz', { note: '😀' });
    await directory.unlink('future');
    await theirs.edit(cap, { t: 'unlink', name: 'more' });
    expect(Object.keys(await childrenSeen(cap))).toEqual(['renamed', 'zz']);
    expect(await childrenSeen(cap)).toEqual(await childrenIn(directory));
  });

  test('gives a child to another directory, whoever moves it, and Tahoe reads the child', async () => {
    const contents = bytesOf(5000);
    const cap = await theirs.put(format, contents);
    const [from, to] = [await theirs.mkdir(format), await ours.createDirectory({ format })];
    const source = ours.openDirectory(from);
    await source.add('x', cap, { metadata: { kept: true } });
    await source.move('x', to, 'y');
    expect(await childrenSeen(from)).toEqual({});
    expect((await childrenSeen(to.writeCap)).y?.[1]).toMatchObject({
      rw_uri: cap,
      metadata: { kept: true },
    });
    await theirs.edit(to.writeCap, { t: 'relink', from_name: 'y', to_dir: from, to_name: 'z' });
    const child = await ours.find(`${from}/z`);
    expect(child.caps.write).toBe(cap);
    expectBytes(await ours.open(child.caps.write!).read(), contents);
    expect(await to.list()).toEqual([]);
  });

  test('of a thousand children is the same to both', async () => {
    const children = Array.from({ length: 1000 }, (_, i) => ({
      name: `child ${i}`,
      child: i % 10 === 0 ? directoryCase('empty, SDMF').cap : lit(`child ${i}`),
    }));
    const directory = await ours.createDirectory({ format, children });
    expect(await childrenSeen(directory.writeCap)).toEqual(await childrenIn(directory));
    await theirs.edit(directory.writeCap, { t: 'unlink', name: 'child 500' });
    const names = (await directory.list()).map(({ name }) => name);
    expect(names).toEqual(
      children
        .map(({ name }) => name)
        .filter((name) => name !== 'child 500')
        .sort(),
    );
  });
});
