/** A page's own grid, on fake-indexeddb; test/browser/ has it in tabs of a real browser. */
import { openDB } from 'idb';
import { expect, test } from 'vitest';
import { deleteBrowserGrid, openBrowserGrid } from '../../src/browser.ts';
import { utf8 } from '../../src/bytes.ts';
import { BadArgumentError, BadGridError, OutOfRangeError } from '../../src/errors.ts';
import { testKey } from '../support/client-grid.ts';
import { fakeIndexedDb } from '../support/fake-browser.ts';

fakeIndexedDb();

const idsOf = ({ servers }: { readonly servers: readonly { readonly id: string }[] }) =>
  servers.map(({ id }) => id);

test('a grid is made once, and keeps its servers, its encoding and its files', async () => {
  const made = await openBrowserGrid({ name: 'kept', servers: 5 });
  expect(made.encoding).toEqual({ required: 3, happy: 3, total: 5 });
  expect(made.notices).toEqual([]);
  const file = await made.create({ contents: utf8('hello'), key: testKey });
  made.close();
  const again = await openBrowserGrid({ name: 'kept' });
  expect(idsOf(again)).toEqual(idsOf(made));
  expect(again.encoding).toEqual(made.encoding);
  expect(await again.open(file.writeCap).read()).toEqual(utf8('hello'));
  expect(idsOf(await openBrowserGrid({ name: 'other' }))).toHaveLength(1);
});

test('a grid that has other numbers than are said is refused, and stays as it is', async () => {
  await openBrowserGrid({ name: 'three', servers: 3, encoding: { required: 1 } });
  const refused = (problem: string) => new BadGridError('browser grid "three"', problem);
  await expect(openBrowserGrid({ name: 'three', servers: 4 })).rejects.toEqual(
    refused('its servers: 3 since it was made, not 4'),
  );
  const encoding = { required: 2, total: 3 };
  await expect(openBrowserGrid({ name: 'three', servers: 3, encoding })).rejects.toEqual(
    refused('its encoding.required: 1 since it was made, not 2'),
  );
  const same = await openBrowserGrid({ name: 'three', encoding: { happy: 2 } });
  expect(same.encoding).toEqual({ required: 1, happy: 2, total: 3 });
});

test('numbers and names that no grid has are refused', async () => {
  const open = (options: unknown) => openBrowserGrid(options as { name: string });
  await expect(open(undefined)).rejects.toBeInstanceOf(BadArgumentError);
  await expect(open({ name: '' })).rejects.toEqual(
    new BadArgumentError('name', 'must be a text that is not empty'),
  );
  await expect(open({ name: 'x', servers: 0 })).rejects.toEqual(
    new OutOfRangeError('servers', 0, 'must be from 1 to 255'),
  );
  await expect(open({ name: 'x', servers: 2, encoding: { required: 3 } })).rejects.toBeInstanceOf(
    OutOfRangeError,
  );
  expect(idsOf(await openBrowserGrid({ name: 'x', servers: 3 }))).toHaveLength(3);
});

test('a grid that is deleted leaves nothing, and its name is free', async () => {
  const before = await openBrowserGrid({ name: 'gone', servers: 2 });
  await Promise.all(before.servers.map((server) => server.listShares(new Uint8Array(16))));
  await deleteBrowserGrid('gone');
  const left = (await indexedDB.databases()).map(({ name = '' }) => name);
  expect(left.filter((name) => [...idsOf(before), 'gone'].some((id) => name.endsWith(id)))).toEqual(
    [],
  );
  await deleteBrowserGrid('gone');
  const after = await openBrowserGrid({ name: 'gone' });
  expect(idsOf(after)).not.toEqual(idsOf(before).slice(0, 1));
});

test('a page that does not let go of a grid is named as what keeps it from being deleted', async () => {
  const { servers } = await openBrowserGrid({ name: 'held', servers: 1 });
  await servers[0]!.listShares(new Uint8Array(16));
  const holding = await openDB(`tahoe-mutable-server/${servers[0]!.id}`);
  await expect(deleteBrowserGrid('held')).rejects.toEqual(
    new BadGridError(
      'browser grid "held"',
      'another page of this site keeps its database from being opened or deleted',
    ),
  );
  holding.close();
  await deleteBrowserGrid('held');
});
