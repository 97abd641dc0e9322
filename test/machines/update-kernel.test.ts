import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Mode,
  noParentTag,
  type ServerStatus,
  type Version,
} from '../../machines/servermap.ts';
import {
  apply,
  decide,
  isBuiltOn,
  nextServers,
  outcomeOf,
  type ServerReport,
  statusOf,
  toServermap,
  type UpdateRecord,
  type UpdateView,
  viewOf,
} from '../../machines/update-kernel.ts';
import {
  bad,
  goodAt,
  goodReport,
  poorReport,
  recordOf,
  serversOf,
  unverified,
  versionOf,
} from '../support/facts.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);

test('a map is built on, or vouched for, unless it is for a reader', () => {
  const modes: readonly Mode[] = ['anything', 'read', 'write', 'check', 'repair'];
  expect(modes.filter(isBuiltOn)).toEqual(['write', 'check', 'repair']);
});

const letters: Readonly<Record<string, ServerStatus>> = {
  '-': 'unasked',
  '?': 'asked',
  V: 'verifying',
  G: 'good',
  E: 'empty',
  C: 'corrupt',
  F: 'failed',
};

/** A view of `word`, with k = 2 and N = 3. */
function viewFor(mode: Mode, word: string, more: Partial<UpdateView> = {}): UpdateView {
  return {
    mode,
    rule: 'ours',
    required: 2,
    total: 3,
    statuses: [...word].map((letter) => letters[letter] as ServerStatus),
    hasRecoverable: false,
    meetingSize: 2,
    isConfirmed: false,
    isContested: false,
    lacksPrivateKey: false,
    ...more,
  };
}

const readable = { hasRecoverable: true, isConfirmed: true };
const wait = { kind: 'wait' };
const ask = (count: number) => ({ kind: 'ask', count });
const enough = { kind: 'done', outcome: 'enough' };
const exhausted = { kind: 'done', outcome: 'exhausted' };

describe('whom to ask first', () => {
  test.each<[Mode, number]>([
    ['anything', 4],
    ['read', 4],
    ['write', 5],
    ['check', 9],
    ['repair', 9],
  ])('%s: %i of nine servers, 2k, N + k or all', (mode, count) => {
    expect(decide(viewFor(mode, '---------'))).toEqual(ask(count));
  });

  test.each<[Mode, number]>([
    ['anything', 6],
    ['read', 6],
    ['write', 13],
  ])('%s, 3 of 10: %i of 15 servers, and five once somebody was asked', (mode, count) => {
    const code = { required: 3, total: 10 };
    expect(decide(viewFor(mode, '-'.repeat(15), code))).toEqual(ask(count));
    expect(decide(viewFor(mode, `F${'-'.repeat(14)}`, code))).toEqual(ask(5));
  });

  test.each<Mode>(['anything', 'read', 'write', 'check', 'repair'])(
    '%s: nobody, when there is nobody',
    (mode) => {
      const outcome = mode === 'check' || mode === 'repair' ? 'enough' : 'exhausted';
      expect(decide(viewFor(mode, ''))).toEqual({ kind: 'done', outcome });
    },
  );

  test.each<Mode>(['check', 'repair'])(
    '%s: 50 of very many servers, whoever has answered',
    (mode) => {
      expect(decide(viewFor(mode, '-'.repeat(1000)))).toEqual(ask(50));
      expect(decide(viewFor(mode, `${'?'.repeat(48)}GE${'-'.repeat(950)}`))).toEqual(ask(2));
      expect(decide(viewFor(mode, `GE${'?'.repeat(50)}${'-'.repeat(9)}`))).toEqual(wait);
    },
  );

  test('no more than there are', () => {
    expect(decide(viewFor('write', '--'))).toEqual(ask(2));
  });

  test('read: B of them, where that is more than 2k; others do not mind', () => {
    const first = (mode: Mode, meetingSize: number) =>
      decide(viewFor(mode, '---------', { meetingSize }));
    expect([first('read', 4), first('read', 5), first('read', 7)]).toEqual([
      ask(4),
      ask(5),
      ask(7),
    ]);
    expect([first('anything', 7), first('write', 7)]).toEqual([ask(4), ask(5)]);
  });
});

describe('whom to ask next', () => {
  test('five answers are kept outstanding', () => {
    expect(decide(viewFor('write', '???GG----', readable))).toEqual(ask(2));
    expect(decide(viewFor('write', '?????----'))).toEqual(wait);
    expect(decide(viewFor('write', '??VEEE----'))).toEqual(ask(2));
    const wide = { ...readable, required: 3 };
    expect(decide(viewFor('read', '????FF--', wide))).toEqual(ask(1));
    expect(decide(viewFor('anything', 'FFFFFF-------', { required: 3 }))).toEqual(ask(5));
  });

  test('or as many as the first wave had, if that was narrower', () => {
    expect(decide(viewFor('read', '???F-', readable))).toEqual(ask(1));
    expect(decide(viewFor('read', '????-', readable))).toEqual(wait);
    expect(decide(viewFor('anything', 'FFFF---------'))).toEqual(ask(4));
  });

  test('write: nobody, once the boundary is in sight and only the answers under way matter', () => {
    expect(decide(viewFor('write', 'GG?EE----', readable))).toEqual(wait);
    expect(decide(viewFor('write', 'GGVEE----', readable))).toEqual(wait);
    expect(decide(viewFor('write', 'GG?EE----'))).toEqual(ask(4));
  });

  test('write: everybody in the end, while no share yielded the private key', () => {
    const view = { ...readable, lacksPrivateKey: true };
    expect(decide(viewFor('write', 'GGEE-----', view))).toEqual(ask(5));
    expect(decide(viewFor('write', 'GGEEEEEEE', view))).toEqual(exhausted);
  });

  test('read: a server that is being verified is not among the 2k that have been seen', () => {
    expect(decide(viewFor('read', 'GGV--', readable))).toEqual(ask(1));
    expect(decide(viewFor('read', 'GGGV--', readable))).toEqual(ask(1));
    expect(decide(viewFor('read', 'GGGGV--', readable))).toEqual(wait);
  });

  test('read: nobody while those under way may suffice, if there are two; else as others do', () => {
    const three = { ...readable, required: 3 };
    expect(decide(viewFor('read', '??????-----', three))).toEqual(wait);
    expect(decide(viewFor('read', 'GG????-----', three))).toEqual(wait);
    expect(decide(viewFor('read', 'GGGG??-----', three))).toEqual(wait);
    expect(decide(viewFor('read', 'GGGGG?-----', three))).toEqual(ask(1));
    // One that has failed brings nothing.
    expect(decide(viewFor('read', 'FGGG??-----', three))).toEqual(ask(1));
    expect(decide(viewFor('read', 'GGGGGG-----', { required: 3 }))).toEqual(ask(5));
  });

  test('nobody while something to end with is being verified', () => {
    expect(decide(viewFor('anything', 'GGV---', readable))).toEqual(wait);
    expect(decide(viewFor('write', 'GGEEV---', readable))).toEqual(wait);
  });
});

describe('when it is over', () => {
  test.each<[Mode, string, Partial<UpdateView>, object]>([
    ['anything', 'GG??', readable, enough],
    ['anything', 'GG??', {}, wait],
    ['read', 'GGEF--', readable, enough],
    ['read', 'GGE?', readable, wait],
    ['read', 'GGEE', {}, exhausted],
    ['read', 'GGEE', { hasRecoverable: true }, exhausted],
    ['read', 'GGEE--', { hasRecoverable: true }, ask(2)],
    ['read', 'GGEF--', { ...readable, meetingSize: 5 }, ask(2)],
    ['read', 'GGEFE-', { ...readable, meetingSize: 5 }, enough],
    ['read', 'GGE', { ...readable, meetingSize: 5 }, enough],
    ['anything', 'GG??', { hasRecoverable: true, meetingSize: 9 }, enough],
    ['read', 'GGEE??', { ...readable, isContested: true }, wait],
    ['read', 'GGEE', { ...readable, isContested: true }, exhausted],
    ['read', 'GG', readable, enough],
    ['write', 'GGEE??', readable, enough],
    ['write', 'GGEE??', {}, wait],
    ['write', 'GGE', readable, exhausted],
    ['write', '?GGEE', readable, wait],
    ['write', 'GGEE?', { ...readable, lacksPrivateKey: true }, wait],
    ['check', 'GGE?', readable, wait],
    ['check', 'GGECF', {}, enough],
    ['repair', 'GGEE', { lacksPrivateKey: true }, exhausted],
    ['repair', 'GGEE', {}, enough],
  ])('%s, %s, %j', (mode, word, more, decision) => {
    expect(decide(viewFor(mode, word, more))).toEqual(decision);
  });

  test('never while anything is being verified, in no mode, wherever it is', () => {
    const view = fc.record({
      mode: fc.constantFrom<Mode>('anything', 'read', 'write', 'check', 'repair'),
      rule: fc.constant('ours' as const),
      required: fc.integer({ min: 1, max: 3 }),
      total: fc.constant(4),
      // Servers are asked in permuted order: the unasked are last.
      statuses: fc
        .array(fc.constantFrom(...Object.values(letters)), { maxLength: 9 })
        .map((all) => [...all].sort((a, b) => Number(a === 'unasked') - Number(b === 'unasked'))),
      hasRecoverable: fc.boolean(),
      meetingSize: fc.integer({ min: 1, max: 9 }),
      isConfirmed: fc.boolean(),
      isContested: fc.boolean(),
      lacksPrivateKey: fc.boolean(),
    });
    fc.assert(
      fc.property(view, (it) => {
        const decision = decide(it);
        if (it.statuses.includes('verifying')) expect(decision.kind).not.toBe('done');
        // And it never stops for nothing: somebody is asked, or somebody's answer is under way.
        const isUnderWay = it.statuses.includes('asked') || it.statuses.includes('verifying');
        if (decision.kind === 'wait') expect(isUnderWay).toBe(true);
        if (decision.kind === 'ask') expect(decision.count).toBeGreaterThan(0);
      }),
      { numRuns: 3_000 },
    );
  });

  test('under the old rules it may be', () => {
    const ticket = { ...readable, rule: 'ticket' } as const;
    const fix2015 = { ...readable, rule: 'fix2015' } as const;
    expect(decide(viewFor('write', 'GGVEE', ticket))).toEqual(enough);
    expect(decide(viewFor('write', 'GGVEE', fix2015))).toEqual(wait);
    expect(decide(viewFor('write', 'GGEEV', fix2015))).toEqual(enough);
  });
});

describe('the books', () => {
  const start = recordOf(serversOf(4));
  const asked = apply(start, { type: 'asked', servers: serversOf(4) });

  test('follow one server from unasked to settled', () => {
    expect(asked).toEqual({ ...start, statuses: ['asked', 'asked', 'asked', 'asked'] });
    const answered = apply(asked, { type: 'answered', server: 's1' });
    expect(answered).toEqual({ ...start, statuses: ['asked', 'verifying', 'asked', 'asked'] });
    const settled = apply(answered, { type: 'settled', report: goodReport('s1', [0, 1], v1) });
    expect(settled).toEqual({
      ...start,
      statuses: ['asked', 'good', 'asked', 'asked'],
      holdings: [goodAt('s1', 0, v1), goodAt('s1', 1, v1)],
      versions: { [v1.id]: v1 },
    });
    expect(statusOf(settled, 's1')).toBe('good');
    expect(statusOf(settled, 'stranger')).toBeUndefined();
  });

  test('do not change by facts about strangers, the unasked and the settled', () => {
    const reports: readonly ServerReport[] = [
      goodReport('stranger', [0], v1),
      goodReport('s0', [0], v1),
    ];
    for (const report of reports) {
      expect(apply(start, { type: 'settled', report })).toBe(start);
    }
    expect(apply(start, { type: 'answered', server: 's0' })).toBe(start);
    expect(apply(asked, { type: 'answered', server: 'stranger' })).toBe(asked);
    expect(apply(asked, { type: 'asked', servers: ['s0', 'stranger'] })).toBe(asked);
    const settled = apply(asked, { type: 'settled', report: poorReport('s0', 'empty') });
    expect(apply(settled, { type: 'settled', report: goodReport('s0', [0], v1) })).toBe(settled);
    expect(apply(settled, { type: 'answered', server: 's0' })).toBe(settled);
  });

  test('stay as they are when a server holds nothing, but for its status', () => {
    const { holdings, versions, failures } = apply(asked, {
      ...{ type: 'settled', report: poorReport('s0', 'empty') },
    });
    expect(holdings).toBe(asked.holdings);
    expect(versions).toBe(asked.versions);
    expect(failures).toBe(asked.failures);
  });

  test('keep every share that was reported, one by one: a corrupt sibling changes nothing', () => {
    const report: ServerReport = {
      ...goodReport('s0', [0], v1),
      holdings: [
        goodAt('s0', 0, v1),
        { server: 's0', shnum: 1, verdict: bad('00') },
        { server: 's0', shnum: 2, verdict: unverified() },
      ],
    };
    const record = apply(asked, { type: 'settled', report });
    expect(record.holdings).toEqual(report.holdings);
    expect(record.statuses[0]).toBe('good');
  });

  test('a share marked bad is bad again, and its server has answered', () => {
    const marked = [{ server: 's0', shnum: 0, reason: 'block hash', version: v1.id }];
    const record = apply(
      { ...asked, marked },
      { type: 'settled', report: goodReport('s0', [0], v1) },
    );
    expect(record.statuses[0]).toBe('good');
    expect(record.holdings[0]?.verdict).toEqual({ kind: 'bad', reason: 'block hash', head: v1.id });
    expect(viewOf(record).hasRecoverable).toBe(false);
  });

  test('k and N are raised by what is verified, never lowered', () => {
    const wide = versionOf(1, 'a', { required: 3, total: 20 });
    const record = apply(asked, { type: 'settled', report: goodReport('s0', [0], wide) });
    expect([record.required, record.total]).toEqual([3, 20]);
    const narrow = versionOf(1, 'a', { required: 1, total: 1 });
    const same = apply(record, { type: 'settled', report: goodReport('s1', [0], narrow) });
    expect([same.required, same.total]).toEqual([3, 20]);
  });

  test('the private key is found once, and only where it is wanted', () => {
    const report = goodReport('s0', [0], v1, { privateKeyFound: true });
    const missing: UpdateRecord = { ...asked, privateKey: 'missing' };
    const found = apply(missing, { type: 'settled', report });
    expect(found.privateKey).toBe('found');
    expect(viewOf(missing).lacksPrivateKey).toBe(true);
    expect(viewOf(found).lacksPrivateKey).toBe(false);
    const again = apply(found, { type: 'settled', report: goodReport('s1', [1], v1) });
    expect(again.privateKey).toBe('found');
    expect(apply(asked, { type: 'settled', report }).privateKey).toBe('unneeded');
  });

  test('the next servers are the first unasked ones, in permuted order', () => {
    const record = recordOf(serversOf(9), {
      statuses: ['failed', 'unasked', 'empty', ...new Array(6).fill('unasked')],
    });
    expect(nextServers(record)).toEqual(['s1', 's3', 's4', 's5', 's6']);
    expect(nextServers(asked)).toEqual([]);
    const waiting = recordOf(serversOf(7), {
      statuses: [...new Array(5).fill('asked'), 'unasked', 'unasked'],
    });
    expect(nextServers(waiting)).toEqual([]);
  });

  test('whether a reader may be given something shows in the view, of a reader’s map', () => {
    const five = recordOf(serversOf(5), {
      ...{ mode: 'read', statuses: serversOf(5).map(() => 'asked') },
    });
    const one = [goodReport('s0', [0], v1), goodReport('s1', [1], v1)];
    const all = [...one, goodReport('s2', [2], v1)];
    const viewAfter = (record: UpdateRecord, reports: readonly ServerReport[]) =>
      viewOf(reports.reduce((r, report) => apply(r, { type: 'settled', report }), record));
    // W is 3, and B too; of five servers all of which are needed one is enough.
    expect(viewAfter(five, one)).toMatchObject({ meetingSize: 3, isConfirmed: false });
    expect(viewAfter(five, all)).toMatchObject({ meetingSize: 3, isConfirmed: true });
    expect(viewAfter({ ...five, mode: 'write' }, all)).toMatchObject({ isConfirmed: false });
    const wide = versionOf(1, 'a', { total: 5 });
    const happy = { ...five, membership: { servers: 5, happy: 5 } };
    expect(viewAfter(happy, [goodReport('s0', [0, 1], wide)])).toMatchObject({
      ...{ meetingSize: 1, isConfirmed: true },
    });
    expect(viewAfter(happy, [goodReport('s0', [0, 1], v1)])).toMatchObject({
      ...{ meetingSize: 3, isConfirmed: false },
    });
  });

  test('newer evidence shows in the view', () => {
    const reports = [
      goodReport('s0', [0], v1),
      goodReport('s1', [1], v1),
      goodReport('s2', [0], v2),
    ];
    const record = reports.reduce((r, report) => apply(r, { type: 'settled', report }), asked);
    expect(viewOf(record)).toMatchObject({ hasRecoverable: true, isContested: true });
  });

  test('and so does a rival of one seqnum, whichever of the two is the best', () => {
    const report = (server: string, shnum: number, version: Version) =>
      ({ type: 'settled', report: goodReport(server, [shnum], version) }) as const;
    const one = [report('s0', 0, v1), report('s1', 1, v1)];
    const alone = one.reduce(apply, asked);
    expect(viewOf(alone)).toMatchObject({ hasRecoverable: true, isContested: false });
    const rival = versionOf(1, 'b');
    expect(viewOf(apply(alone, report('s2', 0, rival)))).toMatchObject({ isContested: true });
  });
});

describe('a version that is signed twice', () => {
  const [first, child] = [versionOf(1, 'a', { parent: null }), versionOf(2, 'a', { parent: v1 })];
  const other = { ...child, parentTag: first.parentTag };
  const asked = recordOf(serversOf(3), { statuses: ['asked', 'asked', 'asked'] });
  const parentIn = (...reports: readonly ServerReport[]) =>
    reports.reduce((r, report) => apply(r, { type: 'settled', report }), asked).versions[child.id]
      ?.parentTag;
  const told = (server: string, version: Version) => goodReport(server, [0], version);

  test('with one parent has that one, with two none that anybody knows', () => {
    expect(parentIn(told('s0', child), told('s1', child))).toBe(v1.tag);
    expect(parentIn(told('s0', child), told('s1', other))).toBeNull();
    expect(parentIn(told('s0', other), told('s1', child))).toBeNull();
  });

  test('stays so, whatever comes after', () => {
    expect(parentIn(told('s0', child), told('s1', other), told('s2', child))).toBeNull();
    expect(parentIn(told('s0', { ...child, parentTag: null }), told('s1', child))).toBeNull();
  });

  test('may be so on one server', () => {
    const both = goodReport('s0', [0, 1], child, { versions: [child, other] });
    expect(parentIn(both)).toBeNull();
  });
});

describe('how it has ended', () => {
  const settled = {
    statuses: ['good', 'good'] as const,
    holdings: goodReport('s0', [0, 1], v1).holdings,
  };

  test.each([
    ['enough', 'check', 'unneeded'],
    ['enough', 'repair', 'found'],
    // Everybody was asked, and nobody had the private key.
    ['exhausted', 'repair', 'missing'],
    // No boundary.
    ['exhausted', 'write', 'unneeded'],
  ] as const)('%s: %s, private key %s', (outcome, mode, privateKey) => {
    const record = recordOf(serversOf(2), { ...settled, mode, privateKey });
    expect(outcomeOf({ ...record, versions: { [v1.id]: v1 } })).toBe(outcome);
  });
});

describe('the finished map', () => {
  test('says of each server that failed why it did not answer', () => {
    const late = { kind: 'timeout', detail: 'no answer' } as const;
    const gone = { kind: 'unreachable', detail: 'refused' } as const;
    const record = [
      poorReport('s0', 'failed', [], late),
      poorReport('s1', 'empty'),
      poorReport('s2', 'failed', [], gone),
    ].reduce(
      (r, report) => apply(r, { type: 'settled', report }),
      recordOf(serversOf(3), { statuses: ['asked', 'asked', 'asked'] }),
    );
    expect(toServermap(record, 'exhausted').servers).toEqual([
      { id: 's0', status: 'failed', failure: late },
      { id: 's1', status: 'empty', failure: null },
      { id: 's2', status: 'failed', failure: gone },
    ]);
  });

  const arbitraryReports = fc
    .array(
      fc.record({
        status: fc.constantFrom('good', 'empty', 'corrupt', 'failed'),
        shnums: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }),
        version: fc.constantFrom(
          ...[v1, v2, versionOf(2, 'b', { required: 3, total: 5 })],
          ...[v1, v2].map((version) => ({ ...version, parentTag: noParentTag })),
        ),
        privateKeyFound: fc.boolean(),
      }),
      { minLength: 1, maxLength: 7 },
    )
    .map((fates) =>
      fates.map(({ status, shnums, version, privateKeyFound }, i): ServerReport => {
        if (status === 'good') return goodReport(`s${i}`, shnums, version, { privateKeyFound });
        const verdict = status === 'corrupt' ? bad() : unverified();
        const holdings = shnums.map((shnum) => ({ server: `s${i}`, shnum, verdict }));
        return poorReport(`s${i}`, status as 'empty', status === 'empty' ? [] : holdings);
      }),
    );

  test('does not depend on the order of the reports (U5)', () => {
    const shuffled = arbitraryReports.chain((reports) =>
      fc.tuple(fc.constant(reports), fc.shuffledSubarray(reports, { minLength: reports.length })),
    );
    fc.assert(
      fc.property(shuffled, ([reports, shuffle]) => {
        const servers = serversOf(reports.length);
        const start = recordOf(servers, {
          statuses: servers.map(() => 'asked'),
          privateKey: 'missing',
          marked: [{ server: 's1', shnum: 1, reason: 'marked', version: v1.id }],
        });
        const mapAfter = (facts: readonly ServerReport[]) => {
          const record = facts.reduce(
            (r, report) =>
              apply(apply(r, { type: 'answered', server: report.server }), {
                type: 'settled',
                report,
              }),
            start,
          );
          return JSON.stringify([toServermap(record, 'enough'), viewOf(record)]);
        };
        expect(mapAfter(shuffle)).toBe(mapAfter(reports));
      }),
      { numRuns: 500 },
    );
  });

  test('lists servers in permuted order, places by server and share, versions by id', () => {
    let record = recordOf(['z', 'a', 'm'], { statuses: ['asked', 'asked', 'unasked'] });
    record = apply(record, { type: 'settled', report: goodReport('a', [5, 1], v2) });
    record = apply(record, { type: 'settled', report: goodReport('z', [2], v1) });
    expect(toServermap(record, 'cancelled')).toEqual({
      mode: 'write',
      outcome: 'cancelled',
      servers: [
        { id: 'z', status: 'good', failure: null },
        { id: 'a', status: 'good', failure: null },
        { id: 'm', status: 'unasked', failure: null },
      ],
      holdings: [goodAt('z', 2, v1), goodAt('a', 1, v2), goodAt('a', 5, v2)],
      versions: { [v1.id]: v1, [v2.id]: v2 },
      privateKey: 'unneeded',
    });
    expect(Object.keys(toServermap(record, 'enough').versions)).toEqual([v1.id, v2.id]);
  });
});
