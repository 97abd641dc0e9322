/**
 * Tahoe's own client among the writers, never at the same time as one of ours (docs/publish.md):
 * what either was told is done is in what the other reads, and builds on.
 *
 * With happy ≥ S − k + 1 a version of ours that was acknowledged leaves fewer than k servers without
 * it, so an older version cannot be read from what is left. Ten servers, 3-of-10, happy 8: our
 * quorum is W = 8, and Tahoe's client finds our version wherever it hears S − W + k = 5 servers.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { noParentTag, type Version } from '../../machines/servermap.ts';
import { utf8 } from '../../src/bytes.ts';
import type { Grid } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { openGrid } from '../../src/node.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';
import { inspect } from './recorded.ts';

let real: RealGrid;
let theirs: Gateway;
let ours: Grid;
beforeAll(async () => {
  real = await startRealGrid(10);
  // Their client reads over our key (docs/format.md §8.4).
  const sized = join(real.folder, 'sized.yaml');
  const description = parse(await readFile(real.serversYaml, 'utf8'));
  await writeFile(sized, stringify({ 'grid-size': 10, ...description }));
  theirs = await real.gateway({ needed: 3, happy: 8, total: 10 }, sized);
  ours = await openGrid(theirs.folder, { inspect });
});
afterAll(async () => {
  ours.close();
  await real.close();
});

/** Changes of ours, and of theirs, each a line behind what is there. */
async function oursAppends(file: MutableFile, line: string) {
  const outcome = await file.modify((old) => utf8(`${Buffer.from(old)}${line}\n`));
  if (outcome === undefined) throw new Error('there was a change');
  return outcome;
}

async function theirsAppends(cap: string, line: string): Promise<void> {
  await theirs.overwrite(cap, utf8(`${Buffer.from(await theirs.get(cap))}${line}\n`));
}

/** The newest of what is there. */
async function newestOf(file: MutableFile): Promise<Version> {
  const { versions } = await file.servermap();
  return Object.values(versions).sort((a, b) => b.seqnum - a.seqnum)[0] as Version;
}

const nameOf = ({ seqnum, rootHash }: Version) => ({ seqnum, rootHash });

describe.each(['sdmf', 'mdmf'] as const)('%s:', (format) => {
  test('changes of both clients, one after the other: none is lost', async () => {
    expect(ours).toMatchObject({ gridSize: 10, notices: [] });
    expect(await readFile(join(theirs.folder, 'private/servers.yaml'), 'utf8')).toMatch(
      /^grid-size: 10$/m,
    );
    const cap = await theirs.put(format, utf8('theirs 1\n'));
    const file = ours.open(cap);
    const first = await newestOf(file);

    expect(await oursAppends(file, 'ours 2')).toMatchObject({ seqnum: 2, quorum: 8 });
    const second = await newestOf(file);
    const { base } = await oursAppends(file, 'ours 3');
    expect(base).toEqual(nameOf(second));
    const third = await newestOf(file);
    expect([second.parentTag, third.parentTag]).toEqual([first.tag, second.tag]);

    await theirsAppends(cap, 'theirs 4');
    const fourth = await newestOf(file);
    expect(fourth.seqnum).toBe(4);
    expect([noParentTag, first.tag, second.tag, third.tag]).not.toContain(fourth.parentTag);
    // A stranger, who remembers nothing.
    expect(await oursAppends(ours.open(cap), 'ours 5')).toMatchObject({ base: nameOf(fourth) });
    expect(await newestOf(file)).toMatchObject({ seqnum: 5, parentTag: fourth.tag });

    const all = utf8('theirs 1\nours 2\nours 3\ntheirs 4\nours 5\n');
    expect(new Uint8Array(await theirs.get(cap))).toEqual(all);
    expect(await ours.open(cap).read()).toEqual(all);
  });

  test('what we acknowledged is built on by their client, with half of the servers away', async () => {
    const file = await ours.create({ format, contents: utf8('ours 1\n') });
    const cap = file.writeCap;
    // Two servers miss our change, which the other eight acknowledge.
    await real.stopServer(0, 1);
    expect(await oursAppends(file, 'ours 2')).toMatchObject({ seqnum: 2, quorum: 8, missing: [] });
    await real.startServer(0, 1);
    // They come back, and five of the eight go: three are left that have it.
    await real.stopServer(5, 6, 7, 8, 9);
    await theirsAppends(cap, 'theirs 3');
    await real.startServer(5, 6, 7, 8, 9);

    const all = 'ours 1\nours 2\ntheirs 3\n';
    // Theirs is on five servers of ten, which is no quorum of ours: a write finds it, a read may not.
    const third = await newestOf(file);
    expect(third.seqnum).toBe(3);
    expect(await oursAppends(ours.open(cap), 'ours 4')).toMatchObject({ base: nameOf(third) });
    expect(Buffer.from(await ours.open(cap).read()).toString()).toBe(`${all}ours 4\n`);
    expect(Buffer.from(await theirs.get(cap)).toString()).toBe(`${all}ours 4\n`);
  });
});
