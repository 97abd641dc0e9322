/**
 * @module charts: the charts' and kernels' share of the CPU time of this client, over HTTP.
 */
import type { Row } from '../figure.ts';
import { chartsRow } from '../local/charts.ts';
import { large, small } from '../sizes.ts';
import { type Bench, makeFile } from './bench.ts';
import type { Action } from './client.ts';

export async function charts({ quick, ours }: Bench): Promise<readonly Row[]> {
  const little = await makeFile(ours, small);
  const more = await makeFile(ours, large);
  const times = quick ? 30 : 100;
  const actions: Readonly<Record<string, Action>> = {
    'read 2 KiB': { kind: 'read', cap: little, times },
    'overwrite 2 KiB': { kind: 'overwrite', cap: little, size: small.size, times },
    'read 10 MiB': { kind: 'read', cap: more, times: 3 },
    'in place 10 MiB': { kind: 'in place', cap: more, offset: large.size / 2, times: 5 },
  };
  const rows: Row[] = [];
  for (const [name, action] of Object.entries(actions)) {
    await ours.perform(action);
    rows.push(chartsRow(`${name} over HTTP`, await ours.chartsShare(action)));
  }
  return rows;
}
