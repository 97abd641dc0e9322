/**
 * @module requests: how many requests and bytes operations send, both clients' counted by one tap.
 */
import { cost, type Row } from '../figure.ts';
import { large, medium, small } from '../sizes.ts';
import type { Bench } from './bench.ts';
import { changeIt, overwriteIt, readIt, watchOperations } from './watch.ts';

export async function requests({ real }: Bench): Promise<readonly Row[]> {
  const watched = await watchOperations(real, [
    { ...small, name: 'read 2 KiB', ...readIt },
    { ...small, name: 'overwrite 2 KiB', ...overwriteIt(small.size) },
    { ...medium, name: 'read 1 MiB', ...readIt },
    { ...medium, name: 'overwrite 1 MiB', ...overwriteIt(medium.size) },
    { ...large, name: 'in place 10 MiB', ...changeIt(large.size / 2) },
    { ...large, name: 'read 10 MiB', ...readIt },
  ]);
  const against = "Tahoe's gateway";
  return watched.flatMap(({ name, ours, theirs }) => [
    cost(`requests ${name}`, ours.requests, theirs.requests, { unit: 'requests', against }),
    cost(`bytes ${name}`, ours.kib, theirs.kib, { unit: 'KiB', against }),
  ]);
}
