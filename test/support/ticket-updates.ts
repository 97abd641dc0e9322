/**
 * @module ticket-updates: the updates of the tests that Tahoe's ticket #2034 left behind
 * (`test_update.py`), each under many orders of the servers' answers.
 *
 * The first read of a share is cut to its header, so that every verification needs further answers,
 * as it did then. A failure names its order: `random <seed>` is replayed by `randomOrder(seed)`,
 * and `SCHEDULE_SEED=<n>` makes a whole run's seeds begin at n.
 */
import { expect, test } from 'vitest';
import type { Rule } from '../../machines/rules.ts';
import { sharesOf } from '../../machines/servermap.ts';
import { utf8 } from '../../src/bytes.ts';
import { type Format, readkeyOf } from '../../src/caps.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import type { WriteOutcome } from '../../src/runtime/outcome.ts';
import {
  fifo,
  lifo,
  type Order,
  oneEach,
  randomOrder,
  Schedule,
  scheduleSeed,
  unevenServers,
  verificationLast,
} from './schedule.ts';
import { readFile } from './shares.ts';

/** Four segments of 131,073 bytes, the last one shorter. */
const large = fileOf('mdmf', utf8('test data'.repeat(50_000)));
export const small = fileOf('sdmf', utf8('test data'.repeat(10)));

function fileOf(format: Format, contents: Uint8Array) {
  return { format, encoding: defaultEncoding, contents: () => contents };
}
type StoredFile = ReturnType<typeof fileOf>;

/** A file on its first ten servers, with the reads that it takes to verify a share. */
export function scheduleOf(file: StoredFile, serverCount: number): Promise<Schedule> {
  return Schedule.of({ ...file, servers: oneEach(10, serverCount), headLength: 123 });
}

interface Edit {
  readonly offset: number;
  readonly data: Uint8Array;
}

/** What Tahoe takes for the segment size; with k = 3 it is one byte more. */
const segment = 128 * 1024;
const size = large.contents().length;
const nothing = new Uint8Array(0);
const edit = (offset: number, data: string | Uint8Array): Edit => ({
  offset,
  data: typeof data === 'string' ? utf8(data) : data,
});

export const updates: readonly (readonly [
  name: string,
  file: StoredFile,
  edits: readonly Edit[],
])[] = [
  ['append', large, [edit(size, 'appended')]],
  ['append across a power of two', large, [edit(size, 'a'.repeat(2 * segment))]],
  ['multiple-segment replace', large, [edit(segment, `${'b'.repeat(2 * segment)}replaced`)]],
  ['replace at the beginning', large, [edit(0, 'beginning')]],
  ['replace at segstart1', large, [edit(segment + 1, 'replaced')]],
  ['replace and extend', large, [edit(size - 100, 'modified '.repeat(10_000))]],
  ['replace in the last segment', large, [edit(size - 100, 'replaced')]],
  [
    'replace at fencepost locations',
    large,
    [segment, 2 * segment].flatMap((post) =>
      [-3, -2, -1, 0].map((before, i) => edit(post + before, `${i}x`)),
    ),
  ],
  ['replace in the middle', large, [edit(100, 'replaced')]],
  ['replace nothing at the beginning', large, [edit(0, nothing)]],
  ['replace nothing in the middle', large, [edit(50, nothing)]],
  ['replace nothing at segstart1', large, [edit(segment + 1, nothing)]],
  ['update an SDMF file', small, [edit(small.contents().length, 'appended')]],
];

/** `count` orders of the answers; other random ones for another `series`. */
function orders(count: number, series: number): readonly (readonly [name: string, order: Order])[] {
  const seeds = Array.from({ length: count - 3 }, (_, i) => scheduleSeed + 100 * series + i);
  return [
    ['oldest first', fifo],
    ['newest first', lifo],
    ['verification last', verificationLast],
    ...seeds.map((n, i) =>
      i % 2 === 0
        ? ([`random ${n}`, randomOrder(n)] as const)
        : ([`uneven servers ${n}`, unevenServers(n)] as const),
    ),
  ];
}

/** Makes the edits one after the other, and lists every promise that is broken. */
export async function brokenPromises(
  file: StoredFile,
  edits: readonly Edit[],
  serverCount: number,
  order: Order,
  rule: Rule = 'ours',
): Promise<readonly string[]> {
  const schedule = await scheduleOf(file, serverCount);
  const broken: string[] = [];
  let contents = file.contents();
  let seqnum = 1;
  for (const { offset, data } of edits) {
    const outcome: WriteOutcome = await schedule.run(
      'A',
      // Opened anew, so that it has to look.
      ({ grid, file, options }) => grid.open(file.cap).update(data, offset, options),
      { rule, order },
    );
    contents = withEdit(contents, offset, data);
    if (data.length > 0) seqnum++;
    if (outcome.seqnum !== seqnum) broken.push(`version ${outcome.seqnum}, not ${seqnum}`);
    if (file.format === 'mdmf' && !outcome.inPlace) broken.push('not in place');
    if (outcome.placed.length !== (data.length > 0 ? 10 : 0)) {
      broken.push(`${outcome.placed.length} shares placed`);
    }
  }
  broken.push(...schedule.dropped().map((share) => `${share} is dropped`));
  const { length } = schedule.maps();
  if (length !== edits.length) broken.push(`${length} maps`);
  if (schedule.world.now !== 0) broken.push('a deadline passed');
  return [...broken, ...(await brokenOnGrid(schedule, contents))];
}

/** What the grid holds: these contents, as one version with all ten shares. */
async function brokenOnGrid(schedule: Schedule, contents: Uint8Array): Promise<readonly string[]> {
  const { world } = schedule;
  const broken: string[] = [];
  const map = await schedule.observer().servermap();
  const versions = Object.values(map.versions);
  if (versions.length !== 1) broken.push(`${versions.length} versions`);
  const shares = versions.map(({ id }) => sharesOf(map, id));
  if (shares.map(({ size }) => size).join() !== '10') broken.push(`not 10 shares`);
  if (map.holdings.some(({ verdict }) => verdict.kind !== 'good')) broken.push('bad shares');
  // Other shares each time: all ten are of the same contents.
  const three = [0, 3, 7].map((n) => (n + triplets) % 10);
  triplets++;
  const chosen = three.map((shnum): [number, Uint8Array] => {
    const [server = ''] = shares[0]?.get(shnum) ?? [];
    return [shnum, world.shareBytes(server, shnum) as Uint8Array];
  });
  const bytes = await readFile(new Map(chosen), readkeyOf(world.cap));
  if (Buffer.compare(bytes, contents) !== 0) broken.push(`other contents in shares ${three}`);
  return broken;
}
let triplets = 0;

function withEdit(before: Uint8Array, offset: number, data: Uint8Array): Uint8Array {
  const after = new Uint8Array(Math.max(before.length, offset + data.length));
  after.set(before);
  after.set(data, offset);
  return after;
}

/** Every update under `orderCount` orders of the answers. */
export function testUpdates(serverCount: number, orderCount: number): void {
  test.each(updates)('%s', async (updateName, file, edits) => {
    const turn = updates.findIndex(([name]) => name === updateName) % 4;
    for (const [i, [name, order]] of orders(orderCount, serverCount).entries()) {
      // Every order on the ticket's grid; on the others each update has every fourth one, in turn.
      if (serverCount !== 13 && i % 4 !== turn) continue;
      // Of the eight fenceposts each order has two, in turn: they cost as much as all else.
      const some = edits.length === 1 ? edits : edits.filter((_, n) => n % 4 === (i >> 2) % 4);
      const seen = { order: name, broken: await brokenPromises(file, some, serverCount, order) };
      expect(seen).toEqual({ order: name, broken: [] });
    }
  });
}
