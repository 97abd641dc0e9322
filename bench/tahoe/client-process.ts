/**
 * @module client-process: this library as a client of the grid, in a process of its own.
 *
 *     node client-process.js SERVERS_YAML
 *
 * It is sent {@link Order}s by the process that started it, and answers each.
 */
import { primitives } from '#crypto';
import type { Grid } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { openGrid } from '../../src/node.ts';
import type { Plaintext } from '../../src/share/plaintext.ts';
import { chartsShare } from '../profile.ts';
import { cpuMs, type Memory, memoryOf, resetPeak } from '../usage.ts';
import type { Action, Sample } from './client.ts';
import { type Abilities, perform } from './perform.ts';

export type Order =
  | { readonly do: 'perform'; readonly action: Action }
  /** The charts' share of its CPU time. */
  | { readonly do: 'profile'; readonly action: Action }
  | { readonly do: 'memory' }
  /** Publishes or reads so many bytes that are never in memory as a whole, if that can be. */
  | { readonly do: 'use'; readonly use: Use; readonly size: number; readonly cap?: string };
export type Use = 'publish' | 'stream' | 'read';

const [servers = ''] = process.argv.slice(2);
const leaseSecret = primitives.randomBytes(32);
/** A file is opened anew each time, and nothing is remembered of it, unless it is used again. */
const grid = await openGrid(servers, { leaseSecret, rememberedFiles: 0 });
const remembering = await openGrid(servers, { leaseSecret });

function open(cap: string, again: boolean): MutableFile {
  return (again ? remembering : grid).open(cap);
}

const abilities: Abilities = {
  async create(format, contents, pkcs8) {
    const key = await primitives.importSigningKey(pkcs8);
    return (await grid.create({ format, contents, key, isNewKey: true })).writeCap;
  },
  read: (cap) => grid.open(cap).read(),
  overwrite: (cap, contents, again) => open(cap, again).overwrite(contents),
  change: (cap, offset, patch, again) => open(cap, again).update(patch, offset),
  cpuMs: async () => cpuMs(),
};

process.on('message', async ({ id, order }: { id: number; order: Order }) => {
  try {
    process.send?.({ id, result: await obey(order) });
  } catch (error) {
    process.send?.({ id, problem: String(error) });
  }
});
process.on('disconnect', () => {
  for (const each of [grid, remembering]) each.close();
});
process.send?.({ id: 0, result: null });

async function obey(order: Order): Promise<Sample | Memory | number> {
  switch (order.do) {
    case 'perform':
      return await perform(abilities, order.action);
    case 'profile':
      return await chartsShare(() => perform(abilities, order.action));
    case 'memory':
      return memoryOf();
    case 'use':
      return await extraPeak(() => use(grid, order));
  }
}

async function extraPeak(work: () => Promise<unknown>): Promise<number> {
  resetPeak();
  const before = memoryOf().now;
  await work();
  return memoryOf().peak - before;
}

async function use(
  on: Grid,
  { use, size, cap = '' }: Extract<Order, { do: 'use' }>,
): Promise<void> {
  if (use === 'publish') await on.create({ contents: source(size) });
  else if (use === 'read') await on.open(cap).read();
  else for await (const _ of on.open(cap).stream());
}

/** As from a file. */
function source(size: number): Plaintext {
  return { size, read: async (_, length) => new Uint8Array(length).fill(1) };
}
