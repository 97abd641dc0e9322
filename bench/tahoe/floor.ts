/**
 * @module floor: how much of what an operation costs is its requests: our client in turns with one that
 * does nothing but send them. Nearby by CPU time; far off by what one has to wait for.
 */
import { costInPairs, type Row } from '../figure.ts';
import { medium, type Subject, small } from '../sizes.ts';
import { pick } from '../statistics.ts';
import type { Bench } from './bench.ts';
import { roundTripMs, wallsAt } from './far.ts';
import { FarGrid } from './far-grid.ts';
import { actions, filesOf, type Operation, whenWarm } from './nearby.ts';
import { OurClient } from './our-client.ts';

const operations: readonly Operation[] = ['create', 'read', 'overwrite', 'overwrite again'];
const times = 4;
const naming = { unit: 'ms', against: 'its requests alone' };

/** The client nearby is warm after the parts before. */
const timesBefore = 40;

export async function floor(bench: Bench): Promise<readonly Row[]> {
  return [...(await nearby(bench)), ...(await faraway(bench))];
}

async function nearby({ quick, real, ours }: Bench): Promise<readonly Row[]> {
  const bare = await OurClient.start(JSON.stringify(real.servers), 'bare-process.js');
  const measure = (subject: Subject, pairs: number) =>
    whenWarm(
      { real, subject, operations, effort: { pairs, times }, timesBefore },
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

async function faraway({ quick, real }: Bench): Promise<readonly Row[]> {
  const grid = await FarGrid.of(real);
  const ours = await OurClient.start(grid.serversYaml);
  const bare = await OurClient.start(JSON.stringify(grid.servers), 'bare-process.js');
  const clients = [ours, bare] as const;
  const rows: Row[] = [];
  try {
    const files = await filesOf(clients, small);
    for (const operation of operations) {
      const actionsOf = (times: number) => actions(operation, small, files, times);
      await wallsAt(0, grid, 1, clients, actionsOf(timesBefore));
      const wall = await wallsAt(roundTripMs, grid, quick ? 3 : 7, clients, actionsOf(1));
      const figure = `floor wall ${operation} ${small.name} at ${roundTripMs} ms`;
      rows.push(costInPairs(figure, wall, naming));
    }
  } finally {
    for (const client of clients) await client.close();
    await grid.close();
  }
  return rows;
}
