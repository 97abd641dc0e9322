/**
 * @module bench: the table on which all parts of `npm run bench:tahoe` work: 13 real servers, and two
 * clients in processes of their own.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toBase32 } from '../../src/bytes.ts';
import { parseCap, storageIndexOf } from '../../src/caps.ts';
import type { RealGrid } from '../../test/interop/real-grid.ts';
import { costInPairs, type Row } from '../figure.ts';
import type { Subject } from '../sizes.ts';
import { inPairs, type Pairs, pick } from '../statistics.ts';
import type { Action, Client, Sample } from './client.ts';
import type { GatewayClient } from './gateway-client.ts';
import { newKeys } from './keys.ts';
import type { OurClient } from './our-client.ts';

export interface Bench {
  readonly quick: boolean;
  readonly real: RealGrid;
  readonly ours: OurClient;
  readonly theirs: GatewayClient;
}

/** Makes one file. @returns its write cap */
export async function makeFile(client: Client, { format, size }: Subject): Promise<string> {
  const keys = await newKeys(1);
  const { caps } = await client.perform({ kind: 'create', format, size, keys });
  return caps[0] as string;
}

/**
 * What two clients take for the same, in turns.
 * @param settle what to do after each of them
 */
export async function compare(
  pairs: number,
  [a, b]: readonly [Client, Client],
  actionOf: (client: Client) => Promise<Action> | Action,
  settle: (sample: Sample) => Promise<void> = async () => {},
): Promise<Pairs<Sample>> {
  const once = async (client: Client) => {
    const sample = await client.perform(await actionOf(client));
    await settle(sample);
    return sample;
  };
  return await inPairs(
    pairs,
    () => once(a),
    () => once(b),
  );
}

/** CPU and wall time of one operation. */
export function rowsOf(
  operation: string,
  samples: Pairs<Sample>,
  against = "Tahoe's gateway",
): readonly Row[] {
  const cpu = pick(samples, (sample) => sample.cpuMs);
  const wall = pick(samples, (sample) => sample.wallMs);
  return [
    costInPairs(`cpu ${operation}`, cpu, { unit: 'ms', against }),
    costInPairs(`wall ${operation}`, wall, { unit: 'ms', against }),
  ];
}

/** Takes a file's shares off the servers' disks. */
export async function forget({ servers }: RealGrid, cap: string): Promise<void> {
  const name = toBase32(storageIndexOf(parseCap(cap)));
  for (const { folder } of servers) {
    const slot = join(folder, 'storage/shares', name.slice(0, 2), name);
    await rm(slot, { recursive: true, force: true });
  }
}
