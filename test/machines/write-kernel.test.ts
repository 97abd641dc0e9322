import { describe, expect, test } from 'vitest';
import { contentsMax, segmentSizeMax, segmentsWrittenMax } from '../../machines/limits.ts';
import type { PublishReport } from '../../machines/publish-kernel.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { staleShares } from '../../machines/stale.ts';
import {
  apply,
  type Change,
  decide,
  isContention,
  type Obstacle,
  standoffIn,
  start,
  type WriteFact,
  type WriteRecord,
  type WriteTask,
} from '../../machines/write-kernel.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';
import {
  emptyMap,
  grid,
  mapWith,
  publishReport,
  retrieved,
  shortOf,
} from '../support/operations.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);
const full = mapWith(v1);
const failure = { kind: 'thrown', detail: 'x', ref: 3 } as const;
const overwrite: Change = { kind: 'overwrite', size: 9 };
const modify: Change = { kind: 'modify' };
const append: Change = { kind: 'update', size: 10, offset: null };

function taskOf(change: Change, more: Partial<WriteTask> = {}): WriteTask {
  return { change, format: 'mdmf', ...grid, force: false, attemptsMax: 2, ...more };
}

function begin(change: Change, more: Partial<WriteTask> = {}): WriteRecord {
  return start(taskOf(change, more), true, null);
}

const having = (record: WriteRecord, ...facts: readonly WriteFact[]) => facts.reduce(apply, record);
const mapped = (map: Servermap): WriteFact => ({ type: 'mapped', map });
const isRead: WriteFact = { type: 'read', end: { kind: 'delivered', version: v1 } };
const modified = (isChanged: boolean): WriteFact => ({
  type: 'modified',
  result: { ok: true, isChanged },
});
const published = (report: Parameters<typeof publishReport>[0]): WriteFact => ({
  type: 'published',
  report: publishReport(report),
});
const trees = (areHeld: boolean): WriteFact => ({ type: 'treesRead', areHeld });
/** What four servers make: three of them acknowledge, and two meet every such quorum. */
const quorum = { servers: 4, size: 3 };
const v2b = versionOf(2, 'b');
/** v1 on one server, a share of v2 and of a rival of it on two others; the last one is not heard. */
const standoff = (status: 'unasked' | 'failed' = 'failed'): Servermap =>
  mapOf(
    4,
    [goodAt('s0', 0, v1), goodAt('s0', 1, v1), goodAt('s1', 0, v2), goodAt('s2', 1, v2b)],
    [v1, v2, v2b],
    { s3: status },
  );

/** The same map, of everybody. */
const asked = (map: Servermap, more: Partial<Servermap> = {}): Servermap => ({
  ...map,
  mode: 'repair',
  ...more,
});

describe('whom to ask', () => {
  test('as far as a writer must, then everybody when something stands in the way', () => {
    expect(decide(begin(overwrite))).toEqual({ kind: 'map', mode: 'write' });
    const repair = { kind: 'map', mode: 'repair' };
    expect(decide(having(begin(overwrite), mapped(emptyMap)))).toEqual(repair);
    const few = standoff('unasked');
    expect(decide(having(begin(overwrite), mapped(few)))).toEqual(repair);
    // Where nothing would be lost, nothing can be read yet.
    const dead = mapWith(v1, [0]);
    expect(decide(having(begin(overwrite), mapped(dead)))).toEqual(repair);
    expect(decide(having(start(taskOf(overwrite), true, v2), mapped(full)))).toEqual(repair);
    // Force does not make the look shorter.
    expect(decide(having(begin(overwrite, { force: true }), mapped(few)))).toEqual(repair);
    expect(decide(having(begin(overwrite), mapped(full))).kind).toBe('publish');
    const known = asked(mapOf(4, [...full.holdings, goodAt('s3', 0, v2)], [v1, v2]));
    expect(decide(having(begin(overwrite), mapped(few), mapped(known))).kind).toBe('publish');
  });

  test('everybody at once after a collision, if the key is known', () => {
    const again = having(begin(modify), mapped(full), { type: 'waited' });
    expect(decide(again)).toEqual({ kind: 'map', mode: 'check' });
    expect(decide({ ...again, hasPrivateKey: false })).toEqual({ kind: 'map', mode: 'write' });
    // And nobody twice.
    const nothing = having(again, mapped({ ...emptyMap, mode: 'check' }));
    expect(decide(nothing).kind).toBe('failed');
  });

  test('of a new key nobody, of any other everybody', () => {
    const isNew = begin({ kind: 'create', isNewKey: true });
    expect(decide(isNew)).toEqual({
      kind: 'publish',
      plan: {
        map: {
          mode: 'write',
          outcome: 'enough',
          servers: grid.servers.map((id) => ({ id, status: 'unasked', failure: null })),
          holdings: [],
          versions: {},
          privateKey: 'unneeded',
        },
        ...{ base: null, quorum, required: 2, total: 3, wholeShares: true, force: false },
      },
      recipe: { kind: 'whole', required: 2, total: 3, parts: [{ kind: 'new' }] },
    });
    const known = begin({ kind: 'create', isNewKey: false });
    expect(decide(known)).toEqual({ kind: 'map', mode: 'check' });
    expect(decide(having(known, mapped(emptyMap)))).toMatchObject({
      kind: 'publish',
      plan: { map: emptyMap },
    });
  });
});

describe('what stands in the way', () => {
  const obstacleOf = (record: WriteRecord) => {
    const decision = decide(record);
    return decision.kind === 'failed' || decision.kind === 'gaveUp'
      ? [decision.kind, decision.obstacle]
      : [decision.kind];
  };

  test('a first version: any share, good or bad', () => {
    const create = begin({ kind: 'create', isNewKey: false });
    const holdings = [{ server: 's1', shnum: 0, verdict: bad() }];
    const map = { ...emptyMap, holdings: holdings };
    expect(obstacleOf(having(create, mapped(map)))).toEqual([
      'failed',
      { kind: 'fileExists', places: holdings, report: null },
    ]);
  });

  test('a first version: that somebody has made it in between', () => {
    const surprises = [{ server: 's1', shnum: 0, found: v1.checkstring }];
    const report = publishReport('uncoordinated', { surprises });
    const fact: WriteFact = { type: 'published', report };
    const known = having(begin({ kind: 'create', isNewKey: false }), mapped(emptyMap), fact);
    expect(obstacleOf(known)).toEqual([
      'failed',
      { kind: 'fileExists', places: surprises, report },
    ]);
    const isNew = having(begin({ kind: 'create', isNewKey: true }, { attemptsMax: 1 }), fact);
    expect(obstacleOf(isNew)).toEqual(['gaveUp', { kind: 'notPublished', report }]);
    const failing = having(begin({ kind: 'create', isNewKey: false }), published('indeterminate'));
    const left = { kind: 'notPublished', report: publishReport('indeterminate') };
    expect(obstacleOf(failing)).toEqual(['failed', left]);
  });

  test('that nothing is there, by force or not', () => {
    for (const force of [true, false]) {
      const record = having(begin(overwrite, { force }), mapped(emptyMap), mapped(asked(emptyMap)));
      const map = asked(emptyMap);
      expect(obstacleOf(record)).toEqual(['failed', { kind: 'unrecoverable', map }]);
    }
  });

  test('a version that was seen and is not found again', () => {
    const late = mapWith(v2);
    const lost = having(begin(overwrite, { attemptsMax: 1 }), mapped(late), mapped(asked(full)));
    expect(lost.newest).toBe(v2);
    expect(obstacleOf(lost)).toEqual([
      'gaveUp',
      { kind: 'versionLost', lost: v2, map: asked(full) },
    ]);
    const silent = { ...emptyMap, mode: 'repair' } as const;
    const servers = silent.servers.map((server) => ({ ...server, status: 'failed' }) as const);
    const map = { ...silent, servers };
    const unheard = having(begin(overwrite), mapped(late), mapped(map));
    expect(obstacleOf(unheard)).toEqual(['failed', { kind: 'unrecoverable', map }]);
    // One that answers is enough to say that it is lost.
    const heard = { ...map, servers: [...servers.slice(1), ...silent.servers.slice(0, 1)] };
    const partly = having(begin(overwrite), mapped(late), mapped(heard));
    expect(obstacleOf(partly)).toEqual(['failed', { kind: 'versionLost', lost: v2, map: heard }]);
    const forced = having(begin(overwrite, { force: true }), mapped(late), mapped(asked(full)));
    expect(decide(forced)).toMatchObject({
      kind: 'publish',
      // The new version will be at least above it.
      plan: {
        force: true,
        base: v1,
        map: { holdings: full.holdings, versions: { [v1.id]: v1, [v2.id]: v2 } },
      },
    });
    const remembered = start(taskOf(overwrite), true, v1);
    expect(decide(having(remembered, mapped(full))).kind).toBe('publish');
  });

  test('that nobody has the private key, and the key once it is found', () => {
    const keyless = start(taskOf(overwrite), false, null);
    const missing = mapWith(v1, [0, 1, 2], { privateKey: 'missing' });
    expect(obstacleOf(having(keyless, mapped(missing)))).toEqual([
      'failed',
      { kind: 'missingPrivateKey', map: missing },
    ]);
    const found = having(keyless, mapped(full), mapped(missing));
    expect([found.hasPrivateKey, decide(found).kind]).toEqual([true, 'publish']);
    expect(having(begin(overwrite), mapped(missing)).hasPrivateKey).toBe(true);
  });

  test('another format', () => {
    const sdmf = mapWith({ ...v1, format: 'sdmf' });
    expect(obstacleOf(having(begin(overwrite), mapped(sdmf)))).toEqual([
      'failed',
      { kind: 'wrongFormat', cap: 'mdmf', file: 'sdmf' },
    ]);
  });

  test('no version to build on, unless all is replaced', () => {
    const dead = asked(mapWith(v1, [0]));
    const map = mapWith(v1, [0]);
    expect(decide(having(begin(overwrite), mapped(map), mapped(dead)))).toMatchObject({
      kind: 'publish',
      plan: { map: dead, base: null, quorum, required: 2, total: 3 },
      recipe: { parts: [{ kind: 'new' }] },
    });
    for (const change of [append, modify]) {
      const record = having(begin(change, { attemptsMax: 1 }), mapped(map), mapped(dead));
      expect(obstacleOf(record)).toEqual(['gaveUp', { kind: 'unrecoverable', map: dead }]);
    }
  });

  describe('rivals, any of which may be acknowledged', () => {
    const late = asked(standoff());
    const contended = having(begin(modify), mapped(standoff('unasked')), mapped(late));

    test('nothing may be built on: that is contention, and said', () => {
      const rivals = [v2b, v2, v1];
      const obstacle = { kind: 'noBase', rivals, map: late } as const;
      expect(decide(contended)).toEqual({ kind: 'backOff', obstacle });
      expect(obstacleOf({ ...contended, attemptsMax: 1 })).toEqual(['gaveUp', obstacle]);
      expect(standoffIn(obstacle)).toEqual({ rivals, silent: ['s3'] });
      expect(standoffIn({ kind: 'unrecoverable', map: late })).toBeNull();
    });

    test('unless it is forced: then on the best that can be read, or on nothing', () => {
      const forced = having(begin(overwrite, { force: true }), mapped(late));
      expect(decide(forced)).toMatchObject({ kind: 'publish', plan: { base: v1, map: late } });
      const half = asked(mapOf(4, [goodAt('s1', 0, v2)], [v2], { s2: 'failed' }));
      const bare = having(begin(overwrite, { force: true }), mapped(half));
      expect(decide(bare)).toMatchObject({ kind: 'publish', plan: { base: null } });
      expect(obstacleOf(having(begin(modify, { force: true }), mapped(half)))).toEqual([
        ...['backOff'],
      ]);
    });

    test('an interrupted writer’s shares stop nobody, with every server up', () => {
      const holdings = [...full.holdings, goodAt('s3', 0, v2)];
      const map = mapOf(4, holdings, [v1, v2]);
      const record = having(begin(modify), mapped(map), isRead, modified(true));
      expect(decide(record)).toMatchObject({ kind: 'publish', plan: { base: v1 } });
      // It is not the one that its writer may have been told of.
      expect(record.newest).toBe(v1);
    });

    test('where too few answer to write anything, no version is in the way', () => {
      const few = asked(
        mapOf(4, [goodAt('s0', 0, v1), goodAt('s0', 1, v1)], [v1], {
          ...{ s1: 'failed', s2: 'failed' },
        }),
      );
      const record = having(begin(overwrite), mapped(few));
      expect(decide(record)).toMatchObject({ kind: 'publish', plan: { base: v1, quorum } });
      const none = asked(mapOf(4, [goodAt('s0', 0, v1)], [v1], { s1: 'failed', s2: 'failed' }));
      expect(obstacleOf(having(begin(overwrite, { attemptsMax: 1 }), mapped(none)))).toEqual([
        'gaveUp',
        { kind: 'noBase', rivals: [v1], map: none },
      ]);
    });

    test('the quorum is that of the file’s N, not the grid’s', () => {
      const narrow = versionOf(1, 'a', { required: 1, total: 2 });
      const map = mapWith(narrow, [0, 1]);
      expect(decide(having(begin(overwrite), mapped(map)))).toMatchObject({
        plan: { quorum: { servers: 4, size: 2 }, total: 2 },
      });
    });
  });

  test('an offset beyond the end', () => {
    const at = (offset: number) =>
      obstacleOf(having(begin({ kind: 'update', size: 1, offset }), mapped(full)));
    expect(at(3000)).toEqual(['readTrees']);
    expect(at(3001)).toEqual(['failed', { kind: 'outOfRange', offset: 3001, size: 3000 }]);
  });

  test('shares that run out, and failures', () => {
    const short = shortOf(v1, full);
    const contended = having(begin(modify), mapped(full), { type: 'read', end: short });
    const report = retrieved('notEnoughShares');
    const obstacle = { kind: 'notEnoughShares', version: v1, report };
    expect(decide(contended)).toEqual({ kind: 'backOff', obstacle });
    expect(contended.obstacle).toEqual(obstacle);
    const failed: Obstacle = { kind: 'failed', failure };
    const facts: readonly WriteFact[] = [
      { type: 'read', end: { kind: 'failed', failure } },
      { type: 'modified', result: { ok: false, failure } },
      { type: 'failed', failure },
    ];
    for (const fact of facts) {
      expect(obstacleOf(having(begin(modify), mapped(full), fact))).toEqual(['failed', failed]);
    }
  });
});

describe('what is too much', () => {
  const sizeOf = (dataLength: number, segmentSize = 131072): Version => ({
    ...v1,
    dataLength,
    segmentSize,
  });
  const onBase = (change: Change, base: Version) => having(begin(change), mapped(mapWith(base)));
  const failedBy = (obstacle: Obstacle) => ({ kind: 'failed', obstacle });
  const encodedMax = segmentsWrittenMax * 131072;

  test('a base that cannot be decoded, unless all is replaced', () => {
    const base = sizeOf(2 ** 40, 2 ** 30);
    const beyond = { what: 'segment size of version 1', value: 2 ** 30, max: segmentSizeMax };
    for (const change of [append, modify]) {
      expect(decide(onBase(change, base))).toEqual(failedBy({ kind: 'beyondLimit', beyond }));
    }
    expect(decide(onBase(overwrite, base)).kind).toBe('publish');
  });

  test('a new version that cannot be encoded: by its new end, or as large as before', () => {
    const tooLarge = (size: number) =>
      failedBy({ kind: 'tooLarge', format: 'mdmf', required: 2, size });
    const growing = (size: number) => onBase({ ...append, size }, sizeOf(1000));
    expect(decide(growing(encodedMax - 1000)).kind).toBe('readTrees');
    expect(decide(growing(encodedMax - 999))).toEqual(tooLarge(encodedMax + 1));
    const change: Change = { kind: 'update', size: 1, offset: 0 };
    const huge = onBase(change, sizeOf(encodedMax + 1));
    expect(decide(huge)).toEqual(tooLarge(encodedMax + 1));
    expect(decide(onBase(change, sizeOf(encodedMax))).kind).toBe('readTrees');
  });

  test('what is kept, if one piece of it does not fit into memory', () => {
    const beyond = { what: 'bytes in memory', value: contentsMax + 1, max: contentsMax };
    const tooMuch = failedBy({ kind: 'beyondLimit', beyond });
    expect(decide(onBase(modify, sizeOf(contentsMax))).kind).toBe('read');
    expect(decide(onBase(modify, sizeOf(contentsMax + 1)))).toEqual(tooMuch);
    const change: Change = { kind: 'update', size: 200_000, offset: 10 };
    const behind = (size: number) => having(onBase(change, sizeOf(size + 200_010)), trees(false));
    expect(decide(behind(contentsMax)).kind).toBe('read');
    expect(decide(behind(contentsMax + 1))).toEqual(tooMuch);
    // In place, only the ends of segments are kept.
    const inPlace = having(onBase(change, sizeOf(2 ** 40)), trees(true));
    expect(decide(inPlace).kind).toBe('read');
    // What has been read was not too much.
    expect(decide(having(behind(contentsMax), isRead)).kind).toBe('publish');
  });
});

describe('the newest version that the writer knows of', () => {
  const newestAfter = (newest: Version | null, report: PublishReport) =>
    apply(start(taskOf(overwrite), true, newest), { type: 'published', report }).newest;

  test.each<[PublishReport['kind'], boolean]>([
    ['published', true],
    ['indeterminate', false],
    ['uncoordinated', false],
    ['notEnoughServers', false],
    ['cancelled', false],
  ])('is the one that was made, if it is acknowledged: %s, %j', (kind, isOut) => {
    const report = publishReport(kind, { version: v2 });
    expect(newestAfter(null, report)).toBe(isOut ? v2 : null);
    expect(newestAfter(v1, report)).toBe(isOut ? v2 : v1);
  });

  test('may be the first one', () => {
    expect(newestAfter(null, publishReport('published', { version: v1 }))).toBe(v1);
  });

  test('stays what it was when none was made, or an older one', () => {
    const other = versionOf(2, 'b');
    for (const kind of ['published', 'indeterminate'] as const) {
      expect(newestAfter(v1, publishReport(kind, { version: null }))).toBe(v1);
      expect(newestAfter(other, publishReport(kind, { version: v2 }))).toBe(other);
      expect(newestAfter(versionOf(3), publishReport(kind, { version: v2 }))).toEqual(versionOf(3));
    }
  });

  test('is lost when a later look shows nothing as new', () => {
    const left = publishReport('published', { version: v2 });
    const { newest } = having(begin(overwrite), mapped(full), { type: 'published', report: left });
    const again = having(start(taskOf(overwrite), true, newest), mapped(asked(full)));
    expect(decide(again).kind).toBe('backOff');
    expect(decide({ ...again, attemptsMax: 1 })).toEqual({
      kind: 'gaveUp',
      obstacle: { kind: 'versionLost', lost: v2, map: asked(full) },
    });
  });
});

describe('contention', () => {
  const reportOf = (kind: Parameters<typeof publishReport>[0]): Obstacle => ({
    kind: 'notPublished',
    report: publishReport(kind),
  });
  test.each<[boolean, Obstacle]>([
    [true, { kind: 'versionLost', lost: v2, map: mapWith(v1) }],
    [false, { kind: 'versionLost', lost: v2, map: emptyMap }],
    [true, { kind: 'notEnoughShares', version: v1, report: retrieved('notEnoughShares') }],
    [true, { kind: 'unrecoverable', map: mapWith(v1, [0]) }],
    [false, { kind: 'unrecoverable', map: emptyMap }],
    [true, reportOf('uncoordinated')],
    [true, { kind: 'noBase', rivals: [v2, v1], map: standoff() }],
    [false, reportOf('notEnoughServers')],
    [false, reportOf('indeterminate')],
    [false, reportOf('unprepared')],
    [false, { kind: 'fileExists', places: [], report: null }],
    [false, { kind: 'missingPrivateKey', map: full }],
    [false, { kind: 'wrongFormat', cap: 'mdmf', file: 'sdmf' }],
    [false, { kind: 'outOfRange', offset: 2, size: 1 }],
    [false, { kind: 'beyondLimit', beyond: { what: 'segment size', value: 2, max: 1 } }],
    [false, { kind: 'tooLarge', format: 'sdmf', required: 2, size: 9 }],
    [false, { kind: 'failed', failure }],
  ])('%j: %j', (is, obstacle) => {
    expect(isContention(obstacle)).toBe(is);
  });

  test('leads to another attempt while there is one, from nothing', () => {
    const record = having(begin(modify), mapped(full), isRead, modified(true));
    const collided = having(record, published('uncoordinated'));
    expect(decide(collided).kind).toBe('backOff');
    const again = having(collided, { type: 'waited' });
    expect(again).toEqual({ ...begin(modify), attempt: 1, newest: v1 });
    const everybody = mapped({ ...full, mode: 'check' });
    const lost = having(again, everybody, published('uncoordinated'));
    expect(decide(lost).kind).toBe('gaveUp');
  });
});

describe('an update', () => {
  const begun = having(begin(append), mapped(full));

  test('of nothing is none', () => {
    const nothing = having(begin({ ...append, size: 0 }), mapped(full));
    expect(decide(nothing)).toEqual({ kind: 'unchanged', base: v1 });
  });

  test('is made in place with the trees, and with what is kept', () => {
    const run = { firstSegment: 2, segmentCount: 1, newDataLength: 3010 };
    const blocks = { firstSegment: 2, segmentCount: 1, ahead: [] };
    const next = [0, 1].map((n) => ({ server: `s${n}`, shnum: n, ...blocks }));
    expect(decide(begun)).toEqual({ kind: 'readTrees', ...run, next, map: full, base: v1 });
    // What does not fit behind the last byte adds segments.
    const longer = having(begin({ ...append, size: 1000 }), mapped(full));
    const adding = { ...run, segmentCount: 2, newDataLength: 4000 };
    expect(decide(longer)).toEqual({ kind: 'readTrees', ...adding, next, map: full, base: v1 });
    const held = having(begun, trees(true));
    const ranges = [{ from: 2048, to: 3000 }];
    expect(decide(held)).toEqual({ kind: 'read', map: full, base: v1, ranges });
    const parts = [{ kind: 'kept', from: 2048, to: 3000 }, { kind: 'new' }];
    expect(decide(having(held, isRead))).toEqual({
      kind: 'publish',
      plan: {
        map: full,
        base: v1,
        quorum,
        required: 2,
        total: 3,
        wholeShares: false,
        force: false,
      },
      recipe: { kind: 'inPlace', base: v1.id, firstSegment: 2, newDataLength: 3010, parts },
    });
    expect(decide(having(held, isRead, published('published')))).toEqual({
      kind: 'published',
      report: publishReport('published'),
      stale: staleShares(full, publishReport('published')),
      inPlace: true,
    });
  });

  test('reads nothing where it keeps nothing', () => {
    const all = having(begin({ kind: 'update', size: 3000, offset: 0 }), mapped(full), trees(true));
    expect(decide(all).kind).toBe('publish');
  });

  test('is made by whole shares without the trees, or where shares are missing or empty', () => {
    const ranges = [{ from: 0, to: 3000 }];
    expect(having(begun, trees(false)).trees).toBe('unavailable');
    expect(decide(having(begun, trees(false)))).toMatchObject({ kind: 'read', ranges });
    const partial = mapWith(v1, [0, 1]);
    expect(decide(having(begin(append), mapped(partial)))).toMatchObject({ kind: 'read', ranges });
    const empty = mapWith({ ...v1, dataLength: 0, segmentSize: 0 });
    const bytes = mapWith({ ...v1, segmentSize: 1 });
    expect(decide(having(begin(append), mapped(bytes))).kind).toBe('readTrees');
    expect(decide(having(begin(append), mapped(empty)))).toMatchObject({
      kind: 'publish',
      recipe: { kind: 'whole', parts: [{ kind: 'new' }] },
    });
  });

  test('is made by whole shares where a writer that dies could leave neither version readable', () => {
    const of = (required: number, total: number) => {
      const version = versionOf(1, 'a', { required, total });
      const all = Array.from({ length: total }, (_, n) => goodAt(`s${n % 4}`, n, version));
      return decide(having(begin(append), mapped(mapOf(4, all, [version])))).kind;
    };
    expect([of(2, 2), of(2, 3), of(3, 4), of(3, 5), of(1, 1)]).toEqual([
      ...['read', 'readTrees', 'read', 'readTrees', 'readTrees'],
    ]);
  });

  test('goes by whole shares when in place there were too few servers, and nothing was sent', () => {
    const held = having(begun, trees(true), isRead);
    const unsent = having(held, published('notEnoughServers'));
    expect([unsent.trees, unsent.isRead, decide(unsent).kind]).toEqual([
      'unavailable',
      false,
      'read',
    ]);
    const write = { server: 's0', shnum: 0, failure: null } as const;
    const left = (status: 'planned' | 'accepted') =>
      publishReport('notEnoughServers', { writes: [{ ...write, status }] });
    const ending = (record: WriteRecord, status: 'planned' | 'accepted') =>
      decide(having(record, { type: 'published', report: left(status) })).kind;
    expect(ending(held, 'planned')).toBe('read');
    expect(ending(held, 'accepted')).toBe('failed');
    expect(ending(having(unsent, isRead), 'planned')).toBe('failed');
    expect(decide(having(held, published('indeterminate'))).kind).toBe('failed');
  });
});

describe('a modify', () => {
  const begun = having(begin(modify), mapped(full));

  test('reads all of it, then has it changed, then writes what the modifier gave', () => {
    const ranges = [{ from: 0, to: 3000 }];
    expect(decide(begun)).toEqual({ kind: 'read', map: full, base: v1, ranges });
    const read = having(begun, isRead);
    expect(decide(read)).toEqual({ kind: 'modify', base: v1 });
    expect(having(read, modified(true)).modified).toBe('changed');
    const whole = { kind: 'whole', required: 2, total: 3 };
    expect(decide(having(read, modified(true)))).toMatchObject({
      kind: 'publish',
      plan: { wholeShares: true },
      recipe: { ...whole, parts: [{ kind: 'new' }] },
    });
    expect(decide(having(read, modified(false)))).toEqual({ kind: 'unchanged', base: v1 });
    const again = { ...having(read, modified(false)), attempt: 1 };
    expect(decide(again)).toMatchObject({
      kind: 'publish',
      recipe: { ...whole, parts: [{ kind: 'kept', from: 0, to: 3000 }] },
    });
  });

  test('of one byte reads it', () => {
    const one = mapWith({ ...v1, dataLength: 1, segmentSize: 2 });
    const ranges = [{ from: 0, to: 1 }];
    expect(decide(having(begin(modify), mapped(one)))).toMatchObject({ kind: 'read', ranges });
  });

  test('of an empty file reads nothing', () => {
    const empty = having(begin(modify), mapped(mapWith({ ...v1, dataLength: 0, segmentSize: 0 })));
    expect(decide(empty).kind).toBe('modify');
    const again = { ...having(empty, modified(false)), attempt: 1 };
    expect(decide(again)).toMatchObject({ kind: 'publish', recipe: { parts: [] } });
  });
});

test('an existing file keeps its k and N', () => {
  const wide = versionOf(1, 'a', { required: 3, total: 4 });
  const holdings = [0, 1, 2, 3].map((n) => goodAt(`s${n}`, n, wide));
  const map = { ...mapWith(wide), holdings: holdings };
  expect(decide(having(begin(overwrite), mapped(map)))).toMatchObject({
    plan: { required: 3, total: 4 },
  });
  const recipe = having(begin(modify), mapped(map), isRead, modified(true));
  expect(decide(recipe)).toMatchObject({ recipe: { required: 3, total: 4 } });
});
