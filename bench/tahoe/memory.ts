/**
 * @module memory: what fresh processes of both clients need more at the peak for 100 MiB than for a first
 * small file.
 */
import { cost, type Row } from '../figure.ts';
import { huge, MiB, small } from '../sizes.ts';
import { type Bench, makeFile } from './bench.ts';
import type { Use } from './client-process.ts';
import { GatewayClient } from './gateway-client.ts';
import { newKeys } from './keys.ts';
import { OurClient } from './our-client.ts';

export async function memory({ real, ours }: Bench): Promise<readonly Row[]> {
  const cap = await makeFile(ours, huge);
  const theirs = {
    publish: await theirPeak(real.serversYaml, undefined),
    read: await theirPeak(real.serversYaml, cap),
  };
  const rows: Row[] = [];
  for (const use of ['publish', 'stream', 'read'] as const) {
    const extra = await ourPeak(real.serversYaml, use, cap);
    // Tahoe's gateway gives nothing but streams; `read` returns all bytes.
    const anchor = use === 'publish' ? theirs.publish : theirs.read;
    const naming = { unit: 'MiB more at the peak', against: "Tahoe's gateway" };
    rows.push(cost(`memory ${use} 100 MiB`, extra / MiB, anchor / MiB, naming));
  }
  return rows;
}

async function ourPeak(servers: string, use: Use, cap: string): Promise<number> {
  const client = await OurClient.start(servers);
  try {
    await makeFile(client, small);
    return await client.extraPeak(use, huge.size, cap);
  } finally {
    await client.close();
  }
}

/** @param cap of what to read; else it publishes */
async function theirPeak(servers: string, cap: string | undefined): Promise<number> {
  const client = await GatewayClient.start(servers);
  try {
    await makeFile(client, small);
    const before = (await client.memory()).now;
    const { format, size } = huge;
    if (cap !== undefined) await client.perform({ kind: 'read', cap, times: 1 });
    else await client.perform({ kind: 'create', format, size, keys: await newKeys(1) });
    return (await client.memory()).peak - before;
  } finally {
    await client.close();
  }
}
