/**
 * @module far: operations on servers that are 50 ms away and back, and how many round trips they wait
 * for: the difference that the delay makes, divided by it. Requests that nobody waits for make none.
 */
import { cost, costInPairs, type Row } from '../figure.ts';
import { large, medium, type Subject, small } from '../sizes.ts';
import { type Pairs, pick } from '../statistics.ts';
import { type Bench, compare } from './bench.ts';
import { FarGrid } from './far-grid.ts';
import { GatewayClient } from './gateway-client.ts';
import { actions, filesOf, nameOf, type Operation } from './nearby.ts';
import { OurClient } from './our-client.ts';

export const roundTripMs = 50;
/** For depth: the longer, the less it matters what else happens. */
const deepMs = 200;

const subjects: readonly (readonly [Subject, readonly Operation[]])[] = [
  [small, ['create', 'read', 'overwrite', 'overwrite again']],
  [medium, ['read', 'overwrite']],
  [large, ['read', 'in place', 'in place again', 'create']],
];

/** How often each operation is done before, without a delay: V8 compiles meanwhile. */
function timesBefore(subject: Subject): number {
  if (subject === large) return 3;
  return subject === small ? 80 : 10;
}

/** What both clients wait for, with servers so far off. */
export async function wallsAt(
  delayMs: number,
  grid: FarGrid,
  ...work: Parameters<typeof compare>
): Promise<Pairs<number>> {
  await grid.set(delayMs);
  return pick(await compare(...work), ({ wallMs }) => wallMs);
}

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
        const actionOf = actions(operation, subject, files, 1);
        const wallAt = (delay: number, pairs: number) =>
          wallsAt(delay, grid, pairs, clients, actionOf);
        const pairs = !bench.quick ? 7 : subject === large ? 2 : 3;
        const before = actions(operation, subject, files, timesBefore(subject));
        await wallsAt(0, grid, 1, clients, before);
        const near = await wallAt(0, pairs);
        const away = await wallAt(roundTripMs, subject === large ? Math.min(pairs, 3) : pairs);
        const isShort = subject !== large;
        const deep = isShort ? await wallAt(deepMs, pairs) : away;
        await grid.set(0);
        const name = `${nameOf(operation, subject)} ${subject.name}`;
        const against = "Tahoe's gateway";
        const figure = `wall ${name} at ${roundTripMs} ms`;
        rows.push(costInPairs(figure, away, { unit: 'ms', against }));
        const waits = { unit: 'round trips', against };
        rows.push(
          cost(`depth ${name}`, ...depths(near, deep, isShort ? deepMs : roundTripMs), waits),
        );
      }
    }
  } finally {
    for (const client of clients) await client.close();
    await grid.close();
  }
  return rows;
}

/**
 * By how many delays the wall time grows. By the best of each: whatever else goes on in a machine only
 * makes things slower.
 */
export function depths(
  near: Pairs<number>,
  away: Pairs<number>,
  delayMs: number,
): readonly [number, number] {
  const of = (side: 'a' | 'b') => {
    const grown = Math.min(...away[side]) - Math.min(...near[side]);
    return Math.max(0.1, grown / delayMs);
  };
  return [of('a'), of('b')];
}
