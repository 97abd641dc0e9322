/**
 * @module control: this client against itself, in turns, as if it were two: how far from 1 a ratio may
 * lie on this machine that means nothing.
 */
import type { Row } from '../figure.ts';
import { large, small } from '../sizes.ts';
import { type Bench, compare, makeFile, rowsOf } from './bench.ts';
import { OurClient } from './our-client.ts';

export async function control({ quick, real }: Bench): Promise<readonly Row[]> {
  // Both are new: one that has run for longer has more of its code compiled.
  const ours = await OurClient.start(real.serversYaml);
  const other = await OurClient.start(real.serversYaml);
  const rows: Row[] = [];
  try {
    for (const [subject, times] of [
      [small, 4],
      [large, 1],
    ] as const) {
      const cap = await makeFile(ours, subject);
      const action = () => ({ kind: 'read', cap, times }) as const;
      await compare(4, [ours, other], action);
      const samples = await compare(quick ? 6 : 21, [ours, other], action);
      const operation = `read ${subject.name}, A against A`;
      rows.push(...rowsOf(operation, samples, 'the same client once more'));
    }
  } finally {
    for (const client of [ours, other]) await client.close();
  }
  return rows;
}
