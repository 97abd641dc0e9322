/**
 * @module tahoe-mutable/browser: a grid of a page's own, in the browser's IndexedDB.
 *
 * What a grid and its files can do is in `tahoe-mutable`; this is how to come by one in a browser.
 */
export {
  type BrowserGridOptions,
  deleteBrowserGrid,
  openBrowserGrid,
} from './browser-grid.ts';
export { IndexedDbServer, type IndexedDbServerOptions } from './storage/indexeddb.ts';
