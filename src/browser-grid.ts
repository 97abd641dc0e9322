/**
 * @module browser-grid: a grid of a page's own, in the browser's storage.
 *
 * Each server is a database. One more says who they are, how files are spread over them, and the
 * client's lease secret; it is written once, by whichever page comes first.
 */
import type { DBSchema, IDBPDatabase } from 'idb';
import { primitives } from '#crypto';
import { requireObject, requireOptions } from './arguments.ts';
import { toBase32 } from './bytes.ts';
import { completeEncoding, type Encoding } from './encoding.ts';
import { BadArgumentError, BadGridError, OutOfRangeError } from './errors.ts';
import { Grid, type GridOptions, type InternalGridOptions } from './grid.ts';
import { Database, DatabaseFault, deleteDatabase } from './storage/database.ts';
import type { Identity } from './storage/identity.ts';
import { IndexedDbServer } from './storage/indexeddb.ts';

/** Which grid of the page's own, and how it works; only `name` has to be given. */
export interface BrowserGridOptions
  extends Omit<GridOptions, 'servers' | 'gridSize' | 'encoding' | 'unusable' | 'leaseSecret'> {
  /** Tells the grids of a site apart; any text but the empty one. */
  readonly name: string;
  /**
   * Of a new grid, 1 to 255; 1 by default, since all of them are on one disk. A grid that is there
   * keeps its own, and is refused where it has others than are said.
   */
  readonly servers?: number | undefined;
  /**
   * Of a new grid; it is kept as well. By default N = servers, happy more than half of them, and k
   * as many, but no more than 3.
   */
  readonly encoding?: Partial<Encoding> | undefined;
}

interface Description {
  readonly servers: readonly Identity[];
  readonly encoding: Encoding;
  readonly leaseSecret: Uint8Array;
}

interface Descriptions extends DBSchema {
  grid: { key: 'description'; value: Description };
}

/** One for each share that a file can have. */
const SERVERS_MAX = 255;

/** What a user agent may do with all that a site has stored, unless it has said that it will not. */
const MAY_BE_DROPPED =
  'the browser may drop this grid when the disk is full; navigator.storage.persist() asks it not to';

/**
 * Opens a grid that lives in this browser's IndexedDB, and makes it when there is none of this name.
 * All pages of the site, and their workers, see the same one, and may write at the same time.
 *
 * @throws BadArgumentError, OutOfRangeError; BadGridError when the browser keeps no storage for this
 *   page, or when the grid has another number of servers, or another encoding, than was said
 *
 * @example
 * ```ts not run: there is no IndexedDB in Node
 * import { openBrowserGrid } from 'tahoe-mutable/browser';
 *
 * const grid = await openBrowserGrid({ name: 'notes' });
 * const file = await grid.create({ contents: 'hello' });
 * localStorage.setItem('cap', file.writeCap); // after a reload: grid.open(cap)
 * ```
 */
export async function openBrowserGrid(options: BrowserGridOptions): Promise<Grid> {
  requireOptions(options);
  const { name, servers, encoding, ...settings } = options;
  requireName(name);
  if (servers !== undefined) requireNumber(servers);
  if (encoding !== undefined) requireObject('encoding', encoding, 'an object');
  const kept = await described(name, (database) =>
    keep(database, () => newDescription(servers, encoding)),
  );
  requireSame(name, 'servers', kept.servers.length, servers);
  for (const number of ['required', 'happy', 'total'] as const) {
    requireSame(name, `encoding.${number}`, kept.encoding[number], encoding?.[number]);
  }
  const isPersistent = await globalThis.navigator?.storage?.persisted?.();
  const all: InternalGridOptions = {
    ...settings,
    servers: kept.servers.map((server) => new IndexedDbServer(server)),
    encoding: kept.encoding,
    leaseSecret: kept.leaseSecret,
    notices: isPersistent === false ? [MAY_BE_DROPPED] : [],
  };
  return new Grid(all);
}

/**
 * Deletes a grid and all that is on it, for good; of none of this name there is nothing to delete.
 * Pages that have it open lose it.
 * @throws BadArgumentError; BadGridError, and then it can be deleted again
 */
export async function deleteBrowserGrid(name: string): Promise<void> {
  requireName(name);
  const kept = await described(name, (database) => database.get('grid', 'description'));
  await asGrid(name, async () => {
    for (const server of kept?.servers ?? []) {
      await deleteDatabase(new IndexedDbServer(server).database);
    }
    // Last: it knows what else is to be deleted.
    await deleteDatabase(databaseOf(name));
  });
}

function newDescription(servers = 1, encoding: Partial<Encoding> = {}): Description {
  const total = encoding.total ?? servers;
  const happy = encoding.happy ?? Math.min(Math.floor(servers / 2) + 1, total);
  const required = encoding.required ?? Math.min(3, happy);
  return {
    servers: Array.from({ length: servers }, (_, i) => newIdentity(`s${i}`)),
    encoding: completeEncoding({ required, happy, total }),
    leaseSecret: primitives.randomBytes(32),
  };
}

function newIdentity(nickname: string): Identity {
  const permutationSeed = primitives.randomBytes(32);
  const id = `v0-${toBase32(permutationSeed)}`;
  return { id, nickname, tubId: primitives.randomBytes(20), permutationSeed };
}

/** Of two pages that make a grid at the same time, both get that of the first. */
async function keep(
  database: IDBPDatabase<Descriptions>,
  make: () => Description,
): Promise<Description> {
  const transaction = database.transaction('grid', 'readwrite', { durability: 'strict' });
  const there = await transaction.store.get('description');
  const kept = there ?? make();
  if (there === undefined) await transaction.store.put(kept, 'description');
  await transaction.done;
  return kept;
}

async function described<T>(
  name: string,
  work: (database: IDBPDatabase<Descriptions>) => Promise<T>,
): Promise<T> {
  const database = new Database<Descriptions>(databaseOf(name), (made) => {
    made.createObjectStore('grid');
  });
  try {
    return await asGrid(name, () => database.ask(work));
  } finally {
    database.close();
  }
}

async function asGrid<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseFault) throw new BadGridError(whereOf(name), error.message);
    throw error;
  }
}

function requireName(name: unknown): void {
  if (typeof name === 'string' && name !== '') return;
  throw new BadArgumentError('name', 'must be a text that is not empty');
}

function requireNumber(servers: number): void {
  if (Number.isInteger(servers) && servers >= 1 && servers <= SERVERS_MAX) return;
  throw new OutOfRangeError('servers', servers, `must be from 1 to ${SERVERS_MAX}`);
}

function requireSame(name: string, what: string, kept: number, said = kept): void {
  if (kept === said) return;
  throw new BadGridError(whereOf(name), `its ${what}: ${kept} since it was made, not ${said}`);
}

function databaseOf(name: string): string {
  return `tahoe-mutable-grid/${name}`;
}

function whereOf(name: string): string {
  return `browser grid ${JSON.stringify(name)}`;
}
