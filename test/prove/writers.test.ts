import { describe, expect, test } from 'vitest';
import type { Write } from '../../machines/publish-kernel.ts';
import { Cast, type Fate, type WritersModel } from './writer.ts';
import { explore, type Finding, type Findings } from './writers.ts';
import {
  agreement,
  alonePoints,
  closedForms,
  fullPoints,
  grownPoints,
  kernelForms,
  modifyPoints,
  type Point,
  perCommitPoints,
  pointModel,
} from './writers-forms.ts';

/** What was met, by name, in the order of the alphabet. */
const metIn = ({ traces }: Findings) => Object.keys(traces).sort();

const countsOf = ({ states, transitions, fatal }: Findings) => ({ states, transitions, fatal });

/** The first trace to `finding`, from an exploration that stops there. */
function traceOf(point: Point, finding: Finding, more: Partial<WritersModel> = {}) {
  return explore(pointModel(point, more), [finding]).traces[finding] ?? [];
}

const ignoring = { ignoresNewer: true };

describe('two writers, every interleaving', () => {
  test.each<[Point, number, number, number, readonly Finding[]]>([
    [[2, 1, 2, 2], 61, 98, 2, []],
    [[2, 1, 1, 1], 515, 884, 2, ['fork', 'hidden', 'lostUpdate']],
    [[2, 1, 2, 1], 507, 866, 2, ['fork', 'hidden']],
    [[3, 1, 3, 3], 424, 985, 3, []],
    [[3, 2, 3, 2], 3655, 8744, 0, ['hidden', 'unrecoverable']],
    [[3, 3, 3, 2], 2275, 5710, 0, ['unrecoverable']],
    [[4, 2, 4, 4], 1809, 5307, 1, []],
  ])('at S,k,R,W = %j: %i states, %i transitions', (point, states, transitions, fatal, met) => {
    const model = pointModel(point);
    const findings = explore(model);
    expect(countsOf(findings)).toEqual({ states, transitions, fatal });
    expect(metIn(findings)).toEqual(met);
    expect(agreement(model, findings)).toBe('yes');
  });

  test('the forms are on both sides of each bound at the points of every commit', () => {
    const forms = perCommitPoints.map((point) => closedForms(pointModel(point)));
    for (const name of ['fork', 'lostUpdate'] as const) {
      expect(new Set(forms.map((form) => form[name]))).toEqual(new Set([true, false]));
    }
    expect(new Set(forms.map(({ fatal }) => fatal))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(perCommitPoints).toHaveLength(40);
    expect(fullPoints).toHaveLength(36);
  });

  test.each(alonePoints)('one writer that may die anywhere, S = %i, k = %i', (...point) => {
    const model = pointModel(point, { writers: 1 });
    const [servers, required] = point;
    const findings = explore(model);
    expect(findings.fatal).toBe(Math.max(0, servers - 2 * (required - 1)));
    expect(agreement(model, findings)).toBe('yes');
  });

  test.each(grownPoints)('a server has joined, S,k,R,W = %i %i %i %i', (...point) => {
    const model = pointModel(point, { total: point[0] - 1 });
    expect(agreement(model, explore(model))).toBe('yes');
  });

  test('a write may fail, or land and lose its answer: no fork, and no lost update', () => {
    const findings = explore(pointModel([2, 1, 1, 2], { failures: 2, losses: 1 }));
    expect(metIn(findings)).toEqual([]);
  });
});

describe('known counterexamples', () => {
  test('E1: a partition forks a quorum of half the servers', () => {
    expect(traceOf([2, 1, 1, 1], 'fork')).toEqual([
      'a hears -o from s1',
      'a writes over o  [o- -o]',
      "a's write to s1:1 lands  [o- -a]",
      "a's write to s1:0 lands  [o- aa]",
      'b hears o- from s0',
      'b writes over o  [o- aa]',
      "b's write to s0:0 lands  [b- aa]",
      "b's write to s0:1 lands  [bb aa]",
    ]);
    expect(traceOf([2, 1, 1, 2], 'fork')).toEqual([]);
  });

  test("X1': where newer evidence is ignored, more than half is not enough", () => {
    const lines = traceOf([3, 2, 2, 2], 'fork', { ...ignoring, failures: 0 });
    expect(lines).toHaveLength(15);
    expect(traceOf([3, 2, 3, 3], 'fork', ignoring)).toHaveLength(20);
    expect(traceOf([3, 2, 2, 2], 'fork', { failures: 0 })).toEqual([]);
  });

  test('by force, a version that can not be read is lost: that was all there was to see', () => {
    expect(traceOf([2, 2, 1, 1], 'lostUpdate', ignoring)).toEqual([
      'a hears o- from s0',
      'a hears -o from s1',
      'a writes over o  [o- -o]',
      "a's write to s0:0 lands  [a- -o]",
      "a's write to s1:1 lands  [a- -a]",
      'b hears -a from s1',
      'b asks everybody again  [a- -a]',
      'b hears -a from s1',
      'b writes over what it can not read  [a- -a]',
      "b's write to s1:1 lands  [a- -b]",
      "b's write to s1:0 lands  [a- bb]",
    ]);
    expect(traceOf([2, 2, 1, 1], 'lostUpdate')).toEqual([]);
  });

  test("X2': a later writer that hears none of the quorum loses an update, one more and not", () => {
    expect(traceOf([2, 1, 1, 1], 'lostUpdate')).toHaveLength(8);
    expect(traceOf([2, 1, 2, 1], 'lostUpdate')).toEqual([]);
  });

  test('A1: two writers that die leave k-1 shares of everything', () => {
    expect(traceOf([3, 2, 3, 3], 'unrecoverable').at(-1)).toBe(
      "b's write to s1:1 lands  [a-- -b- --o]",
    );
  });

  test('a share given to a server that holds another makes the kernel safer than the form', () => {
    const model = pointModel([3, 2, 3, 1], ignoring);
    expect(closedForms(model).lostUpdate).toBe(true);
    expect(kernelForms(model).lostUpdate).toBe(false);
    expect(agreement(model, explore(model))).toBe('safer');
  });
});

describe('two of modify', () => {
  const atPoint = (...point: Point) => {
    const found = modifyPoints.find(
      ({ model: { servers, required, reads, writes } }) =>
        [servers, required, reads, writes].join() === point.join(),
    );
    if (found === undefined) throw new Error(point.join());
    return found;
  };

  test.each<[Point, number, number]>([
    [[3, 1, 3, 2], 8590, 22_008],
    [[3, 2, 3, 2], 2996, 7198],
  ])('where every server answers, nothing is lost, at %j', (point, states, transitions) => {
    const { model, expected } = atPoint(...point);
    const findings = explore(model);
    expect(findings).toMatchObject({ states, transitions });
    expect(metIn(findings)).toEqual([...expected].sort());
  });

  /** `a` and `b`, step by step; nothing fails but what was never heard. */
  function played(model: WritersModel) {
    const cast = new Cast(model);
    const rows = [...cast.firstRows()];
    const ids = [cast.idOf(cast.newWriter(0)), cast.idOf(cast.newWriter(1))];
    const who = { a: 0, b: 1 };
    const writerOf = (name: 'a' | 'b') => cast.writer(ids[who[name]] as number);
    const at = (name: 'a' | 'b') => ids[who[name]] as number;
    return {
      writerOf,
      plans(name: 'a' | 'b', ...heard: readonly number[]) {
        for (const s of heard) ids[who[name]] = cast.hears(at(name), s, rows[s] as number, '');
        ids[who[name]] = (cast.planFates(at(name), 0, 0)[0] as Fate).id;
      },
      writes(name: 'a' | 'b', ...servers: readonly number[]) {
        for (const s of servers) {
          for (;;) {
            const { phase, record } = writerOf(name);
            const isOpen = (w: Write) => w.status === 'writing' && w.server === `s${s}`;
            const place = phase === 'writing' ? (record?.writes.findIndex(isOpen) ?? -1) : -1;
            if (place < 0) break;
            const [fate] = cast.writeFates(at(name), place, rows[s] as number, 0, 0);
            rows[s] = (fate as Fate).row;
            ids[who[name]] = (fate as Fate).id;
          }
        }
      },
      rows: () => rows.map((row) => cast.spelled(cast.row(row))).join(' '),
    };
  }

  test.each([10, 13])(
    '3-of-10 on %i servers: nobody builds past a rival that may count',
    (size) => {
      const model = pointModel([size, 3, 1, 7], { total: 10, failures: 0, attempts: 2 });
      const { plans, writes, writerOf } = played(model);
      const left = Array.from({ length: 7 }, (_, i) => i);
      const right = left.map((i) => i + size - 7);
      // Two sides of a partition with at least one server in common.
      plans('a', ...left);
      plans('b', ...right);
      writes('a', ...left);
      writes('b', ...right);
      expect(writerOf('a').outcome).toBe('published');
      expect(writerOf('b')).toMatchObject({ phase: 'reading', books: { attempt: 1 } });
      // There are more shares of b's own first attempt here than of what a was told is safe.
      plans('b', ...right);
      expect(writerOf('b').outcome).toBe('refused');
    },
  );

  test('a first attempt asks twice before it gives way, a second one once', () => {
    const { plans, writes, writerOf } = played(
      pointModel([3, 2, 3, 2], { failures: 0, attempts: 2 }),
    );
    plans('a', 0, 1, 2);
    writes('a', 0);
    // One share of a newer version.
    plans('b', 0, 1, 2);
    expect(writerOf('b')).toMatchObject({
      phase: 'reading',
      books: { attempt: 0, map: { mode: 'write' }, newest: { seqnum: 2 } },
    });
    plans('b', 0, 1, 2);
    expect(writerOf('b')).toMatchObject({ phase: 'reading', books: { attempt: 1, map: null } });
    plans('b', 0, 1, 2);
    expect(writerOf('b')).toMatchObject({ phase: 'ended', outcome: 'refused' });
  });

  test('what was seen at the first look and not at the second is not written over', () => {
    const { plans, writes, writerOf } = played(pointModel([3, 2, 2, 2], { failures: 0 }));
    plans('a', 0, 1, 2);
    writes('a', 0);
    plans('b', 0, 1, 2);
    plans('b', 1, 2);
    expect(writerOf('b')).toMatchObject({ phase: 'ended', outcome: 'refused' });
  });

  test('not excluded: a third attempt, while a write is under way, builds on its own second', () => {
    const model = pointModel([3, 1, 1, 2], { failures: 0, attempts: 3 });
    const { plans, writes, writerOf, rows } = played(model);
    plans('a', 0, 2);
    plans('b', 1, 2);
    writes('a', 2);
    writes('b', 1, 2);
    // Now s2 is silent, and a's write to s0 still on its way.
    plans('b', 0, 1);
    writes('b', 1);
    writes('a', 0);
    expect(writerOf('a').outcome).toBe('published');
    writes('b', 0);
    expect(rows()).toBe('aaB BB- --a');
    plans('b', 0, 1, 2);
    writes('b', 0, 1, 2);
    expect([writerOf('b').outcome, writerOf('b').books.attempt]).toEqual(['published', 2]);
    expect(rows()).toBe('βββ ββ- --β');
  });

  test('F1: a second attempt builds on what the first writer was told is safe', () => {
    const lines = explore(pointModel([3, 1, 3, 2], { failures: 0, attempts: 2 }), ['twice']).traces;
    expect(lines.twice?.filter((line) => line.includes('writes over'))).toHaveLength(3);
  });
});

describe('a kernel with a mistake in it', () => {
  test('success at k of three servers: the forms of a quorum of two do not hold', () => {
    const wanted = pointModel([3, 1, 2, 2]);
    const mutant = explore({ ...wanted, writes: 1 }, ['fork', 'lostUpdate']);
    expect(agreement(wanted, mutant)).toBe('no');
  });

  test('newer evidence not refused: the forms of refusal do not hold', () => {
    const wanted = pointModel([3, 2, 2, 2]);
    expect(agreement(wanted, explore({ ...wanted, ...ignoring }))).toBe('no');
  });
});
