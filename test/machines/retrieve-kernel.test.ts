import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apply,
  type BlockReport,
  currentWindow,
  decide,
  heldShnums,
  type RetrieveRecord,
  type ShareSource,
  windowsAhead,
} from '../../machines/retrieve-kernel.ts';

type Status = ShareSource['status'];

const source = (place: string, status: Status = 'usable'): ShareSource => {
  const [server = '', shnum] = place.split(':');
  return { server, shnum: Number(shnum), status, failure: null };
};

function recordOf(
  sources: readonly ShareSource[],
  more: Partial<RetrieveRecord> = {},
): RetrieveRecord {
  const range = {
    nextSegment: 0,
    endSegment: 5,
    window: 2,
    windows: { first: 2, longest: 2, ahead: 2 },
  };
  return { purpose: 'read', required: 2, sources, ...range, ...more };
}

const report = (place: string, status: BlockReport['status']): BlockReport => {
  const { server, shnum } = source(place);
  return { server, shnum, status, failure: null };
};

const withAsked = (record: RetrieveRecord, sources: readonly ShareSource[]) =>
  apply(record, { type: 'asked', sources });
const withReport = (record: RetrieveRecord, settled: BlockReport) =>
  apply(record, { type: 'settled', report: settled });
const advance = (record: RetrieveRecord) => apply(record, { type: 'delivered' });

/** The places that would be fetched, or the kind of another decision. */
function next(record: RetrieveRecord): string | readonly string[] {
  const decision = decide(record);
  if (decision.kind !== 'fetch') return decision.kind;
  return decision.sources.map(({ server, shnum }) => `${server}:${shnum}`);
}

describe('a read', () => {
  test('fetches the k lowest share numbers, one copy of each', () => {
    expect(next(recordOf([source('b:2'), source('c:1'), source('a:0'), source('d:0')]))).toEqual([
      'a:0',
      'c:1',
    ]);
  });

  test('waits for what is being fetched, and decodes with k shares in hand', () => {
    expect(next(recordOf([source('a:0', 'fetching'), source('b:1', 'held')]))).toBe('wait');
    expect(next(recordOf([source('a:0', 'held'), source('b:1', 'held'), source('c:2')]))).toBe(
      'decode',
    );
  });

  test('two copies of one share are one share', () => {
    const copies = [source('a:0', 'held'), source('b:0', 'held')];
    expect(next(recordOf([...copies, source('c:1')]))).toEqual(['c:1']);
    expect(next(recordOf(copies))).toBe('notEnoughShares');
  });

  test.each<Status>(['failed', 'corrupt'])(
    'replaces a share that is %s, by a copy if need be',
    (status) => {
      const rest = [source('b:1', 'fetching'), source('c:0'), source('d:2')];
      expect(next(recordOf([source('a:0', status), ...rest]))).toEqual(['c:0']);
    },
  );

  test('gives up as soon as fewer than k distinct shares are left', () => {
    const lost = [source('a:0', 'failed'), source('b:1', 'fetching'), source('c:1')];
    expect(next(recordOf(lost))).toBe('notEnoughShares');
    expect(next(recordOf([]))).toBe('notEnoughShares');
  });

  test('of nothing is delivered at once', () => {
    expect(next(recordOf([], { nextSegment: 3, endSegment: 3 }))).toBe('delivered');
  });
});

describe('a verification', () => {
  const verify = { purpose: 'verify' } as const;

  test('fetches every copy of every share', () => {
    const sources = [source('a:0'), source('b:0'), source('c:1', 'held'), source('d:2', 'failed')];
    expect(next(recordOf(sources, verify))).toEqual(['a:0', 'b:0']);
    expect(next(recordOf(sources.slice(1), verify))).toEqual(['b:0']);
  });

  test('looks at ten at a time, however many there are', () => {
    const many = Array.from({ length: 25 }, (_, n) => source(`s${n}:${n}`));
    const start = recordOf(many, verify);
    const [ten, more] = [many.slice(0, 10), many.slice(10)].map((part) =>
      part.map(({ server, shnum }) => `${server}:${shnum}`),
    ) as [string[], string[]];
    expect(next(start)).toEqual(ten);
    const full = withAsked(start, many.slice(0, 10));
    expect(next(full)).toBe('wait');
    const [first, second] = ten as [string, string];
    const settled = withReport(withReport(full, report(first, 'held')), report(second, 'failed'));
    expect(next(settled)).toEqual(more.slice(0, 2));
  });

  test('waits for all of them; fewer than k good ones are a finding', () => {
    expect(next(recordOf([source('a:0', 'held'), source('b:1', 'fetching')], verify))).toBe('wait');
    expect(next(recordOf([source('a:0', 'held'), source('b:1', 'corrupt')], verify))).toBe(
      'decode',
    );
    expect(next(recordOf([source('a:0', 'corrupt')], verify))).toBe('notEnoughShares');
  });
});

describe('the books', () => {
  const start = recordOf([source('a:0'), source('b:1'), source('c:2')]);

  test('follow a share from usable to held, and the next window uses it again', () => {
    const fetching = withAsked(start, start.sources.slice(0, 2));
    expect(fetching.sources.map(({ status }) => status)).toEqual([
      'fetching',
      'fetching',
      'usable',
    ]);
    const held = ['a:0', 'b:1'].reduce(
      (r, place) => withReport(r, report(place, 'held')),
      fetching,
    );
    expect(heldShnums(held)).toEqual([0, 1]);
    expect(next(held)).toBe('decode');
    expect(advance(held)).toEqual({ ...start, nextSegment: 2 });
  });

  test('keep what failed, and why, for good', () => {
    const failure = { kind: 'corrupt', detail: 'block 3' } as const;
    const fetching = withAsked(start, start.sources.slice(0, 1));
    const record = withReport(fetching, { ...report('a:0', 'corrupt'), failure });
    expect(record.sources[0]).toEqual({ ...source('a:0', 'corrupt'), failure });
    expect(advance(record).sources[0]?.status).toBe('corrupt');
  });

  test('do not change by reports about what is not being fetched', () => {
    expect(withReport(start, report('a:0', 'held'))).toBe(start);
    expect(withReport(start, report('z:0', 'held'))).toBe(start);
    const settled = withReport(withAsked(start, start.sources), report('a:0', 'failed'));
    expect(withReport(settled, report('a:0', 'held'))).toBe(settled);
  });

  test('the last window may be short', () => {
    expect(currentWindow(start)).toEqual({ firstSegment: 0, segmentCount: 2 });
    const last = advance(advance(start));
    expect(currentWindow(last)).toEqual({ firstSegment: 4, segmentCount: 1 });
    expect(next(advance(last))).toBe('delivered');
  });

  test('each window is twice as long as the one before, up to the longest', () => {
    const windows = [];
    const ahead = [];
    const given = { first: 2, longest: 7, ahead: 11 };
    let record: RetrieveRecord = { ...start, windows: given, endSegment: 31 };
    for (; next(record) !== 'delivered'; record = advance(record)) {
      windows.push(currentWindow(record).segmentCount);
      ahead.push(windowsAhead(record).map(({ firstSegment: at, segmentCount: n }) => [at, n]));
    }
    expect(windows).toEqual([2, 4, 7, 7, 7, 4]);
    expect(ahead).toEqual([
      [
        [2, 4],
        [6, 7],
      ],
      [[6, 7]],
      [[13, 7]],
      [
        [20, 7],
        [27, 4],
      ],
      [[27, 4]],
      [],
    ]);
  });
});

test('any k good shares suffice, in whatever order things go wrong (T2)', () => {
  const place = fc.tuple(fc.nat(4), fc.nat(4)).map(([s, n]) => `s${s}:${n}`);
  const sources = fc.uniqueArray(place, { maxLength: 10 });
  const fates = fc.array(fc.constantFrom<BlockReport['status']>('held', 'corrupt', 'failed'), {
    minLength: 10,
    maxLength: 10,
  });
  const run = fc.tuple(sources, fates, fc.array(fc.nat(100), { minLength: 30, maxLength: 30 }));
  fc.assert(
    fc.property(run, ([places, outcomes, dice]) => {
      const fateOf = (s: ShareSource) =>
        outcomes[places.indexOf(`${s.server}:${s.shnum}`)] as BlockReport['status'];
      const start = recordOf(
        places.map((it) => source(it)),
        { endSegment: 2 },
      );
      const good = start.sources.filter((s) => fateOf(s) === 'held').map(({ shnum }) => shnum);
      let record = start;
      let end: string | null = null;
      for (let step = 0; end === null; step++) {
        expect(step).toBeLessThan(30);
        const decision = decide(record);
        if (decision.kind === 'fetch') record = withAsked(record, decision.sources);
        else if (decision.kind !== 'wait') end = decision.kind;
        const fetching = record.sources.filter(({ status }) => status === 'fetching');
        const it = fetching[(dice[step] as number) % (fetching.length || 1)];
        if (it !== undefined)
          record = withReport(record, report(`${it.server}:${it.shnum}`, fateOf(it)));
      }
      expect(end).toBe(new Set(good).size >= 2 ? 'decode' : 'notEnoughShares');
    }),
    { numRuns: 500 },
  );
});
