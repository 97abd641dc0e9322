/**
 * @module floor: how much of what an operation costs is its requests: our client in turns with one that
 * does nothing but send them.
 */

import { costInPairs, type Row } from '../figure.ts';
import { medium, type Subject, small } from '../sizes.ts';
import { pick } from '../statistics.ts';
import { type Bench, compare, forget } from './bench.ts';
import type { Sample } from './client.ts';
import { newKeys } from './keys.ts';
import { actions, filesOf, type Operation } from './nearby.ts';
import { OurClient } from './our-client.ts';

const operations: readonly Operation[] = ['create', 'read', 'overwrite', 'overwrite again'];
const times = 4;

export async function floor(bench: Bench): Promise<readonly Row[]> {
  const bare = await OurClient.start(JSON.stringify(bench.real.servers), 'bare-process.js');
  try {
    return [
      ...(await measure(bench, bare, small, bench.quick ? 8 : 30)),
      ...(await measure(bench, bare, medium, bench.quick ? 5 : 15)),
    ];
  } finally {
    await bare.close();
  }
}

async function measure(
  { ours, real }: Bench,
  bare: OurClient,
  subject: Subject,
  pairs: number,
): Promise<readonly Row[]> {
  const clients = [ours, bare] as const;
  const files = await filesOf(clients, subject);
  const keys = await newKeys(times);
  const forgetMade = async ({ caps }: Sample) => {
    for (const cap of caps) await forget(real, cap);
  };
  const actionOf = (operation: Operation) => actions(operation, subject, files, times, keys);
  for (const operation of operations) await compare(25, clients, actionOf(operation), forgetMade);
  const rows: Row[] = [];
  for (const operation of operations) {
    const samples = await compare(pairs, clients, actionOf(operation), forgetMade);
    const naming = { unit: 'ms', against: 'its requests alone' };
    const cpu = pick(samples, ({ cpuMs }) => cpuMs);
    rows.push(costInPairs(`floor ${operation} ${subject.name}`, cpu, naming));
  }
  for (const cap of files.values()) await forget(real, cap);
  return rows;
}
