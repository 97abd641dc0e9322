/** Callers that err in small things: what they hear, and what does not break by it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createGridFolder } from '../../src/description/grid-folder.ts';
import { BadArgumentError, NoSuchChildError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { altered, memoryServers, testGrid, testKey } from '../support/client-grid.ts';

test('an onAttempt that rejects ends the edit, and nothing is written', async () => {
  const { grid } = testGrid();
  const directory = await grid.createDirectory({ key: testKey });
  const file = await grid.create({ contents: 'x' });
  const mine = new Error('mine');
  const onAttempt = async () => {
    throw mine;
  };
  await expect(directory.add('x', file, { onAttempt })).rejects.toBe(mine);
  expect(await directory.list()).toEqual([]);
});

test('options of a grid that there are not are refused by name', async () => {
  const servers = memoryServers(3);
  const misspelt = (more: object) => () => new Grid({ servers, ...more });
  expect(misspelt({ losableServer: 1 })).toThrowError(
    /^options\.losableServer: is none of servers, /,
  );
  expect(misspelt({ format: 'x' })).toThrowError(/^format: /);
  const place = await mkdtemp(join(tmpdir(), 'tahoe-mutable-odd-'));
  try {
    const made = (more: object) => createGridFolder(join(place, 'new'), more);
    await expect(made({ server: 2 })).rejects.toThrowError(/^options\.server: is none of /);
    for (const encoding of [5, { needed: 1 }, { required: '1' }]) {
      await expect(made({ encoding })).rejects.toBeInstanceOf(BadArgumentError);
    }
  } finally {
    await rm(place, { recursive: true });
  }
});

test('a server whose close throws, or rejects, leaves no other one open', async () => {
  const closed: string[] = [];
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const servers = memoryServers(4).map((server, i) => ({
    ...altered(server, {}),
    close: () => {
      closed.push(server.id);
      if (i === 1) throw new Error('close');
      return i === 2 ? (Promise.reject(new Error('later')) as never) : undefined;
    },
  }));
  new Grid({ servers }).close();
  await Promise.resolve();
  expect(closed).toEqual(['s0', 's1', 's2', 's3']);
  expect(warnings).toHaveBeenCalled();
  warnings.mockRestore();
});

test('a cap that was given for a name is told by no error, and no line of the log', async () => {
  const lines: string[] = [];
  const say = (...line: unknown[]) => lines.push(JSON.stringify(line));
  const { grid } = testGrid({ log: { debug: say, info: say, warn: say, error: say } });
  const directory = await grid.createDirectory({ key: testKey });
  const { writeCap } = await grid.create({ contents: 'x' });
  const error = await grid.find(`${directory.readCap}/${writeCap}`).catch((problem) => problem);
  expect(error).toBeInstanceOf(NoSuchChildError);
  expect([error.message, error.facts]).toEqual(['no child is called "URI:…"', { name: 'URI:…' }]);
  expect(lines.join()).toContain('no child is called');
  expect(lines.join()).not.toContain(writeCap);
});

test.each<[string, Partial<StorageServer>]>([
  [
    'says neither yes nor no',
    { readTestWrite: async () => ({ wrote: 'no', reads: new Map() }) as never },
  ],
  ['answers with nothing', { readTestWrite: async () => undefined as never }],
  ['gives an ArrayBuffer for bytes', { readShare: async () => new ArrayBuffer(8) as never }],
  ['gives a number for a list', { listShares: async () => 5 as never }],
])('a server of one’s own that %s has failed, and says why', async (_, changes) => {
  const encoding = { required: 1, happy: 2, total: 3 };
  const { create, another, servers } = testGrid({ count: 3, encoding });
  const { writeCap } = await create('mdmf', 'a');
  const odd = servers.map((server, i) => (i === 0 ? altered(server, changes) : server));
  const file = another({ servers: odd }).open(writeCap);
  const map = await file.servermap({ mode: 'check' });
  const outcome = await file.overwrite('b');
  expect(outcome.placed.map(({ server }) => server)).not.toContain('s0');
  const said = [
    ...map.servers.map(({ failure }) => failure?.detail),
    ...map.holdings.map(({ verdict }) => (verdict.kind === 'unverified' ? verdict.reason : '')),
    ...outcome.failures.map(({ detail }) => detail),
  ];
  expect(said.join()).toMatch(/server s0: .*nonsense/);
  expect(new TextDecoder().decode(await another().open(writeCap).read())).toBe('b');
});
