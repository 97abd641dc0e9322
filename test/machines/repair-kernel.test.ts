/**
 * What a repair does about a map: k = 2, N = 3, and of four servers three make a quorum (B = 2).
 */
import { describe, expect, test } from 'vitest';
import { contentsMax, segmentSizeMax } from '../../machines/limits.ts';
import {
  apply,
  decide,
  marksLeft,
  marksToRead,
  newestSeen,
  type RepairFact,
  type RepairRecord,
  type RepairTask,
  start,
} from '../../machines/repair-kernel.ts';
import type { ShareSource } from '../../machines/retrieve-kernel.ts';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, unverified, versionOf } from '../support/facts.ts';
import {
  corruptSource,
  emptyMap,
  grid,
  mapWith,
  publishReport,
  retrieved,
  shortOf,
} from '../support/operations.ts';

const v1 = versionOf(1, 'a', { parent: null });
const x = versionOf(2, 'm', { parent: v1 });
const older = versionOf(2, 'a');
const newer = versionOf(2, 'z');
const v3 = versionOf(3);
const failure = { kind: 'internal', detail: 'x' } as const;

const task: RepairTask = { format: 'mdmf', grid, force: false, newest: null };
const begin = (more: Partial<RepairTask> = {}, hasPrivateKey = true) =>
  start({ ...task, ...more }, hasPrivateKey);
const booked = (record: RepairRecord, ...facts: readonly RepairFact[]) =>
  facts.reduce(apply, record);
const mapped = (map: Servermap): RepairFact => ({ type: 'mapped', map });
const judged = (version: Version, sources: readonly ShareSource[] = []): RepairFact => ({
  ...{ type: 'judged', version: version.id, report: retrieved('delivered', { sources }) },
});
const read: RepairFact = { type: 'read', end: { kind: 'delivered', version: x } };

/** A map of four servers that hold this. */
const holds = (...holdings: readonly Holding[]) =>
  mapOf(
    4,
    holdings,
    [v1, x, older, newer, v3].filter(({ id }) =>
      holdings.some(({ verdict }) => verdict.kind === 'good' && verdict.version === id),
    ),
  );
const full = [0, 1, 2].map((n) => goodAt(`s${n}`, n, x));
const badAt = (server: string, shnum: number, head: string): Holding => ({
  ...{ server, shnum, verdict: bad(head) },
});

/** What comes of a map of which x has been judged, and no share of it is bad. */
const next = (map: Servermap, more: Partial<RepairTask> = {}) =>
  decide(booked(begin(more), mapped(map), judged(x)));
/** In a word or two. */
function planned(map: Servermap, more: Partial<RepairTask> = {}): string {
  const decision = decide(booked(begin(more), mapped(map), judged(x), read));
  switch (decision.kind) {
    case 'publish':
      return decision.recipe.kind;
    case 'repaired':
      return decision.finding.way;
    case 'failed':
      return decision.obstacle.kind;
    default:
      return decision.kind;
  }
}

describe('what comes next', () => {
  test('a map, the blocks of the best version, and nothing where all is well', () => {
    expect(decide(begin())).toEqual({ kind: 'map' });
    const map = holds(...full);
    expect(decide(booked(begin(), mapped(map)))).toEqual({ kind: 'judge', map, version: x });
    const sources = full.map(({ server, shnum }): ShareSource => {
      return { server, shnum, status: 'usable', failure: null };
    });
    expect(decide(booked(begin(), mapped(map), judged(x, sources)))).toMatchObject({
      kind: 'repaired',
      finding: {
        way: 'nothing',
        report: null,
        placed: [],
        after: map,
        before: { isHealthy: true },
      },
    });
  });

  test('a share is missing: the contents are read, if there are any', () => {
    const map = holds(...full.slice(1));
    const ranges = [{ from: 0, to: 3000 }];
    expect(next(map)).toEqual({ kind: 'read', map, version: x, ranges });
    const empty = { ...x, dataLength: 0, segmentSize: 0 };
    expect(next(mapWith(empty, [0, 1]))).toMatchObject({
      kind: 'publish',
      recipe: { kind: 'again', parts: [] },
    });
  });

  test('fewer than k good shares are left of the best version: the next one is judged', () => {
    const map = mapOf(4, [...full.slice(0, 2), goodAt('s2', 0, v1), goodAt('s3', 1, v1)], [v1, x]);
    const record = booked(begin(), mapped(map), judged(x, [corruptSource('s0', 0)]));
    expect(decide(record)).toMatchObject({ kind: 'judge', version: v1 });
    expect(decide(booked(record, judged(v1)))).toMatchObject({
      kind: 'failed',
      obstacle: { kind: 'atStake', versions: [x] },
    });
  });

  test('what is corrupt is bad, and its place is written', () => {
    const record = booked(
      begin(),
      mapped(holds(...full)),
      judged(x, [corruptSource('s0', 0)]),
      read,
    );
    const decision = decide(record);
    expect(decision).toMatchObject({ kind: 'publish', recipe: { kind: 'again' } });
    const verdict = { kind: 'bad', reason: 'a block', head: x.id };
    const { map } = (decision as Extract<typeof decision, { kind: 'publish' }>).plan;
    expect(map.holdings[0]).toEqual({ server: 's0', shnum: 0, verdict });
    expect(marksLeft(record)).toEqual([
      { server: 's0', shnum: 0, reason: 'a block', version: x.id },
    ]);
  });

  test('a share without the private key is written again, and read from until then', () => {
    const keyless = (n: number): ShareSource => ({
      ...corruptSource(`s${n}`, n),
      failure: { kind: 'keyless', detail: 'no key' },
    });
    const map = holds(...full);
    const sources = [keyless(0), keyless(1), corruptSource('s2', 2)];
    const record = booked(begin(), mapped(map), judged(x, sources));
    const readable = decide(record) as Extract<ReturnType<typeof decide>, { kind: 'read' }>;
    expect(readable.map.holdings.map(({ verdict }) => verdict.kind)).toEqual([
      ...['good', 'good', 'bad'],
    ]);
    expect(marksToRead(record).map(({ server }) => server)).toEqual(['s2']);
    const places = [0, 1].map((n) => ({ server: `s${n}`, shnum: n }));
    const decision = decide(booked(record, read));
    expect(decision).toMatchObject({ kind: 'publish', recipe: { kind: 'again', places } });
    const { plan } = decision as Extract<typeof decision, { kind: 'publish' }>;
    expect(plan.map.holdings.map(({ verdict }) => verdict.kind)).toEqual(['bad', 'bad', 'bad']);
  });

  test('that fewer than k shares are good is a finding, too', () => {
    const report = retrieved('notEnoughShares', { sources: [corruptSource('s0', 0)] });
    const map = holds(...full);
    const record = booked(begin(), mapped(map), { type: 'judged', version: x.id, report });
    expect(decide(record)).toMatchObject({ kind: 'read', version: x });
  });

  test('of a server that did not give its blocks nothing is known', () => {
    const silent: ShareSource = {
      ...{ server: 's0', shnum: 0, status: 'failed' },
      failure: { kind: 'timeout', detail: 'late' },
    };
    const decision = decide(booked(begin(), mapped(holds(...full)), judged(x, [silent]), read));
    const { map } = (decision as Extract<typeof decision, { kind: 'publish' }>).plan;
    expect(map.servers[0]).toEqual({ id: 's0', status: 'failed', failure: silent.failure });
    expect(map.holdings).toEqual(full.slice(1));
  });
});

describe('the same version, or a new one', () => {
  const two = full.slice(0, 2);

  test.each<[string, readonly Holding[], string]>([
    ['what it was built on', [...two, goodAt('s2', 2, v1)], 'again'],
    ['an older rival that is dead', [...two, goodAt('s2', 2, older)], 'again'],
    ['a bad share of itself', [...two, badAt('s2', 2, x.checkstring)], 'again'],
    ['a bad share that claims to be older', [...two, badAt('s2', 2, older.checkstring)], 'again'],
    ['a rest that is as new, and greater', [...two, goodAt('s2', 2, newer)], 'whole'],
    ['the same beside a share of its own', [...full, goodAt('s0', 1, newer)], 'whole'],
    ['a bad share that claims to be newer than all', [...full, badAt('s3', 0, '01ff')], 'nothing'],
    [
      'a share that was not read',
      [...full, { server: 's3', shnum: 0, verdict: unverified() }],
      'nothing',
    ],
    ['a number beyond N', [...full, badAt('s3', 3, older.checkstring)], 'nothing'],
  ])('%s', (_, holdings, way) => {
    expect(planned(holds(...holdings))).toBe(way);
  });

  test('what is known to be acknowledged changes nothing, if it is not newer', () => {
    const short = holds(...two);
    expect(planned(short, { newest: x })).toBe('again');
    expect(planned(short, { newest: v1 })).toBe('again');
  });

  test('a merge reaches servers that hold a rival, also where the same version has no quorum', () => {
    expect(planned(holds(...two, goodAt('s2', 2, newer), goodAt('s3', 2, newer)))).toBe('whole');
  });

  test('by force a bad share goes, whatever it claims', () => {
    expect(planned(holds(...full, badAt('s3', 0, '01ff')), { force: true })).toBe('whole');
    expect(planned(holds(...full), { force: true })).toBe('nothing');
  });

  test('but what nobody can test for stays, also by force', () => {
    const unread = { server: 's3', shnum: 0, verdict: unverified() };
    const [rotten, beyond] = [badAt('s3', 0, '01ff'), badAt('s3', 3, '01ff')];
    const force = { force: true };
    expect(planned(holds(...full, unread), force)).toBe('nothing');
    expect(planned(holds(...full, beyond), force)).toBe('nothing');
    expect(planned(holds(...full, rotten, beyond), force)).toBe('nothing');
    // It is of one server alone.
    const other = badAt('s2', 0, '01ff');
    expect(planned(holds(...full, other, unread), force)).toBe('whole');
    expect(planned(holds(...full, other, beyond), force)).toBe('whole');
  });

  test('a merge is an overwrite of the version by itself', () => {
    const map = holds(...two, goodAt('s2', 2, newer));
    expect(decide(booked(begin(), mapped(map), judged(x), read))).toEqual({
      kind: 'publish',
      plan: {
        ...{ map, base: x, quorum: { servers: 4, size: 3 }, required: 2, total: 3 },
        ...{ wholeShares: true, force: false, spread: 3 },
      },
      recipe: {
        ...{ kind: 'whole', required: 2, total: 3 },
        parts: [{ kind: 'kept', from: 0, to: 3000 }],
      },
    });
  });
});

describe('what would be lost', () => {
  test('a newer version that can not be read', () => {
    const map = holds(...full, goodAt('s3', 0, v3));
    expect(next(map)).toEqual({
      kind: 'failed',
      obstacle: { kind: 'atStake', versions: [v3], map },
    });
    expect(planned(map, { force: true })).toBe('whole');
  });

  test('a fork that can be read', () => {
    const map = holds(
      goodAt('s0', 0, x),
      goodAt('s1', 1, x),
      goodAt('s2', 0, newer),
      goodAt('s3', 1, newer),
    );
    const decision = decide(booked(begin(), mapped(map), judged(x), judged(newer)));
    expect(decision).toMatchObject({ kind: 'failed', obstacle: { kind: 'atStake' } });
  });

  test('but not an older version, nor one that it was built on', () => {
    expect(planned(holds(...full, goodAt('s3', 0, v1)))).toBe('again');
    expect(planned(holds(...full, goodAt('s3', 0, v1), goodAt('s3', 1, v1)))).toBe('again');
  });

  test('what may be acknowledged, where even a merge reaches too few servers', () => {
    const wide = versionOf(2, 'm', { total: 4 });
    const rotten = [badAt('s3', 0, '01ff'), badAt('s4', 0, '01ff')];
    const known = [goodAt('s0', 0, wide), goodAt('s1', 1, wide), goodAt('s2', 2, newer)];
    const map = mapOf(5, [...known, ...rotten], [wide, newer]);
    const membership = { servers: 5, happy: 4 };
    const record = begin({ grid: { ...grid, total: 4, membership } });
    expect(decide(booked(record, mapped(map), judged(wide)))).toEqual({
      kind: 'failed',
      obstacle: { kind: 'noBase', rivals: [newer, wide], map },
    });
  });

  test('what may be acknowledged, when servers are silent', () => {
    const known = [goodAt('s0', 0, x), goodAt('s0', 1, x)];
    const rivals = [goodAt('s1', 1, newer), goodAt('s3', 1, older)];
    const versions = [x, newer, older];
    const map = mapOf(4, [...known, ...rivals], versions, { s2: 'failed' });
    expect(next(map)).toMatchObject({ kind: 'failed', obstacle: { kind: 'noBase' } });
  });

  test('but not rotten shares of the version itself: it may be placed over them at any time', () => {
    const known = [goodAt('s0', 0, x), goodAt('s0', 1, x)];
    const rotten = (head: string) => {
      const all = [...known, badAt('s1', 1, head), badAt('s2', 2, head)];
      return mapOf(4, all, [x], { s3: 'failed' });
    };
    expect(planned(rotten(x.checkstring))).toBe('again');
    const obstacle = { kind: 'noBase' };
    expect(next(rotten('01ff'))).toMatchObject({ kind: 'failed', obstacle });
  });

  test('where too few answer, that is what is said', () => {
    const statuses = { s2: 'failed', s3: 'failed' } as const;
    const map = mapOf(4, full.slice(0, 2), [x], statuses);
    expect(next(map)).toMatchObject({ kind: 'publish', recipe: { kind: 'again' } });
  });

  test('a version that was acknowledged before; by force the new one is above it', () => {
    const map = holds(...full);
    expect(next(map, { newest: v3 })).toEqual({
      kind: 'failed',
      obstacle: { kind: 'versionLost', lost: v3, map },
    });
    const forced = decide(booked(begin({ newest: v3, force: true }), mapped(map), judged(x), read));
    expect(forced).toMatchObject({ kind: 'publish', recipe: { kind: 'whole' } });
    const { plan } = forced as Extract<typeof forced, { kind: 'publish' }>;
    expect(plan.map.versions[v3.id]).toEqual(v3);
  });

  test('where too few answer for a version above it, the publish says so', () => {
    const statuses = { s2: 'failed', s3: 'failed' } as const;
    const map = mapOf(4, [...full.slice(0, 2), goodAt('s0', 2, x)], [x], statuses);
    expect(next(map, { newest: v3, force: true })).toMatchObject({
      kind: 'publish',
      recipe: { kind: 'whole' },
    });
  });
});

describe('what stands in the way', () => {
  const short = holds(...full.slice(1));

  test('nothing can be read', () => {
    expect(decide(booked(begin(), mapped(emptyMap)))).toEqual({
      kind: 'failed',
      obstacle: { kind: 'unrecoverable', map: emptyMap },
    });
  });

  test('no private key; found in a share, it is known', () => {
    const keyless = { ...short, privateKey: 'missing' } as const;
    expect(decide(booked(begin({}, false), mapped(keyless), judged(x)))).toEqual({
      kind: 'failed',
      obstacle: { kind: 'missingPrivateKey', map: keyless },
    });
    expect(decide(booked(begin({}, false), mapped(short), judged(x))).kind).toBe('read');
    const whole = { ...holds(...full), privateKey: 'missing' } as const;
    expect(decide(booked(begin({}, false), mapped(whole), judged(x))).kind).toBe('repaired');
  });

  test('the other format', () => {
    expect(next(short, { format: 'sdmf' })).toEqual({
      kind: 'failed',
      obstacle: { kind: 'wrongFormat', cap: 'sdmf', file: 'mdmf' },
    });
  });

  test('more than may be read, or kept in memory', () => {
    const segments = { ...x, dataLength: 2 ** 40, segmentSize: 2 ** 30 };
    expect(decide(booked(begin(), mapped(mapWith(segments, [0, 1]))))).toMatchObject({
      obstacle: { kind: 'beyondLimit', beyond: { value: 2 ** 30, max: segmentSizeMax } },
    });
    const long = { ...x, dataLength: 2 ** 33, segmentSize: 2 ** 20 };
    expect(decide(booked(begin(), mapped(mapWith(long, [0, 1])), judged(long)))).toMatchObject({
      obstacle: { kind: 'beyondLimit', beyond: { value: 2 ** 33, max: contentsMax } },
    });
  });

  test.each<[string, RepairFact, object]>([
    ['a bug', { type: 'failed', failure }, { kind: 'failed', failure }],
    [
      'no blocks',
      { type: 'judged', version: x.id, report: retrieved('internal', { failure }) },
      { kind: 'failed', failure },
    ],
    [
      'it is cancelled',
      { type: 'judged', version: x.id, report: retrieved('cancelled') },
      { kind: 'failed', failure: { kind: 'internal', detail: 'cancelled' } },
    ],
    [
      'the shares run out',
      { type: 'read', end: shortOf(x, short) },
      { kind: 'notEnoughShares', version: x, report: retrieved('notEnoughShares') },
    ],
    [
      'the consumer fails',
      { type: 'read', end: { kind: 'failed', failure } },
      { kind: 'failed', failure },
    ],
    [
      'the publish fails',
      { type: 'published', report: publishReport('uncoordinated') },
      { kind: 'notPublished', report: publishReport('uncoordinated') },
    ],
  ])('%s', (_, fact, obstacle) => {
    expect(decide(booked(begin(), mapped(short), judged(x), fact))).toEqual({
      kind: 'failed',
      obstacle,
    });
  });
});

describe('how it ends', () => {
  const map = holds(...full.slice(1));
  const whole = holds(...full);
  const write = (n: number, status: 'accepted' | 'refused' = 'accepted') => {
    return { server: `s${n}`, shnum: n, status, failure: null };
  };
  const report = publishReport('published', {
    ...{ base: x, version: x, writes: [write(0), write(1), write(2)] },
  });
  const placed = booked(begin(), mapped(map), judged(x), read, { type: 'published', report });

  test('everybody is asked again, and what was there is not among what was written', () => {
    expect(decide(placed)).toEqual({ kind: 'confirm', map });
    expect(newestSeen(placed)).toEqual(x);
    expect(decide(booked(placed, { type: 'confirmed', map: whole }))).toMatchObject({
      kind: 'repaired',
      finding: { way: 'again', placed: [{ server: 's0', shnum: 0 }], after: whole, report },
    });
  });

  test('only what was accepted, and was not just there, has been placed', () => {
    const placedWith = (...writes: readonly (typeof report.writes)[number][]) =>
      decide(
        booked(
          ...[begin(), mapped(map), judged(x), read],
          { type: 'published', report: { ...report, writes } },
          { type: 'confirmed', map: whole },
        ),
      );
    const [ofServer1, ofShare1] = [
      { ...write(1), shnum: 0 },
      { ...write(1), server: 's0' },
    ];
    expect(placedWith(ofServer1, ofShare1, write(0, 'refused'), write(1))).toMatchObject({
      finding: {
        placed: [
          { server: 's1', shnum: 0 },
          { server: 's0', shnum: 1 },
        ],
      },
    });
  });

  test('a new version', () => {
    const merged = { ...report, version: v3 };
    const record = booked(begin(), mapped(map), judged(x), read, {
      type: 'published',
      report: merged,
    });
    expect(decide(booked(record, { type: 'confirmed', map: whole }))).toMatchObject({
      finding: { way: 'merge', placed: [0, 1, 2].map((n) => ({ server: `s${n}`, shnum: n })) },
    });
    expect(newestSeen(record)).toEqual(v3);
  });

  test('what was corrupt, and could not be written, stays marked', () => {
    const sources = [corruptSource('s0', 0), corruptSource('s1', 1)];
    const writes = [write(0), write(1, 'refused')];
    const record = booked(begin(), mapped(whole), judged(x, sources), {
      ...{ type: 'published', report: { ...report, writes } },
    });
    expect(marksLeft(record).map(({ server }) => server)).toEqual(['s1']);
  });

  test('nor does another share there, or that share elsewhere, take the mark away', () => {
    const writes = [
      { ...write(0), shnum: 1 },
      { ...write(0), server: 's1' },
    ];
    const facts = [mapped(whole), judged(x, [corruptSource('s0', 0)])];
    const published: RepairFact = { type: 'published', report: { ...report, writes } };
    const record = booked(begin(), ...facts, published);
    expect(marksLeft(record)).toMatchObject([{ server: 's0', shnum: 0 }]);
  });

  test('nothing was seen, nothing is remembered but what was before', () => {
    expect(newestSeen(begin())).toBeNull();
    expect(newestSeen(booked(begin({ newest: v3 }), mapped(whole)))).toEqual(v3);
    expect(newestSeen(booked(begin(), mapped(whole)))).toEqual(x);
  });
});
