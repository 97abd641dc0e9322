/**
 * @module floor: how much of what an operation costs is its requests: our client in turns with one that
 * does nothing but send them.
 */
import { costInPairs, type Row } from '../figure.ts';
import { medium, type Subject, small } from '../sizes.ts';
import { pick } from '../statistics.ts';
import type { Bench } from './bench.ts';
import { type Operation, whenWarm } from './nearby.ts';
import { OurClient } from './our-client.ts';

const operations: readonly Operation[] = ['create', 'read', 'overwrite', 'overwrite again'];
const times = 4;

export async function floor({ quick, real, ours }: Bench): Promise<readonly Row[]> {
  const bare = await OurClient.start(JSON.stringify(real.servers), 'bare-process.js');
  const naming = { unit: 'ms', against: 'its requests alone' };
  const measure = (subject: Subject, pairs: number) =>
    whenWarm(
      { real, subject, operations, effort: { pairs, times } },
      [ours, bare],
      (name, samples) => {
        const cpu = pick(samples, ({ cpuMs }) => cpuMs);
        return [costInPairs(`floor ${name} ${subject.name}`, cpu, naming)];
      },
    );
  try {
    return [...(await measure(small, quick ? 8 : 30)), ...(await measure(medium, quick ? 5 : 15))];
  } finally {
    await bare.close();
  }
}
