/**
 * @module far: operations on servers that are 50 ms away and back, and how many round trips they wait
 * for: the difference that the delay makes, divided by it. Requests that nobody waits for make none.
 */
import { cost, type Row } from '../figure.ts';
import { large, medium, type Subject, small } from '../sizes.ts';
import { median, type Pairs, pick } from '../statistics.ts';
import { type Bench, compare } from './bench.ts';
import { FarGrid } from './far-grid.ts';
import { GatewayClient } from './gateway-client.ts';
import { actions, filesOf, type Operation } from './nearby.ts';
import { OurClient } from './our-client.ts';

export const roundTripMs = 50;

const subjects: readonly (readonly [Subject, readonly Operation[]])[] = [
  [small, ['create', 'read', 'overwrite']],
  [medium, ['read', 'overwrite']],
  [large, ['read', 'in place', 'create']],
];

export async function far(bench: Bench): Promise<readonly Row[]> {
  const grid = await FarGrid.of(bench.real);
  const ours = await OurClient.start(grid.serversYaml);
  const theirs = await GatewayClient.start(grid.serversYaml);
  const clients = [ours, theirs] as const;
  const rows: Row[] = [];
  try {
    for (const [subject, operations] of subjects) {
      const files = await filesOf(clients, subject);
      for (const operation of operations) {
        const times = subject === large ? 1 : 3;
        const actionOf = actions(operation, subject, files, times);
        const at = async (delay: number, pairs: number) => {
          await grid.set(delay);
          await compare(1, clients, actionOf);
          return pick(await compare(pairs, clients, actionOf), ({ wallMs }) => wallMs);
        };
        const pairs = bench.quick ? 2 : 7;
        const near = await at(0, pairs);
        const away = await at(roundTripMs, subject === large ? Math.min(pairs, 3) : pairs);
        const name = operation === 'create' && subject === large ? 'publish' : operation;
        rows.push(...rowsAt(`${name} ${subject.name}`, near, away));
      }
    }
  } finally {
    for (const client of [...clients]) await client.close();
    await grid.close();
  }
  return rows;
}

function rowsAt(operation: string, near: Pairs<number>, away: Pairs<number>): readonly Row[] {
  const against = "Tahoe's gateway";
  const [ourDepth, theirDepth] = depths(near, away);
  return [
    cost(`wall ${operation} at ${roundTripMs} ms`, median(away.a), median(away.b), {
      unit: 'ms',
      against,
    }),
    cost(`depth ${operation}`, ourDepth, theirDepth, { unit: 'round trips', against }),
  ];
}

/** By the delay and without it: what is waited for one after the other. */
export function depths(near: Pairs<number>, away: Pairs<number>): readonly [number, number] {
  const of = (side: 'a' | 'b') => (median(away[side]) - median(near[side])) / roundTripMs;
  return [of('a'), of('b')];
}
