import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/root.ts';
import { chartsOfQuorum } from './quorum-charts.ts';
import { exploreQuorum } from './quorum-explore.ts';
import { Fingerprints } from './quorum-fingerprint.ts';
import { mistakes, showMistake } from './quorum-mistakes.ts';
import { deathsAllowed, modelOf, type QuorumModel } from './quorum-model.ts';
import type { Flight } from './quorum-parts.ts';
import { lean } from './quorum-plan.ts';
import { walkQuorum, walkSizes } from './quorum-walk.ts';
import { type Emit, QuorumWorlds, type World } from './quorum-world.ts';

function size(
  [servers, required, quorum, writers, attempts]: readonly [number, number, number, number, number],
  more: Partial<QuorumModel> = {},
): QuorumModel {
  return modelOf({ servers, required, size: quorum, writers, attempts }, more);
}

describe('writers over a quorum, every interleaving', () => {
  test.each<[Parameters<typeof size>[0], Partial<QuorumModel>, number]>([
    [[3, 1, 2, 1, 2], {}, 850],
    [[3, 1, 2, 2, 1], {}, 8674],
    [[3, 1, 2, 2, 1], { parents: 'none' }, 6263],
    [[3, 1, 2, 2, 1], { stale: 1 }, 27636],
    [[3, 1, 3, 2, 1], {}, 7504],
    [[4, 1, 3, 2, 1], lean, 621],
    [[3, 2, 2, 1, 2], { ...lean, lost: 1 }, 473],
    [[3, 2, 3, 2, 1], lean, 561],
    // One of the writers repairs.
    [[3, 2, 2, 2, 1], { ...lean, lost: 1, repairs: 1 }, 354],
    [[3, 1, 2, 2, 1], { ...lean, total: 2, repairs: 1, rots: 1 }, 1486],
    // More shares than servers, and fewer.
    [[3, 2, 2, 1, 1], { total: 5 }, 647],
    [[4, 2, 3, 1, 1], { total: 3 }, 955],
  ])('at S, k, W, writers, tries = %j, %j: %i states, nothing is lost', (point, more, states) => {
    const findings = exploreQuorum(size(point, more), { limit: 200_000 });
    expect(findings).toMatchObject({ ended: 'exhausted', violations: 0, traces: {}, states });
  });

  test('says when it has not gone through all', () => {
    const { ended, states } = exploreQuorum(size([3, 1, 2, 2, 2]), { limit: 1000 });
    expect(ended).toBe('limit');
    expect(states).toBeGreaterThan(1000);
  });

  test('ends when its time is over, also within the steps of one world', () => {
    const { ended, transitions } = exploreQuorum(size([9, 1, 5, 2, 2]), {
      limit: 1000,
      seconds: 0,
    });
    expect([ended, transitions]).toEqual(['time', 256]);
  });

  test('at random, also of sizes that the seeds choose', () => {
    expect(walkQuorum(size([3, 1, 2, 2, 3]), { walks: 300, seed: 0 })).toMatchObject({
      walks: 300,
      violations: 0,
    });
    expect(walkSizes({ walks: 20, seed: 0 })).toMatchObject({ walks: 20, violations: 0 });
  });

  test('what lands last counts, whoever still waits for it', () => {
    const worlds = new QuorumWorlds(size([3, 1, 2, 1, 2], lean));
    const { model, acked } = worlds;
    const nexts = (from: (emit: Emit) => void) => {
      const all: World[] = [];
      from((next) => next !== null && all.push(next));
      return all;
    };
    const [begun] = nexts((emit) => worlds.plan(worlds.first(), 0, [0, 1, 2], emit)) as [World];
    const [flight] = worlds.cast.known(begun[model.servers] as number).flights;
    const [once] = nexts((emit) => worlds.write(begun, 0, flight as Flight, emit)) as [World];
    const [left] = nexts((emit) => worlds.leave(once, 0, emit)) as [World];
    const [strays] = nexts((emit) => worlds.arrive(left, 0, emit)) as [World];
    expect(once[acked]).toBe(0);
    expect(strays[acked]).toBe(worlds.straysOf(left)[0]?.mark);
    // One of two servers that are left: its writer has ended by then.
    const two = new QuorumWorlds(size([3, 1, 3, 1, 1], lean));
    const landed = [0, 1, 2].reduce(
      (world) => {
        const [next] = two.cast.known(world[3] as number).flights;
        return nexts((emit) => two.write(world, 0, next as Flight, emit))[0] as World;
      },
      nexts((emit) => two.plan(two.first(), 0, [0, 1, 2], emit))[0] as World,
    );
    expect(landed[two.acked]).not.toBe(0);
  });

  test('how many attempts may be half way at once: what they take leaves k shares', () => {
    expect(deathsAllowed(size([3, 1, 2, 1, 1]))).toBe(Number.POSITIVE_INFINITY);
    expect(deathsAllowed(size([10, 3, 7, 1, 1]))).toBe(3);
    expect(deathsAllowed(size([3, 2, 2, 1, 1], { total: 2 }))).toBe(1);
    expect(deathsAllowed(size([3, 2, 2, 1, 2], { total: 2 }))).toBe(0);
    expect(deathsAllowed(size([3, 2, 2, 1, 2], { total: 3 }))).toBe(1);
  });
});

describe('a fingerprint', () => {
  const worlds = new QuorumWorlds(size([3, 1, 2, 2, 1]));
  const prints = new Fingerprints(worlds);
  const printOf = (world: World) => {
    prints.take(world);
    return `${prints.high},${prints.low}`;
  };
  /** Who hears whom, and makes a plan. */
  const heardBy = (...hears: readonly (readonly [writer: number, server: number])[]) =>
    hears.reduce((world, [w, s]) => worlds.hear(world, w, s).next, worlds.first());
  const begun = (world: World, writer: number): World => {
    const nexts: World[] = [];
    worlds.plan(world, writer, [], (next) => next !== null && nexts.push(next));
    return nexts[0] as World;
  };

  test('does not tell servers apart, nor writers', () => {
    expect(printOf(heardBy([0, 0]))).toBe(printOf(heardBy([0, 2])));
    expect(printOf(heardBy([0, 0]))).toBe(printOf(heardBy([1, 1])));
    expect(printOf(heardBy([0, 0], [1, 1]))).toBe(printOf(heardBy([0, 2], [1, 0])));
    const [one, other] = [0, 1].map((w) => begun(heardBy([w, 0], [w, 1]), w));
    expect(printOf(one as World)).toBe(printOf(other as World));
  });

  test('tells apart who heard the same server and who did not, and what was planned', () => {
    expect(printOf(heardBy([0, 0], [1, 0]))).not.toBe(printOf(heardBy([0, 0], [1, 1])));
    expect(printOf(heardBy([0, 0]))).not.toBe(printOf(heardBy([0, 0], [0, 1])));
    const heard = heardBy([0, 0], [0, 1]);
    expect(printOf(begun(heard, 0))).not.toBe(printOf(heard));
  });

  test('tells apart who names one parent and who names two, also when these are gone', () => {
    const { cast } = worlds;
    const markOf = (seqnum: number, rank: number, base: number) =>
      cast.markOf(seqnum, rank, base, true);
    const [one, other] = [markOf(2, 10, 0), markOf(2, 20, 0)];
    const childOf = (rank: number, base: number) => cast.rowId([markOf(3, rank, base)]);
    const held = (base: number) =>
      worlds.first().with(0, childOf(10, one)).with(1, childOf(20, base));
    expect(printOf(held(one))).not.toBe(printOf(held(other)));
  });

  test('tells servers apart where shares have numbers', () => {
    const numbered = new QuorumWorlds(size([3, 2, 2, 1, 1]));
    const own = new Fingerprints(numbered);
    const [one, other] = [0, 1].map((s) => {
      own.take(numbered.hear(numbered.first(), 0, s).next);
      return own.high;
    });
    expect(one).not.toBe(other);
  });
});

describe('a mistake in the rules shows', () => {
  test.each(mistakes.map((mistake) => [mistake.name, mistake] as const))(
    '%s',
    async (_, mistake) => {
      expect((await showMistake(mistake)).violations).toBeGreaterThan(0);
    },
  );

  test('and each has a name of its own', () => {
    expect(new Set(mistakes.map(({ name }) => name)).size).toBe(mistakes.length);
    expect(mistakes).toHaveLength(17);
  });
});

test('the charts of a publish and of its writes do what their kernel says', () => {
  const { events, ended } = chartsOfQuorum({ walks: 40, seed: 1000 });
  expect(events).toBeGreaterThan(500);
  expect(ended).toBeGreaterThan(100);
});

describe('npm run prove -- --quorum', () => {
  const built = join(root, 'node_modules/.cache/tahoe-mutable-prove');
  const run = promisify(execFile);
  beforeAll(async () => {
    // As `npm run prove` compiles it, but in one file, which starts sooner.
    const made = await rolldown({
      input: join(root, 'test/prove/main.ts'),
      platform: 'node',
      resolve: { conditionNames: ['@tahoe-mutable/source', 'node', 'import', 'default'] },
      external: /^[a-z@]/,
    });
    await made.write({ dir: built });
    await made.close();
  });

  /** What it prints on stdout and on stderr, and how it ends. */
  const prove = async (line: string) => {
    const main = join(built, 'main.js');
    const child = run(process.execPath, [main, ...line.split(' ')], { cwd: root });
    return child.then(
      ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
      (error) => ({ stdout: error.stdout, stderr: error.stderr, code: error.code }),
    );
  };

  test('one size: one JSON object', async () => {
    const line =
      '--quorum --servers 3 --k 1 --quorum-size 2 --writers 2 --attempts 1 --lean --json';
    const { stdout, code } = await prove(line);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ violations: 0, ended: 'exhausted', states: 50 });
  });

  test('the names of the mistakes, and one of them', async () => {
    const { stdout } = await prove('--quorum --mistake list');
    expect(stdout.trim().split('\n')).toEqual(mistakes.map(({ name }) => name));
    const found = await prove('--quorum --mistake no-beside --json');
    expect(found.code).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({ mistake: 'no-beside', violations: 2 });
  });

  test.each([
    ['--quorum --mistake none-such', 'there is no mistake none-such'],
    ['--quorum --servers 4 --k 1', 'a size is --servers, --k, --quorum-size'],
    ['--quorum --servers 4 --k 1 --quorum-size 2 --writers 1 --attempts 1', 'half of 4'],
    ['--quorum --servers 4 --k 1 --quorum-size 5 --writers 1 --attempts 1', 'more than --servers'],
    [
      '--quorum --servers 3 --k 2 --quorum-size 2 --writers 1 --attempts 1 --shares 1',
      'more than --shares',
    ],
    [
      '--quorum --servers 3 --k 1 --quorum-size 2 --writers 1 --attempts 1 --repairs 2',
      'more than --writers 1',
    ],
    ['--quorum --servers none --k 1', 'whole number'],
    ['--quorum --json', '--json needs a size'],
    ['--writers 2', 'needs --quorum'],
  ])('%s: %s', async (line, message) => {
    const { stdout, stderr, code } = await prove(line);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
  });
});
