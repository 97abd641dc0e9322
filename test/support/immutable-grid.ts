/**
 * @module immutable-grid: an embedded grid that holds an immutable file.
 */
import { Grid, type GridOptions } from '../../src/grid.ts';
import { immutableStorageIndexOf } from '../../src/immutable/caps.ts';
import type { ImmutableFile } from '../../src/immutable-file.ts';
import { diskOf, MemoryServer } from '../../src/storage/memory.ts';
import type { ReadableShares, StorageServer } from '../../src/storage/server.ts';
import type { ChkFile } from './chk.ts';

export interface ImmutableGrid {
  readonly grid: Grid;
  readonly file: ImmutableFile;
  /** Every call to a server: `s3 list`, `s3 read 3 0+4000`. */
  readonly calls: string[];
  readonly servers: readonly MemoryServer[];
}

/** What a server does instead of one of its calls. */
export type Instead = (shares: ReadableShares, id: string) => Partial<ReadableShares>;

export interface ImmutableGridOptions extends Partial<GridOptions> {
  /** 10 by default. */
  readonly count?: number;
  /** The servers of each share: share i is on server i, round and round, by default. */
  readonly placed?: (shnum: number) => readonly number[];
  /** Whether they are across a network. */
  readonly isFar?: boolean;
  /** What some servers do, by their number. */
  readonly instead?: Readonly<Record<number, Instead>>;
}

export function immutableGrid(
  { cap, shares }: ChkFile,
  options: ImmutableGridOptions = {},
): ImmutableGrid {
  const { count = 10, placed = (shnum) => [shnum % count], instead = {}, isFar, ...rest } = options;
  const calls: string[] = [];
  const servers = Array.from({ length: count }, (_, i) => new MemoryServer({ id: `s${i}` }));
  const storageIndex = immutableStorageIndexOf(cap);
  shares.forEach((share, shnum) => {
    for (const i of placed(shnum)) diskOf(servers[i]!).setImmutable(storageIndex, shnum, share);
  });
  const faces = servers.map((server, i) => ({ ...withCalls(server, calls, instead[i]), isFar }));
  const grid = new Grid({ servers: faces, ...rest });
  return { grid, file: grid.openImmutable(cap), calls, servers };
}

/** `server`, which notes what it is asked, and may do something else. */
function withCalls(server: MemoryServer, calls: string[], instead?: Instead): StorageServer {
  const { immutable, id } = server;
  const shares: ReadableShares = { ...immutable, ...instead?.(immutable, id) };
  return {
    ...{ id, nickname: id, tubId: server.tubId, permutationSeed: server.permutationSeed },
    listShares: (...args) => server.listShares(...args),
    readShare: (...args) => server.readShare(...args),
    readTestWrite: (...args) => server.readTestWrite(...args),
    addLease: (...args) => server.addLease(...args),
    adviseCorruptShare: (...args) => server.adviseCorruptShare(...args),
    immutable: {
      listShares: (...args) => {
        calls.push(`${id} list`);
        return shares.listShares(...args);
      },
      readShare: (storageIndex, shnum, range, options) => {
        calls.push(`${id} read ${shnum} ${range.offset}+${range.length}`);
        return shares.readShare(storageIndex, shnum, range, options);
      },
      adviseCorruptShare: (...args) => shares.adviseCorruptShare(...args),
    },
  };
}
