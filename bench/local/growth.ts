/**
 * @module growth: how CPU time grows with the size of a file and with the number of servers, against
 * what it would be if it grew in proportion.
 */
import { primitives } from '#crypto';
import { Grid } from '../../src/grid.ts';
import { cost, type Row } from '../figure.ts';
import { MiB } from '../sizes.ts';
import { median } from '../statistics.ts';
import { spentBy } from '../usage.ts';
import { bareServers } from './bare-server.ts';
import { memoryServers } from './servers.ts';

/** A publish and a read without IO: milliseconds per MiB. */
export async function growthInSize(quick: boolean): Promise<readonly Row[]> {
  const key = await primitives.generateKey();
  const sizes = quick ? [1, 10, 100] : [1, 10, 100, 300];
  const rows: Row[] = [];
  let first: { publish: number; read: number } | undefined;
  for (const size of sizes) {
    const contents = primitives.randomBytes(size * MiB);
    const newFile = { contents, key, isNewKey: true };
    // What is kept is there already when the same file is made again.
    const dropping = new Grid({ servers: bareServers(13, { keep: false }) });
    const keeping = new Grid({ servers: bareServers(13, { keep: true }) });
    const { readCap } = await keeping.create(newFile);
    const warm = size === 1 ? 10 : 0;
    // Of small files more, so that the clock and what is compiled meanwhile do not matter.
    const runs = size < 10 ? 30 : 3;
    const per = {
      publish: await medianCpu(() => dropping.create(newFile), warm, runs),
      read: await medianCpu(() => keeping.open(readCap).read(), warm, runs),
    };
    const perMiB = { publish: per.publish / size, read: per.read / size };
    first ??= perMiB;
    const naming = { unit: 'ms CPU per MiB', against: 'the same for a file of 1 MiB' };
    for (const pass of ['publish', 'read'] as const) {
      rows.push(cost(`growth ${pass} ${size} MiB`, perMiB[pass], first[pass], naming));
    }
  }
  return rows;
}

/** `check` of a file of 2 KiB. */
export async function growthInServers(quick: boolean): Promise<readonly Row[]> {
  const found: { readonly count: number; readonly ms: number }[] = [];
  for (const count of [13, 100, 300, 1000]) {
    const grid = new Grid({ servers: memoryServers(count) });
    const { verifyCap } = await grid.create({ contents: primitives.randomBytes(2048) });
    const check = () => grid.open(verifyCap).servermap({ mode: 'check' });
    const runs = count < 100 ? 50 : quick ? 3 : 7;
    const ms = await medianCpu(check, count < 100 ? 30 : 1, runs);
    found.push({ count, ms });
  }
  // Of 13 most is what any check costs.
  const base = found.find(({ count }) => count === 100) as (typeof found)[number];
  const naming = { unit: 'ms CPU', against: 'in proportion to 100 servers' };
  return found.map(({ count, ms }) =>
    cost(`check ${count} servers`, ms, (base.ms / base.count) * count, naming),
  );
}

async function medianCpu(work: () => Promise<unknown>, warm: number, runs: number) {
  for (let run = 0; run < warm; run++) await work();
  const all: number[] = [];
  for (let run = 0; run < runs; run++) all.push((await spentBy(work)).cpuMs);
  return median(all);
}
