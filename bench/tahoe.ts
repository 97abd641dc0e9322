/**
 * @module tahoe: `npm run bench:tahoe`: this client and Tahoe's gateway on the same 13 real servers.
 * docs/performance.md says how each figure is measured.
 *
 *     npm run bench:tahoe -- [--quick] [--json] [PART …]
 *
 * Servers, gateway and this client are processes of their own; this one only gives orders.
 */
import { startRealGrid } from '../test/interop/real-grid.ts';
import { runParts, wishesIn } from './command.ts';
import type { Row } from './figure.ts';
import type { Bench } from './tahoe/bench.ts';
import { charts } from './tahoe/charts.ts';
import { control } from './tahoe/control.ts';
import { far } from './tahoe/far.ts';
import { floor } from './tahoe/floor.ts';
import { GatewayClient } from './tahoe/gateway-client.ts';
import { hung } from './tahoe/hung.ts';
import { memory } from './tahoe/memory.ts';
import { hugeFiles, largeFiles, mediumFiles, smallFiles } from './tahoe/nearby.ts';
import { OurClient } from './tahoe/our-client.ts';
import { requests } from './tahoe/requests.ts';

const parts: Readonly<Record<string, (bench: Bench) => Promise<readonly Row[]>>> = {
  '2-kib': smallFiles,
  '1-mib': mediumFiles,
  '10-mib': largeFiles,
  '100-mib': hugeFiles,
  control,
  floor,
  charts,
  far,
  memory,
  requests,
  hung,
};

const wishes = wishesIn(process.argv.slice(2), Object.keys(parts));
const real = await startRealGrid();
const ours = await OurClient.start(real.serversYaml);
const theirs = await GatewayClient.start(real.serversYaml);
try {
  const bench: Bench = { quick: wishes.quick, real, ours, theirs };
  await runParts(wishes, async (part) => (await parts[part]?.(bench)) ?? []);
} finally {
  await ours.close();
  await theirs.close();
  await real.close();
}
