import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Candidate,
  candidateOn,
  chooseBase,
  chooseForReader,
  type Held,
  isHeard,
  isMajority,
  isReplaceable,
  meetingSize,
  type Quorum,
  quorumOf,
  reachOf,
  rivalsOf,
  viewOf,
} from '../../machines/quorum.ts';
import type { Holding, ServerStatus, Version } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, unverified, versionOf } from '../support/facts.ts';
import {
  baseOf,
  letterOf,
  made,
  majority,
  type Named,
  named,
  readOf,
  seen,
  strays,
} from '../support/quorum-maps.ts';

const { a, b, o } = named;

describe('S, W and B', () => {
  test.each([
    [10, 7, 10, 7],
    [10, 7, 3, 3],
    [4, 7, 10, 4],
    [0, 7, 10, 0],
  ])('of %i servers, happy %i, N = %i: W = %i', (servers, happy, total, size) => {
    expect(quorumOf({ servers, happy }, total)).toEqual({ servers, size });
  });

  test.each([
    [10, 7, true, 4],
    [13, 7, true, 7],
    [3, 2, true, 2],
    [3, 3, true, 1],
    [1, 1, true, 1],
    [4, 2, false, 2],
    [14, 7, false, 7],
    [20, 7, false, 7],
  ])('S = %i, W = %i: two quorums meet: %j, B = %i', (servers, size, meets, count) => {
    const quorum = { servers, size };
    expect([isMajority(quorum), meetingSize(quorum)]).toEqual([meets, count]);
  });

  test('B servers meet every quorum, and B − 1 do not', () => {
    const sizes = fc.integer({ min: 1, max: 40 }).chain((servers) =>
      fc.record({
        servers: fc.constant(servers),
        size: fc.integer({ min: Math.floor(servers / 2) + 1, max: servers }),
      }),
    );
    fc.assert(
      fc.property(sizes, (quorum) => {
        const { servers, size } = quorum;
        const count = meetingSize(quorum);
        expect(isMajority(quorum)).toBe(true);
        expect([count + size > servers, count - 1 + size > servers]).toEqual([true, false]);
      }),
    );
  });
});

describe('what a map shows', () => {
  test('who has told all that it holds', () => {
    const statuses = ['unasked', 'asked', 'verifying', 'good', 'empty', 'corrupt', 'failed'];
    expect(statuses.filter((status) => isHeard({ status: status as ServerStatus }))).toEqual([
      ...['good', 'empty', 'corrupt'],
    ]);
  });

  test('server by server: good shares, and bad ones with what they claim to be', () => {
    const holdings: readonly Holding[] = [
      goodAt('s0', 0, o),
      { server: 's0', shnum: 1, verdict: bad('01ab') },
      { server: 's1', shnum: 1, verdict: unverified() },
      goodAt('s3', 3, a),
    ];
    const map = mapOf(4, holdings, [o, a], { s3: 'failed' });
    const quorum = majority(5);
    expect(viewOf(map, quorum)).toEqual({
      quorum,
      servers: [
        {
          id: 's0',
          held: [
            { kind: 'good', version: o.id },
            { kind: 'bad', claim: '01ab' },
          ],
        },
        { id: 's1', held: [{ kind: 'bad', claim: null }] },
        { id: 's2', held: [] },
        { id: 's3', held: null },
      ],
      versions: map.versions,
    });
  });

  test('a candidate before it is made: its base, the line of that, nothing won', () => {
    const view = viewOf(seen('a o'), majority(2));
    expect(candidateOn(view, a)).toEqual({
      ...{ base: a, version: null, won: new Set() },
      line: new Set([a.id, o.id]),
    });
  });
});

describe('what may be overwritten', () => {
  const quorum = majority(5);
  const n = made(3, 'n', a);
  const good = ({ id }: Version): Held => ({ kind: 'good', version: id });
  const claiming = (claim: string | null): Held => ({ kind: 'bad', claim });
  /** Of n, built on a, with as many servers won; B is 3. */
  const may = (share: Held, won: number, words = 'a a a b b', more: Partial<Candidate> = {}) => {
    const map = seen(words, { ...named, n, m: made(3, 'm', b), x: made(4, 'x', b) });
    const view = viewOf(map, quorum);
    const servers = new Set(Array.from({ length: won }, (_, i) => `s${i}`));
    const candidate = { ...candidateOn(view, a), version: n, won: servers, ...more };
    return isReplaceable(view, candidate, share);
  };

  test('what is in the line of the base, and its own: at once', () => {
    expect([may(good(a), 0), may(good(o), 0, 'a a o b b'), may(good(n), 0)]).toEqual([
      ...[true, true, true],
    ]);
    // Nobody has seen o: then nobody knows that a was built on it.
    expect(may(good(o), 0)).toBe(false);
  });

  test('an older rival: once B servers are won (D1)', () => {
    expect([may(good(b), 2, 'a a a b b o'), may(good(b), 3, 'a a a b b o')]).toEqual([false, true]);
    const lower = made(3, 'm', b);
    expect([may(good(lower), 2, 'a a m b b o'), may(good(lower), 3, 'a a m b b o')]).toEqual([
      ...[false, true],
    ]);
  });

  test('a newer version: never, nor one of which nothing is known', () => {
    const newer = made(4, 'x', b);
    expect([may(good(newer), 5, 'a a a b x'), may(good(newer), 5)]).toEqual([false, false]);
    // A version of its own number goes by the root hash.
    const twin = made(3, 'o', a);
    const among = viewOf(seen('a a a b b'), quorum);
    const view = { ...among, versions: { ...among.versions, [twin.id]: twin } };
    const won = new Set(['s0', 's1', 's2']);
    const candidate = { ...candidateOn(view, a), version: n, won };
    expect(isReplaceable(view, candidate, good(twin))).toBe(false);
    // Nor is one with that root hash newer: of other numbers of shares, say.
    const same = versionOf(3, 'n', { required: 2, parent: a });
    const both = { ...among, versions: { ...among.versions, [same.id]: same } };
    expect(isReplaceable(both, candidate, good(same))).toBe(true);
    // Before it is made, it is to be newer than all that was seen.
    expect(isReplaceable(view, { ...candidate, version: null }, good(twin))).toBe(true);
  });

  const behind = (version: Version) => version.checkstring.slice(2);
  test.each<[string, string | null, boolean]>([
    ['an older version', a.checkstring, true],
    ['an older version, and more than that', `${a.checkstring}ffff`, true],
    ['the new version itself', n.checkstring, true],
    ['the new version itself, and more than that', `${n.checkstring}ffff`, true],
    ['the beginning of the new version', n.checkstring.slice(0, 18), true],
    ['an older version of the other format', `ff${behind(a)}`, true],
    ['a newer version', made(3, 'o').checkstring, false],
    ['the beginning of a newer number', made(4, 'a').checkstring.slice(0, 18), false],
    ['a newer version of the other format', `00${behind(made(3, 'o'))}`, false],
    ['no more than a format', '01', true],
    ['nothing', '', true],
    ['something that nobody has read', null, false],
  ])('a bad share that claims to be %s: %j, once B are won: %j', (_, claim, isAllowed) => {
    expect([may(claiming(claim), 2), may(claiming(claim), 3)]).toEqual([false, isAllowed]);
  });

  test('a bad share, before the new version is made: what claims to be no newer than all others', () => {
    const among = (claim: string | null, words = 'a a a b b') =>
      may(claiming(claim), 3, words, { version: null });
    const beyond = made(2, 'c').checkstring;
    expect([among(b.checkstring), among(`${b.checkstring}ff`), among(beyond)]).toEqual([
      ...[true, true, false],
    ]);
    expect([among(beyond, '- - - - -'), among(null, '- - - - -')]).toEqual([true, false]);
  });
});

describe('the servers that a new version could win', () => {
  const reach = (words: string, base: Version | null, quorum: Quorum, versions: Named = named) =>
    [...reachOf(viewOf(seen(words, versions), quorum), base)].join(' ');

  test('are the clean ones, where they are fewer than B', () => {
    expect(reach('o a a ? -', o, majority(5), strays)).toBe('s0 s4');
    expect(reach('o o a ? !', o, majority(5), strays)).toBe('s0 s1');
    expect(reach('o oa a ? -', o, { servers: 5, size: 2 }, strays)).toBe('s0 s1 s2 s4');
  });

  test('with B of them all that have answered, but for bad shares that claim to be newer', () => {
    expect(reach('o o o b !', o, majority(5), strays)).toBe('s0 s1 s2 s3 s4');
    expect(reach('o o o a !', o, majority(5), strays)).toBe('s0 s1 s2 s3');
    expect(reach('o o o ? a', o, majority(5), strays)).toBe('s0 s1 s2 s4');
  });

  test('or one after the other, where single rivals are dead', () => {
    // c: s2 and s3 hold d, so b is dead, then with s1 won B are.
    expect(reach('c b d d o', named.c, majority(5))).toBe('s0 s1 s2 s3 s4');
    expect(reach('c b d d o', strays.c, majority(5), strays)).toBe('s0');
  });

  test('of nothing are the empty ones', () => {
    expect(reach('- - - a ?', null, majority(5))).toBe('s0 s1 s2 s3');
    expect(reach('- - a a ?', null, majority(5))).toBe('s0 s1');
    expect(reach('- - - - -', null, majority(5))).toBe('s0 s1 s2 s3 s4');
  });
});

describe('what to build on', () => {
  test('the newest version that can be read, if its plan can succeed', () => {
    expect(baseOf('o o o', majority(3))).toBe('o');
    expect(baseOf('a o o', majority(3))).toBe('a');
    expect(baseOf('a b o', majority(3))).toBe('b');
    expect(baseOf('a o o', majority(3), strays)).toBe('o');
  });

  test('k shares of it are there', () => {
    const two = (seqnum: number, letter: string, parent: Version | null) =>
      versionOf(seqnum, letter, { required: 2, parent });
    const old = two(1, 'o', null);
    expect(baseOf('a o o', majority(3), { o: old, a: two(2, 'a', old) })).toBe('o');
    expect(baseOf('a a o', majority(3), { o: old, a: two(2, 'a', old) })).toBe('a');
  });

  test('nothing, where nothing is there that would be lost', () => {
    expect(baseOf('- - -', majority(3))).toBeNull();
    expect(baseOf('- - ?', majority(3))).toBeNull();
    const lone = versionOf(1, 'a', { required: 2, parent: null });
    expect(baseOf('a - -', majority(3), { a: lone })).toBeNull();
    expect(baseOf('a - ?', majority(3), { a: lone })).toBeUndefined();
  });

  test('there is none, where too few have answered', () => {
    expect([baseOf('o ? ?', majority(3)), baseOf('? ? ?', majority(3))]).toEqual([
      ...[undefined, undefined],
    ]);
  });

  test('servers that cannot be asked may hold anything', () => {
    expect(baseOf('a o o', { servers: 4, size: 3 }, strays)).toBe('o');
    expect(baseOf('a o o', { servers: 5, size: 3 }, strays)).toBeUndefined();
  });

  test('rotten shares of the base do not keep it from being written again', () => {
    const head = `${o.checkstring}${'ab'.repeat(34)}`;
    const rotten = [3, 4].map((n): Holding => ({ server: `s${n}`, shnum: n, verdict: bad(head) }));
    const map = seen('o o o - -');
    const found = { ...map, holdings: [...map.holdings, ...rotten] };
    expect(chooseBase(found, { servers: 5, size: 3 })).toBe(o);
    expect(chooseBase(found, { servers: 5, size: 4 })).toBe(o);
  });

  test('where two quorums may miss each other, W servers are enough', () => {
    expect(baseOf('a a o o', { servers: 4, size: 2 }, strays)).toBe('a');
  });

  describe('in the examples of the guide', () => {
    test('H1: a rival that is nowhere else is no base by itself', () => {
      expect(baseOf('a o b', majority(3), strays)).toBeUndefined();
      expect(baseOf('a o b', majority(3))).toBe('b');
      // b2 writes where b1 or o is first, and finds a1 on s1: that is as good as acknowledged.
      expect(baseOf('a a b', majority(3))).toBe('a');
      expect(baseOf('a a b', majority(3), strays)).toBe('a');
    });

    test('L1: a stray version is built on only where that loses nothing', () => {
      const quorum = { servers: 7, size: 5 };
      expect(baseOf('a o o o o b b', quorum, strays)).toBe('o');
      expect(baseOf('a o o o o b b', quorum)).toBe('b');
      // a has come to its fifth server in the meantime.
      expect(baseOf('a a a a a b b', quorum)).toBe('a');
    });

    test('L2: one server each, and the third is silent: nobody can know', () => {
      expect([baseOf('a b ?', majority(3)), baseOf('a b ?', majority(3), strays)]).toEqual([
        ...[undefined, undefined],
      ]);
    });

    test('15.2: a bad share may hide what is newer', () => {
      const [c1, a1] = [named.c, made(3, 'a', named.c)];
      const view = viewOf(seen('- c c', { c: c1 }), majority(3));
      const won = new Set(['s1', 's2']);
      const candidate: Candidate = { base: o, line: new Set([o.id]), version: c1, won };
      const rotten = (claim: string) => isReplaceable(view, candidate, { kind: 'bad', claim });
      expect([rotten(a1.checkstring), rotten(c1.checkstring)]).toEqual([false, true]);
    });

    test('15.4: only what is older is dead, however many servers are won', () => {
      const x = made(3, 'x', o);
      const view = viewOf(seen('o o o x', { ...named, x }), majority(4));
      const won = new Set(['s0', 's1', 's2']);
      const candidate: Candidate = { base: o, line: new Set([o.id]), version: b, won };
      expect(isReplaceable(view, candidate, { kind: 'good', version: x.id })).toBe(false);
    });
  });
});

describe('what stands against each other', () => {
  const rivals = (words: string, versions: Named = named) =>
    rivalsOf(seen(words, versions)).map(letterOf).join('');

  test('is every version that some other one does not contain, newest first', () => {
    expect([rivals('a b ?'), rivals('a b o')]).toEqual(['ba', 'ba']);
    // Of these nobody knows that they were built on o.
    expect(rivals('a b o', strays)).toBe('bao');
    expect(rivals('a b o', { ...named, b: strays.b })).toBe('bao');
    expect(rivals('a o ?')).toBe('a');
  });

  test('is a version alone, whatever it was built on', () => {
    expect([rivals('a ? ?'), rivals('a a ?', strays), rivals('- -')]).toEqual(['a', 'a', '']);
  });
});

describe('what a reader may be given', () => {
  test('the newest version for which B servers are clean (a)', () => {
    expect(readOf('o o ?', majority(3))).toBe('o');
    expect(readOf('a o ?', majority(3))).toBe('a');
    expect(readOf('o o a', majority(3), strays)).toBe('o');
    expect(readOf('- - o', majority(3))).toBe('o');
    expect(readOf('o ? ?', majority(3))).toBeUndefined();
  });

  test('six servers of thirteen, all with the old version: the other seven may have a newer one', () => {
    const heard = (count: number) =>
      readOf(Array.from({ length: 13 }, (_, i) => (i < count ? 'o' : '?')).join(' '), {
        ...{ servers: 13, size: 7 },
      });
    expect([heard(6), heard(7)]).toEqual([undefined, 'o']);
  });

  test('it can be read', () => {
    const two = versionOf(1, 'o', { required: 2, parent: null });
    const child = versionOf(2, 'a', { required: 2, parent: two });
    expect(readOf('a o o', majority(3), { o: two, a: child })).toBe('o');
    expect(readOf('o - -', majority(3), { o: two })).toBeUndefined();
  });

  test('or the newest against which nothing else can be on W servers (b)', () => {
    // a on two servers, b on two: neither is on three, and all of them were built on o.
    expect(readOf('a a b b c', majority(5))).toBe('c');
    expect(readOf('a a b b c', majority(5), strays)).toBeUndefined();
    expect(readOf('a a b b co', majority(5))).toBe('c');
    expect(readOf('a a b b bo', majority(5))).toBe('b');
    expect(readOf('a a a b bo', majority(5))).toBe('a');
    expect(readOf('a a b b co', majority(5), strays)).toBeUndefined();
    // The silent one may have a, or b.
    expect(readOf('a a b ? co', majority(5))).toBe('a');
    expect(readOf('a a bo ? ?', majority(5))).toBeUndefined();
    expect(readOf('a d b ? co', majority(5))).toBe('d');
    expect(readOf('a d b ! co', majority(5))).toBe('d');
    expect(readOf('a a b ! co', majority(5))).toBe('a');
    expect(readOf('a a bo ! ?', majority(5))).toBeUndefined();
    expect(readOf('a a bo ! c', majority(5))).toBe('a');
    expect(readOf('a a b b co', { servers: 6, size: 3 })).toBeUndefined();
    expect(readOf('a d b c o', { servers: 6, size: 4 })).toBe('d');
    expect(readOf('a a b c o', { servers: 6, size: 4 })).toBe('c');
    expect(readOf('a a b c o', { servers: 7, size: 4 })).toBe('a');
    expect(readOf('a a b b o', { servers: 7, size: 4 })).toBeUndefined();
  });

  test('what is outside of its line may have an ancestor in common that nobody sees', () => {
    const hidden = made(2, 'h', o);
    const [x, y, z] = [made(3, 'x', hidden), made(3, 'y', hidden), made(3, 'z', hidden)];
    const more = { ...named, x, y, z, h: hidden, w: made(4, 'w', a), e: made(4, 'e', a) };
    const of = (words: string, versions: Named = more) =>
      chooseForReader(seen(words, versions), majority(5));
    // What was built on it is on three servers, and goes before, whether it is in sight or not.
    expect([of('x y z ao w'), of('xh y z ao w')]).toEqual([z, z]);
    const strangers = { ...more, x: made(3, 'x'), y: made(3, 'y'), z: made(3, 'z') };
    expect(of('x y z ao w', strangers)).toBeUndefined();
    expect(of('x y e ao w')).toBe(more.w);
    expect(of('x y ! ao w')).toBeUndefined();
    // First versions have no ancestor.
    const first = { ...more, x: made(3, 'x', null), y: made(3, 'y', null) };
    expect(of('x y z ao w', first)).toBe(more.w);
  });

  test('a chain that comes down to the line is known, wherever the line ends', () => {
    const root = made(1, 'o');
    const built = (letter: string) => made(2, letter, root);
    const more = { o: root, a: built('a'), b: built('b'), d: built('d') };
    expect(readOf('a a d b bo', majority(5), more)).toBe('d');
    // Who is out of sight, and is named by all, is in the line.
    expect(readOf('a a d b b', majority(5), more)).toBe('d');
    // So is what is in it, though its own parent is in doubt.
    const first = { b: made(2, 'b', null), c: made(2, 'c', null) };
    const a = { ...named.a, parentTag: null };
    expect(readOf('a a ab b c', majority(5), { ...first, a })).toBe('a');
  });

  test('where two quorums may miss each other, W servers are enough', () => {
    expect(readOf('a a o o', { servers: 4, size: 2 }, strays)).toBe('a');
  });
});

describe('whatever a map shows', () => {
  interface World {
    readonly versions: readonly { parent: number; isNamed: boolean }[];
    readonly servers: readonly { held: readonly number[]; isSilent: boolean; isHurt: boolean }[];
    readonly extra: number;
  }
  const worlds = fc.record<World>({
    versions: fc.array(fc.record({ parent: fc.nat(6), isNamed: fc.boolean() }), {
      ...{ minLength: 1, maxLength: 6 },
    }),
    servers: fc.array(
      fc.record({
        held: fc.array(fc.nat(5), { maxLength: 2 }),
        isSilent: fc.nat(4).map((dice) => dice === 0),
        isHurt: fc.nat(7).map((dice) => dice === 0),
      }),
      { minLength: 1, maxLength: 7 },
    ),
    extra: fc.nat(3),
  });

  /** The map, and for each version those that it was built on and the servers that have it. */
  function worldOf({ versions, servers }: World) {
    const all: { version: Version; ancestors: ReadonlySet<string> }[] = [];
    for (const [i, { parent, isNamed }] of versions.entries()) {
      const base = all[parent];
      const name = String.fromCharCode(97 + i);
      const seqnum = (base?.version.seqnum ?? 0) + 1;
      const version = made(seqnum, name, isNamed ? (base?.version ?? null) : undefined);
      all.push({ version, ancestors: new Set([...(base?.ancestors ?? []), version.id]) });
    }
    const heldBy = servers.map(({ held }) => [...new Set(held)].flatMap((n) => all[n] ?? []));
    const heard = servers.map(({ isSilent }) => !isSilent);
    const holdings = heldBy.flatMap((held, i) =>
      heard[i] ? held.map(({ version }, j) => goodAt(`s${i}`, i + 10 * j, version)) : [],
    );
    const hurt = servers.flatMap(({ isSilent, isHurt }, i): readonly Holding[] =>
      isHurt && !isSilent
        ? [{ server: `s${i}`, shnum: 90, verdict: bad(all[0]?.version.checkstring) }]
        : [],
    );
    const inSight = new Set(holdings.map(({ verdict }) => 'version' in verdict && verdict.version));
    const silent = servers.flatMap(({ isSilent }, i) =>
      isSilent ? [[`s${i}`, 'failed'] as const] : [],
    );
    const map = mapOf(
      servers.length,
      [...holdings, ...hurt],
      all.flatMap(({ version }) => (inSight.has(version.id) ? [version] : [])),
      Object.fromEntries(silent),
    );
    const under = (id: string) =>
      heldBy.filter((held) => held.some(({ ancestors }) => ancestors.has(id))).length;
    return { map, all, under };
  }

  const sized = worlds.chain((world) =>
    fc.record({
      world: fc.constant(world),
      size: fc.integer({
        min: Math.floor(world.servers.length / 2) + 1,
        max: world.servers.length,
      }),
    }),
  );

  test('a base, and what a reader is given, contain all that is on W servers', () => {
    fc.assert(
      fc.property(sized, ({ world, size }) => {
        const { map, all, under } = worldOf(world);
        const quorum = { servers: world.servers.length, size };
        const acknowledged = all.filter(({ version }) => under(version.id) >= size);
        for (const chosen of [chooseBase(map, quorum), chooseForReader(map, quorum)]) {
          if (chosen === undefined) continue;
          const ancestors = all.find(({ version }) => version.id === chosen?.id)?.ancestors;
          for (const { version } of acknowledged) expect(ancestors?.has(version.id)).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('who is silent cannot be won, who is clean can; servers that nobody knows allow nothing', () => {
    fc.assert(
      fc.property(sized, ({ world, size }) => {
        const { map } = worldOf(world);
        const quorum = { servers: world.servers.length, size };
        const view = viewOf(map, quorum);
        for (const base of [null, ...Object.values(map.versions)]) {
          const won = reachOf(view, base);
          for (const { id, held } of view.servers) {
            if (held === null) expect(won.has(id)).toBe(false);
            if (held?.length === 0) expect(won.has(id)).toBe(true);
          }
          const { servers } = quorum;
          const among = { servers: servers + world.extra, size: size + world.extra };
          // More servers, all of them needed: what could not be won before can not be won now.
          if (won.size < size) {
            expect(reachOf({ ...view, quorum: among }, base).size).toBeLessThan(among.size);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
