/**
 * @module wire: what operations cost on the wire, for this client and for Tahoe's gateway, on the
 * same 13 real servers, 3-of-10. `npm run bench:wire`.
 *
 * A round trip is one of the longest chain of requests each of which began after the one before had
 * been answered; that counts requests that nobody waits for, too. `npm run bench:tahoe` measures
 * how long an operation waits.
 */
import { table } from '../src/cli/plain-text.ts';
import { startRealGrid } from '../test/interop/real-grid.ts';
import { KiB, MiB } from './sizes.ts';
import { changeIt, overwriteIt, readIt, watchOperations } from './tahoe/watch.ts';

const sdmf = { format: 'sdmf', size: KiB } as const;
const mdmf = { format: 'mdmf', size: 10 * MiB } as const;

const real = await startRealGrid();
try {
  const watched = await watchOperations(real, [
    { name: 'read 1 KiB, SDMF', ...sdmf, ...readIt },
    { name: 'overwrite 1 KiB, SDMF', ...sdmf, ...overwriteIt(KiB) },
    { name: 'overwrite 1 MiB, MDMF', ...mdmf, size: MiB, ...overwriteIt(MiB) },
    { name: '1 KiB in place in 10 MiB, MDMF', ...mdmf, ...changeIt(5 * MiB) },
    { name: 'read 10 MiB, MDMF', ...mdmf, ...readIt },
  ]);
  const rows = watched.flatMap(({ name, ours, theirs }) =>
    (
      [
        ['tahoe-mutable', ours],
        ['Tahoe 1.20', theirs],
      ] as const
    ).map(([client, { requests, roundTrips, kib }]) => [
      ...[name, client],
      ...[requests, roundTrips, kib].map(String),
    ]),
  );
  console.log(table([['operation', 'client', 'requests', 'round trips', 'KiB'], ...rows], ''));
} finally {
  await real.close();
}
