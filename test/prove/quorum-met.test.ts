/** Of worlds with one print those are kept in which most may have been heard. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../../src/simulation/prng.ts';
import { Fingerprints } from './quorum-fingerprint.ts';
import { Met } from './quorum-met.ts';
import { modelOf } from './quorum-model.ts';
import type { Flight } from './quorum-parts.ts';
import { deferring } from './quorum-plan.ts';
import { type Emit, QuorumWorlds, type World } from './quorum-world.ts';

const [one, other, third] = [
  [-7, 3],
  [-7, 4],
  [5, -1],
] as const;
const nothing: readonly number[] = [];

describe('worlds that were met', () => {
  test('hold those in which less may have been heard, and no others', () => {
    const met = new Met();
    expect(met.has(1, 2, nothing)).toBe(false);
    met.add(1, 2, [...one, ...third]);
    const heard = [nothing, one, third, [...one, ...third], other, [...one, ...other]];
    expect(heard.map((past) => met.has(1, 2, past))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect([met.has(1, 3, nothing), met.has(2, 2, nothing)]).toEqual([false, false]);
  });

  test('are outdone by those in which more may have been heard', () => {
    const met = new Met();
    for (const past of [nothing, one, third]) met.add(1, 2, past);
    const isNewest = () => [nothing, one, third].map((past) => met.isNewest(1, 2, past));
    expect(isNewest()).toEqual([false, true, true]);
    met.add(1, 2, [...one, ...other]);
    expect(isNewest()).toEqual([false, false, true]);
    met.add(1, 2, [...one, ...other, ...third]);
    expect(isNewest()).toEqual([false, false, false]);
    expect(met.isNewest(1, 2, [...one, ...other, ...third])).toBe(true);
    expect(met.size).toBe(5);
  });

  test('are found again when there are many, whatever their words', () => {
    const met = new Met();
    const random = new Prng(20261129);
    const word = () => random.below(2 ** 32) | 0;
    const worlds = Array.from({ length: 200_000 }, () => [word(), word(), word(), word()] as const);
    const all = [[0, 0, 0, 0], ...worlds] as const;
    for (const [high, low, ...past] of all) met.add(high, low, past);
    expect(all.filter(([high, low, ...past]) => !met.has(high, low, past))).toEqual([]);
    expect(all.filter(([high, low, a, b]) => met.has(high, low, [a, b ^ 1]))).toEqual([]);
    expect(met.size).toBe(200_001);
  });
});

describe('what may have been heard', () => {
  const worlds = new QuorumWorlds(
    modelOf({ servers: 3, required: 1, total: 2, size: 2, writers: 2, attempts: 2 }, deferring),
  );
  const prints = new Fingerprints(worlds);
  const { cast, model } = worlds;
  const printOf = (world: World) => {
    prints.take(world);
    const { high, low, nowHigh, nowLow, past } = prints;
    return { whole: [high, low], now: [nowHigh, nowLow], past };
  };
  const nexts = (from: (emit: Emit) => void) => {
    const all: World[] = [];
    from((next) => next !== null && all.push(next));
    return all;
  };
  /** The first writer has heard all servers, and its requests to these land; the second one looks. */
  const landing = (...servers: readonly number[]) => {
    const id = worlds.first()[model.servers] as number;
    const rows = worlds.first().slice(0, model.servers);
    const look = {
      id: rows.reduce((before, row, at) => cast.hears(before, at, row, -1), id),
      heard: rows.map((row, at) => ({ at, row })),
      acked: 0,
    };
    const [begun] = nexts((emit) => worlds.planBy(worlds.first(), 0, look, emit, null));
    return servers.reduce((world, at) => {
      const { flights } = cast.known(world[model.servers] as number);
      const flight = flights.find((one) => one.at === at) as Flight;
      const [landed] = nexts((emit) => worlds.write(world, 0, flight, emit));
      return landed as World;
    }, begun as World);
  };
  /** As if the second writer had begun to look just then. */
  const anew = (world: World) => {
    const place = model.servers + 1;
    return world.with(place, cast.forgets(world[place] as number));
  };

  test('is what servers held since the look began, and nothing of what is now', () => {
    const [before, after, late] = [landing(), landing(0), anew(landing(0))].map(printOf);
    expect([before?.past.length, after?.past.length, late?.past.length]).toEqual([0, 2, 0]);
    expect(after?.now).toEqual(late?.now);
    expect(after?.whole).not.toEqual(late?.whole);
    expect(late?.whole).toEqual(late?.now);
  });

  test('grows, whichever comes first, and holds all that it was', () => {
    const [both, turned] = [landing(0, 1), landing(1, 0)].map(printOf);
    expect(both).toEqual(turned);
    expect(both?.past).toHaveLength(4);
    const met = new Met();
    const [high = 0, low = 0] = both?.now ?? [];
    met.add(high, low, both?.past ?? []);
    const less = printOf(landing(0, 1).with(4, anew(landing(0, 1))[4] as number));
    expect(less.now).toEqual(both?.now);
    expect(met.has(high, low, less.past)).toBe(true);
  });

  test('is of one writer, and of one server', () => {
    const [first, second] = [landing(0), landing(1)].map((world) => printOf(world).past);
    expect(first).not.toEqual(second);
  });
});
