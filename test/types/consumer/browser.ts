/**
 * What a page has besides: a grid of its own, servers in IndexedDB.
 */
import { Grid, type StorageServer } from 'tahoe-mutable';
import {
  type BrowserGridOptions,
  deleteBrowserGrid,
  IndexedDbServer,
  type IndexedDbServerOptions,
  openBrowserGrid,
} from 'tahoe-mutable/browser';

export async function keep(text: string): Promise<string> {
  const options: BrowserGridOptions = { name: 'notes', servers: 3, encoding: undefined };
  await using grid: Grid = await openBrowserGrid(options);
  const { writeCap } = await grid.create({ contents: text });
  await deleteBrowserGrid('notes');
  return writeCap;
}

export function alone(options: IndexedDbServerOptions): Grid {
  const server: StorageServer = new IndexedDbServer({ ...options, database: undefined });
  return new Grid({ servers: [server], encoding: { required: 1, happy: 1, total: 1 } });
}
