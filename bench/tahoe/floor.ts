/**
 * @module floor: how much of what an operation costs is its requests: our client in turns with one that
 * does nothing but send them. Nearby by CPU time; far off by what one has to wait for.
 */
import { costInPairs, type Row } from '../figure.ts';
import { huge, large, medium, type Subject, small } from '../sizes.ts';
import { type Pairs, pick } from '../statistics.ts';
import type { Bench } from './bench.ts';
import type { Sample } from './client.ts';
import { roundTripMs, wallsAt } from './far.ts';
import { FarGrid } from './far-grid.ts';
import { actions, filesOf, nameOf, type Operation, whenWarm } from './nearby.ts';
import { OurClient } from './our-client.ts';

const operations: readonly Operation[] = ['create', 'read', 'overwrite', 'overwrite again'];
const naming = { unit: 'ms', against: 'its requests alone' };

/** How rows are called by what is measured. */
const measured = { cpuMs: '', wallMs: 'wall ' } as const;

interface Measured {
  readonly operations: readonly Operation[];
  /** How often each is done for a sample. */
  readonly times: number;
  /** The client nearby is warm after the parts before. */
  readonly timesBefore: number;
  readonly measures: readonly (keyof typeof measured)[];
}

const timesBefore = 40;
const ofShort: Measured = { operations, times: 4, timesBefore, measures: ['cpuMs'] };
const ofLong: Measured = {
  operations: ['create', 'read', 'in place'],
  times: 1,
  timesBefore: 5,
  measures: ['cpuMs', 'wallMs'],
};

export async function floor(bench: Bench): Promise<readonly Row[]> {
  return [...(await nearby(bench)), ...(await faraway(bench))];
}

async function nearby({ quick, real, ours }: Bench): Promise<readonly Row[]> {
  const bare = await OurClient.start(JSON.stringify(real.servers), 'bare-process.js');
  const clients = [ours, bare] as const;
  const rowsFor =
    (subject: Subject, measures: readonly (keyof typeof measured)[]) =>
    (operation: Operation, samples: Pairs<Sample>) =>
      measures.map((measure) => {
        const figure = `floor ${measured[measure]}${nameOf(operation, subject)} ${subject.name}`;
        return costInPairs(
          figure,
          pick(samples, (sample) => sample[measure]),
          naming,
        );
      });
  const measure = (subject: Subject, pairs: number, how: Measured) => {
    const { operations, times, timesBefore, measures } = how;
    const works = { real, subject, operations, effort: { pairs, times }, timesBefore };
    return whenWarm(works, clients, rowsFor(subject, measures));
  };
  try {
    return [
      ...(await measure(small, quick ? 8 : 30, ofShort)),
      ...(await measure(medium, quick ? 5 : 15, ofShort)),
      ...(await measure(large, quick ? 5 : 15, ofLong)),
      ...(await measure(huge, quick ? 3 : 7, ofLong)),
    ];
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
