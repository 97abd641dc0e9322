/** When a single rival is dead: neither it, nor what it may contain, can be acknowledged. */
import { describe, expect, test } from 'vitest';
import { candidateOn, type Held, isReplaceable, viewOf } from '../../machines/quorum.ts';
import type { Version } from '../../machines/servermap.ts';
import { versionOf } from '../support/facts.ts';
import { made, majority, named, seen, strays } from '../support/quorum-maps.ts';

const { a, b, o } = named;

describe('a rival that can not come to W servers any more (D2)', () => {
  const quorum = majority(5);
  const n = made(3, 'n', a);
  const good = ({ id }: Version): Held => ({ kind: 'good', version: id });
  const builtOn = (...words: Parameters<typeof seen>) => {
    const view = viewOf(seen(...words), quorum);
    return (rival: Version, won: readonly string[] = []) => {
      const candidate = { ...candidateOn(view, a), version: n, won: new Set(won) };
      return isReplaceable(view, candidate, good(rival));
    };
  };

  test('it is older, and too few servers are left to it: those won are not', () => {
    const isDead = builtOn('a a o b -');
    expect(isDead(b, ['s0', 's1'])).toBe(false);
    // s0 is won, s1 and s2 hold what is newer than b and was not built on it.
    expect(builtOn('a c d b o')(b, ['s0'])).toBe(true);
    expect(builtOn('a c d b o')(b)).toBe(false);
    expect(builtOn('a c o b -')(b, ['s0'])).toBe(false);
  });

  test('what may have been built on it keeps it alive, and so do silence and bad shares', () => {
    const x = made(3, 'x', b);
    const stray = made(3, 'y');
    const more = { ...named, x, y: stray };
    expect(builtOn('a c d b o', more)(b, ['s0'])).toBe(true);
    for (const words of ['a c x b o', 'a c y b o', 'a c dx b o', 'a c dy b o']) {
      expect(builtOn(words, more)(b, ['s0'])).toBe(false);
    }
    for (const words of ['a c ? b o', 'a c d! b o', 'a c ! b o']) {
      expect(builtOn(words)(b, ['s0'])).toBe(false);
    }
  });

  test('what is on a server without being newer does not block it', () => {
    // a is older than b, o older than both.
    const view = viewOf(seen('a a a b o'), quorum);
    const candidate = { ...candidateOn(view, named.c), version: n, won: new Set(['s4']) };
    expect(isReplaceable(view, candidate, good(b))).toBe(false);
    // Nor does one with b's number and root hash.
    const twin = versionOf(2, 'b', { required: 2, parent: o });
    expect(builtOn('a c t b o', { ...named, t: twin })(b, ['s0'])).toBe(false);
  });

  test('each of its ancestors outside of the line has to be dead too', () => {
    const x = made(3, 'c', b);
    const more = { ...named, x };
    // x itself is on one server; but b, on which it was built, may be on three.
    expect(builtOn('a n x b b', { ...more, n: made(4, 'n', a) })(x, ['s0', 's1'])).toBe(false);
    const p = made(4, 'p', a);
    const q = made(4, 'q', a);
    expect(builtOn('a p x b q', { ...more, p, q })(x, ['s0'])).toBe(true);
    expect(builtOn('a p x b b', { ...more, p, q })(x, ['s0'])).toBe(false);
    expect(builtOn('o p x o q', { ...more, p, q, b, a })(x, ['s0'])).toBe(false);
  });

  test('what is out of sight, and is named by both, is in the line', () => {
    expect(builtOn('a c d b -')(b, ['s0'])).toBe(true);
  });

  test('where its parent is not in sight, it may be anything older, and what nobody sees', () => {
    const stray = { ...named, b: strays.b };
    // What b was built on may be on s3, and come to s4, but not to s1 and s2.
    expect(builtOn('a c d b o', stray)(strays.b, ['s0'])).toBe(true);
    // It may be what e was built on as well.
    const e = made(3, 'e');
    expect(builtOn('a c e b o', { ...stray, e })(strays.b, ['s0'])).toBe(false);
    // Or x, which y contains: b and both of these are on three servers.
    const x = made(1, 'x', null);
    const more = { ...stray, x, y: made(3, 'y', x) };
    expect(builtOn('a yx y b a', more)(strays.b, ['s0'])).toBe(false);
    // But not what is no older.
    const twin = made(2, 'x', null);
    const later = { ...stray, x: twin, y: made(3, 'y', twin) };
    expect(builtOn('a yx y b a', later)(strays.b, ['s0'])).toBe(true);
  });

  test('what nobody sees is held off by what is newer than the last one known, not by less', () => {
    // y and z may both contain what nobody sees, newer than u: it may come to s2.
    const hidden = made(1, 'h', null);
    const [base, u] = [made(9, 'b', hidden), made(2, 'u', null)];
    const [y, z, r] = [made(5, 'y'), made(5, 'z'), made(8, 'r', null)];
    const view = viewOf(seen('b y u z r', { b: base, y, u, z, r }), majority(5));
    const candidate = { ...candidateOn(view, base), won: new Set(['s0']) };
    expect(isReplaceable(view, candidate, good(y))).toBe(false);
  });

  test('what was built on the line keeps nothing alive that is not beside it', () => {
    // c was built on what a was, and that is not in sight: it contains b by the line, or not.
    const hidden = made(1, 'h', o);
    const [base, x] = [made(2, 'a', hidden), made(2, 'c', hidden)];
    const view = viewOf(seen('a c b', { a: base, c: x, b: strays.b }), majority(3));
    const of = (won: readonly string[]) =>
      isReplaceable(
        view,
        { ...candidateOn(view, base), version: n, won: new Set(won) },
        good(strays.b),
      );
    expect([of([]), of(['s0'])]).toEqual([false, true]);
  });

  test('a first version has no ancestor', () => {
    const other = made(2, 'b', null);
    expect(builtOn('a c d b o', { ...named, b: other })(other, ['s0'])).toBe(true);
  });

  test('servers that cannot be asked count as silent', () => {
    const map = seen('a c d b');
    const of = (servers: number) => {
      const view = viewOf(seen('a c d b o'), { servers, size: 3 });
      const candidate = { ...candidateOn(view, a), version: n, won: new Set(['s0']) };
      return isReplaceable(view, candidate, good(b));
    };
    expect(map.servers.length).toBe(4);
    expect([of(5), of(6)]).toEqual([true, false]);
    // More can be asked than others know: that takes nothing away.
    expect(of(4)).toBe(true);
  });
});
