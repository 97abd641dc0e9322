import { describe, expect, test } from 'vitest';
import { candidateOn, type Held, isReplaceable, reachOf, viewOf } from '../../machines/quorum.ts';
import type { Holding, Version } from '../../machines/servermap.ts';
import { bad } from '../support/facts.ts';
import { made, majority, named, seen } from '../support/quorum-maps.ts';

const { o, a, b } = named;

describe('where the base is placed again', () => {
  const map = seen('a o b - -');
  const view = viewOf(map, majority(5));
  const claiming = (claim: string | null): Held => ({ kind: 'bad', claim });
  const may = (share: Held, base: Version | null = a, version = a) =>
    isReplaceable(view, { ...candidateOn(view, base), version }, share);

  test.each<[string, string | null, boolean]>([
    ['the base', a.checkstring, true],
    ['the base, and more than that', `${a.checkstring}ffff`, true],
    ['what the base was built on', o.checkstring, true],
    ['a rival', b.checkstring, false],
    ['the base, behind something else', `01${a.checkstring}`, false],
    ['the beginning of the base', a.checkstring.slice(0, -2), false],
    ['nothing', '', false],
    ['something that nobody has read', null, false],
  ])('a bad share that claims to be %s, with no server won: %j', (_, claim, isAllowed) => {
    expect(may(claiming(claim))).toBe(isAllowed);
  });

  test('a good one is what it is', () => {
    expect([may({ kind: 'good', version: a.id }), may({ kind: 'good', version: b.id })]).toEqual([
      ...[true, false],
    ]);
  });

  test('a new version is no late write of its base, nor is a first one of anything', () => {
    const rotten = claiming(a.checkstring);
    expect([may(rotten, a, made(3, 'n', a)), may(rotten, null, a)]).toEqual([false, false]);
  });

  test('servers with rotten shares of it can be won, for a new one not', () => {
    const rotten = [3, 4].map(
      (n): Holding => ({ server: `s${n}`, shnum: 9, verdict: bad(a.checkstring) }),
    );
    const found = viewOf({ ...map, holdings: [...map.holdings, ...rotten] }, majority(5));
    expect([...reachOf(found, a, true)]).toEqual(['s0', 's1', 's3', 's4']);
    expect([...reachOf(found, a)]).toEqual(['s0', 's1']);
  });
});
