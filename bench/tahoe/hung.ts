/**
 * @module hung: writes while one of the servers that hold the file takes everything and answers nothing:
 * how much longer they take than on the same grid in good health.
 */
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import type { RealGrid } from '../../test/interop/real-grid.ts';
import { cost, type Row } from '../figure.ts';
import { large, type Subject, small } from '../sizes.ts';
import type { Bench } from './bench.ts';
import type { Client } from './client.ts';
import { FarGrid } from './far-grid.ts';
import { GatewayClient } from './gateway-client.ts';
import { actions, filesOf, type Operation } from './nearby.ts';
import { OurClient } from './our-client.ts';

const cases: readonly (readonly [Subject, Operation])[] = [
  [small, 'read'],
  [small, 'overwrite'],
  [large, 'in place'],
];

export async function hung({ real }: Bench): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [subject, operation] of cases) rows.push(...(await rowsFor(real, subject, operation)));
  return rows;
}

/** On fresh clients: neither has met the server that hangs. */
async function rowsFor(
  real: RealGrid,
  subject: Subject,
  operation: Operation,
): Promise<readonly Row[]> {
  const grid = await FarGrid.of(real);
  const ours = await OurClient.start(grid.serversYaml);
  const theirs = await GatewayClient.start(grid.serversYaml);
  const clients = [ours, theirs];
  try {
    const files = await filesOf(clients, subject);
    const actionOf = actions(operation, subject, files, 1);
    const wallOf = async (client: Client) => (await client.perform(await actionOf(client))).wallMs;
    const measure = async () => ({ ours: await wallOf(ours), theirs: await wallOf(theirs) });
    await measure();
    const healthy = await measure();
    await grid.set(0, [await holderOf(real, [...files.values()])]);
    const hanging = {
      ours: await wallOf(ours),
      // Its update of a file may fail for this (ticket #2034); then there is no time to compare with.
      theirs: await wallOf(theirs).catch(() => undefined),
    };
    const name = `${operation} ${subject.name}, one server hung`;
    const naming = {
      unit: 'ms',
      against: hanging.theirs === undefined ? "Tahoe's gateway failed" : "Tahoe's gateway",
    };
    const more = (ms: number, than: number) => Math.max(1, ms - than);
    const theirMore = hanging.theirs && more(hanging.theirs, healthy.theirs);
    return [
      cost(`wall ${name}`, hanging.ours, hanging.theirs ?? null, naming),
      cost(
        `more than healthy, ${name}`,
        more(hanging.ours, healthy.ours),
        theirMore ?? null,
        naming,
      ),
    ];
  } finally {
    for (const client of clients) await client.close();
    await grid.close();
  }
}

/** The position of a server that has a share of each of these files. */
async function holderOf(real: RealGrid, caps: readonly string[]): Promise<number> {
  for (const position of real.servers.keys()) {
    const held = await Promise.all(
      caps.map((cap) => real.sharesOf(position, storageIndexOf(parseCap(cap)))),
    );
    if (held.every((shares) => shares.length > 0)) return position;
  }
  throw new Error('no server holds shares of all files');
}
