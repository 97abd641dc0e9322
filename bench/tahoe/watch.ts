/**
 * @module watch: what operations of this client and of Tahoe's gateway send over the wire, each on a file
 * of its own, which a third client has made directly.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { primitives } from '#crypto';
import type { Grid } from '../../src/grid.ts';
import { openGrid } from '../../src/node.ts';
import type { Gateway, RealGrid } from '../../test/interop/real-grid.ts';
import { KiB, patchLength } from '../sizes.ts';
import { moved } from './moved.ts';
import { roundTrips, Tap } from './tap.ts';

export interface WatchedOperation {
  readonly name: string;
  readonly format: 'sdmf' | 'mdmf';
  readonly size: number;
  ours(grid: Grid, cap: string): Promise<unknown>;
  theirs(gateway: Gateway, cap: string): Promise<unknown>;
}

export interface OnTheWire {
  readonly requests: number;
  /** The longest chain. */
  readonly roundTrips: number;
  /** In both directions, with headers. */
  readonly kib: number;
}

export interface Watched {
  readonly name: string;
  readonly ours: OnTheWire;
  readonly theirs: OnTheWire;
}

const clients = ['ours', 'theirs'] as const;

export async function watchOperations(
  real: RealGrid,
  operations: readonly WatchedOperation[],
): Promise<readonly Watched[]> {
  const tap = new Tap();
  const servers = await behind(tap, real);
  const leaseSecret = primitives.randomBytes(32);
  const maker = await openGrid(real.serversYaml, { leaseSecret });
  const grid = await openGrid(servers, { leaseSecret, rememberedFiles: 0 });
  const gateway = await real.gateway(undefined, servers);
  const watched: Watched[] = [];
  try {
    for (const operation of operations) {
      const { name, format, size } = operation;
      const contents = primitives.randomBytes(size);
      const seen: Partial<Record<(typeof clients)[number], OnTheWire>> = {};
      for (const client of clients) {
        const { writeCap } = await maker.create({ format, contents });
        const requests = await tap.watch(() =>
          client === 'ours' ? operation.ours(grid, writeCap) : operation.theirs(gateway, writeCap),
        );
        const bytes = requests.reduce((sum, request) => sum + request.bytes, 0);
        seen[client] = {
          requests: requests.length,
          roundTrips: roundTrips(requests),
          kib: Math.ceil(bytes / KiB),
        };
      }
      watched.push({ name, ...(seen as Required<typeof seen>) });
    }
  } finally {
    for (const each of [maker, grid]) each.close();
    tap.close();
  }
  return watched;
}

/** A description of the same servers behind the tap. */
async function behind(tap: Tap, real: RealGrid): Promise<string> {
  const ports = new Map<number, number>();
  for (const { port, folder } of real.servers) {
    const pem = await readFile(join(folder, 'private/node.pem'), 'utf8');
    ports.set(port, await tap.before(port, pem));
  }
  return await moved(real, 'proxied.yaml', (port) => ports.get(port) as number);
}

/** How to do what is measured. */
export const readIt: Pick<WatchedOperation, 'ours' | 'theirs'> = {
  ours: (grid, cap) => grid.open(cap).read(),
  theirs: (gateway, cap) => gateway.get(cap),
};

export function overwriteIt(size: number): Pick<WatchedOperation, 'ours' | 'theirs'> {
  const contents = primitives.randomBytes(size);
  return {
    ours: (grid, cap) => grid.open(cap).overwrite(contents),
    theirs: (gateway, cap) => gateway.overwrite(cap, contents),
  };
}

export function changeIt(offset: number): Pick<WatchedOperation, 'ours' | 'theirs'> {
  const patch = primitives.randomBytes(patchLength);
  return {
    ours: (grid, cap) => grid.open(cap).update(patch, offset),
    theirs: (gateway, cap) => gateway.updateAt(cap, offset, patch),
  };
}
