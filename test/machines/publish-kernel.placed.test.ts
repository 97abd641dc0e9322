/**
 * The base is placed again: what is there counts, and only what is missing or bad is written.
 */
import { describe, expect, test } from 'vitest';
import {
  apply,
  decide,
  firstRequests,
  type PublishPlan,
  reportOf,
  start,
} from '../../machines/publish-kernel.ts';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, versionOf } from '../support/facts.ts';
import {
  accepts,
  booked,
  fails,
  is,
  next,
  planOf,
  sent,
  statusesOf,
  surprises,
} from '../support/publishing.ts';

const v1 = versionOf(1);
const x = versionOf(2, 'm', { parent: v1 });
const rival = versionOf(2, 'a');
const newer = versionOf(2, 'z');
const full = [goodAt('s0', 0, x), goodAt('s1', 1, x), goodAt('s2', 2, x)];

const again = (map: Servermap, more: Partial<PublishPlan> = {}) =>
  start(planOf(map, { base: x, isAgain: true, spread: 3, ...more }));
/** What is sent over a map of four servers that hold this. */
const over = (holdings: readonly Holding[], more: Partial<PublishPlan> = {}) =>
  firstRequests(again(mapOf(4, holdings, [v1, x, rival, newer]), more)).map(
    ({ server, shnums }) => `${server}:${shnums}`,
  );
const badAt = (server: string, shnum: number, head: string): Holding => ({
  ...{ server, shnum, verdict: bad(head) },
});

test('nothing is missing: nothing is written', () => {
  expect(over(full)).toEqual([]);
});

test('it keeps its seqnum, and what is there counts as placed', () => {
  const record = again(mapOf(4, full.slice(1), [x]));
  expect(record.seqnum).toBe(2);
  expect(record.targets.map(({ placed }) => placed)).toEqual([[], [1], [2], []]);
  expect(again(mapOf(3, [], []), { base: null }).seqnum).toBe(0);
});

test('only a share of it counts: not one of its line, nor a server that has none', () => {
  const placedOver = (...holdings: readonly Holding[]) =>
    again(mapOf(4, holdings, [v1, x, rival])).targets.map(({ placed }) => placed);
  expect(placedOver(goodAt('s0', 0, x), goodAt('s1', 1, v1))).toEqual([[0], [], [], []]);
  // The rival on s0 is in the way until two servers have been won.
  const beside = [goodAt('s0', 0, x), goodAt('s0', 1, rival), goodAt('s1', 1, x)];
  expect(placedOver(...beside)).toEqual([[], [1], [], []]);
  expect(placedOver(...beside, goodAt('s2', 2, x))).toEqual([[0], [1], [2], []]);
});

describe('what is missing goes to a server that has nothing', () => {
  test('one share', () => {
    expect(over(full.slice(1))).toEqual(['s0:0']);
  });

  test('two of three, where one is enough to go on', () => {
    expect(over(full.slice(2), { required: 1 })).toEqual(['s0:0', 's1:1']);
  });

  test('beside others, where nobody is free', () => {
    const both = [goodAt('s0', 0, x), goodAt('s1', 1, x)];
    const map = mapOf(2, both, [x]);
    expect(firstRequests(again(map)).map(({ server, shnums }) => `${server}:${shnums}`)).toEqual([
      's0:2',
    ]);
  });
});

test('of two shares on one server the second goes to a server of its own, once', () => {
  expect(over([goodAt('s0', 0, x), goodAt('s0', 1, x), goodAt('s2', 2, x)])).toEqual(['s1:1']);
  expect(
    over([goodAt('s0', 0, x), goodAt('s0', 1, x), goodAt('s1', 1, x), goodAt('s2', 2, x)]),
  ).toEqual([]);
});

describe('what it may go over', () => {
  const two = [goodAt('s0', 0, x), goodAt('s1', 1, x)];

  test.each<[string, Holding, readonly string[]]>([
    ['its line', goodAt('s2', 2, v1), ['s2:2']],
    ['a bad share of itself', badAt('s2', 2, `${x.checkstring}99`), ['s2:2']],
    ['a bad share of its line', badAt('s2', 2, `${v1.checkstring}99`), ['s2:2']],
  ])('%s, also where it is on too few servers for anything to be dead', (_, holding, expected) => {
    expect(over([...two, holding])).toEqual([...expected]);
  });

  test.each<[string, Holding]>([
    ['an older rival', goodAt('s2', 2, rival)],
    ['a bad share that claims to be older', badAt('s2', 2, `${rival.checkstring}99`)],
  ])('%s, when it has won as many as meet every quorum', (_, holding) => {
    const early = over([goodAt('s0', 0, x), holding], { required: 1 });
    expect(early).toEqual(['s1:1', 's3:2']);
    expect(over([...two, holding])).toEqual(['s2:2']);
  });

  test.each<[string, Holding]>([
    ['a newer version', goodAt('s2', 2, newer)],
    ['a bad share that claims to be newer', badAt('s2', 2, `${newer.checkstring}99`)],
  ])('never %s: its share goes elsewhere', (_, holding) => {
    expect(over([...two, holding])).toEqual(['s3:2']);
  });

  test('a bad share of another version, even so: what claims its line is only for the base', () => {
    const map = mapOf(4, [goodAt('s0', 0, x), badAt('s2', 2, `${x.checkstring}99`)], [x]);
    const anew = start(planOf(map, { base: x, required: 1 }));
    expect(firstRequests(anew).map(({ server }) => server)).toEqual(['s0', 's1', 's3']);
  });
});

test('a server with something newer beside it is not won, and its share has no home there', () => {
  const record = again(mapOf(4, [...full, goodAt('s0', 1, newer)], [x, newer]));
  expect(record.targets[0]?.placed).toEqual([]);
  expect(firstRequests(record).map(({ server, shnums }) => `${server}:${shnums}`)).toEqual([
    's3:0',
  ]);
});

test('too few servers can be won: nothing is prepared', () => {
  const map = mapOf(4, [goodAt('s0', 0, x)], [x], { s1: 'failed', s2: 'failed' });
  expect(decide(again(map, { required: 1 }))).toEqual({ kind: 'notEnoughServers' });
});

describe('on its way', () => {
  const begun = (holdings: readonly Holding[], versions: readonly Version[] = [x]) =>
    sent(apply(again(mapOf(4, holdings, versions)), { type: 'prepared', version: x }));

  test('it is published with the share that was missing, and the others as they are', () => {
    const record = booked(begun(full.slice(1)), accepts('s0'));
    expect(statusesOf(record)).toEqual(['s0:0 accepted', 's1:1 accepted', 's2:2 accepted']);
    expect(decide(record)).toEqual({ kind: 'published' });
    expect(reportOf(record, 'published')).toMatchObject({ seqnum: 2, version: x, missing: [] });
  });

  test('a server that fails: the share goes to the next one', () => {
    const record = booked(begun(full.slice(1)), fails('s0'));
    expect(statusesOf(record)).toEqual([
      ...['s0:0 failed', 's1:1 accepted', 's2:2 accepted', 's3:0 writing'],
    ]);
  });

  test('somebody else has written something newer there: it is left alone', () => {
    const record = booked(begun(full.slice(1)), surprises('s0', is(0, newer)), accepts('s3'));
    expect(statusesOf(record)).toEqual([
      ...['s0:0 surprised', 's1:1 accepted', 's2:2 accepted', 's3:0 accepted'],
    ]);
    expect(next(record)).toEqual([]);
  });
});
