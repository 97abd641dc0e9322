import { describe, expect, test } from 'vitest';
import { concatBytes, netstring, toBase32, utf8 } from '../../src/bytes.ts';
import { storageIndexOf } from '../../src/caps.ts';
import {
  InsufficientCapError,
  NewerVersionSeenError,
  UnrecoverableFileError,
  UnusableEntryError,
} from '../../src/errors.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { diskOf } from '../../src/storage/memory.ts';
import { verdictOf } from '../../src/walk/examine.ts';
import { recordOf } from '../../src/walk/record.ts';
import { Tally } from '../../src/walk/tally.ts';
import type { Examined } from '../../src/walk/tree.ts';
import type { DeepCheckOptions } from '../../src/walk/walk-options.ts';
import { altered, bytesOf, holdings, putShare, shareOf, testKey } from '../support/client-grid.ts';
import { vectorKey } from '../support/directories.ts';
import { all, lit, smallGrid, walkVectors } from '../support/trees.ts';

const at = (items: readonly Examined[], ...path: readonly string[]) =>
  items.find(({ met }) => met.path.join('/') === path.join('/'))!.examination;

function tallyOf(items: readonly Examined[]): Tally {
  const tally = new Tally();
  for (const { met, examination } of items) tally.add(verdictOf(met, examination));
  return tally;
}

/** Takes a share away. */
function loseOne(server: Parameters<typeof diskOf>[0], file: MutableFile): void {
  const index = storageIndexOf(file.cap);
  for (const shnum of diskOf(server).sharesOf(index)) diskOf(server).deleteShare(index, shnum);
}

/** Root, `a` (a file), `sub` (a directory), `sub/b` (a file), and literals. */
async function newTree(wrap?: Parameters<typeof smallGrid>[0]) {
  const on = smallGrid({ count: 3, encoding: { required: 1, happy: 2, total: 3 }, ...wrap });
  const { grid } = on;
  const a = await grid.create({ key: await vectorKey(1), contents: bytesOf(300) });
  const b = await grid.create({ key: await vectorKey(2), format: 'sdmf', contents: bytesOf(30) });
  const sub = await grid.createDirectory({
    key: await vectorKey(3),
    children: [{ name: 'b', child: b }],
  });
  const root = await grid.createDirectory({
    key: testKey,
    children: [
      { name: 'a', child: a },
      { name: 'lit', child: lit('x') },
      { name: 'lit dir', child: 'URI:DIR2-LIT:' },
      { name: 'sub', child: sub },
      { name: 'what', child: { read: 'ro.x-future:y' } },
    ],
  });
  const check = (options?: DeepCheckOptions, cap = root.writeCap) =>
    all(on.another().deepCheck(cap, options));
  return { ...on, root, sub, a, b, check };
}

/** For those who only look. */
const healthy = await newTree();

describe('a deep check', () => {
  test('finds each object healthy that is, by its lists or by every block', async () => {
    const { check } = healthy;
    for (const options of [{}, { verify: true, repair: true }]) {
      const found = await check(options);
      expect(found.map(({ met }) => met.path.join('/'))).toEqual([
        ...['', 'what', 'a', 'lit', 'lit dir', 'sub', 'sub/b'],
      ]);
      expect(found.map(({ examination }) => examination.isHealthy)).toEqual(Array(7).fill(true));
      const tally = tallyOf(found);
      expect([tally.checked, tally.unhealthy, tally.failed]).toEqual([4, 0, 0]);
      expect(found.map(({ examination }) => examination.repair)).toEqual(Array(7).fill(undefined));
    }
  });

  test('has the fields of Tahoe for each object', async () => {
    const { check } = healthy;
    const found = await check();
    const said = new Map(
      walkVectors['stream-deep-check'].map((line) => [line.type, line['check-results']]),
    );
    const checkOf = (...path: readonly string[]) => at(found, ...path).check;
    const tahoes = said.get('directory') as { results: object };
    const lits = walkVectors['stream-deep-check'].find(({ path }) => path?.[0] === 'lit');
    expect(checkOf('lit')).toEqual(lits?.['check-results']);
    expect(checkOf('lit dir')).toEqual(lits?.['check-results']);
    expect(checkOf('what')).toEqual(said.get('unknown'));
    const mutables = walkVectors['stream-deep-check'][0]?.['check-results'] as typeof tahoes;
    expect(Object.keys(checkOf('a')!)).toEqual(Object.keys(mutables));
    expect(Object.keys(checkOf('a')!.results)).toEqual(Object.keys(mutables.results));
  });

  test('finds what is missing, repairs it if asked to, and only that', async () => {
    const { check, servers, a, sub } = await newTree();
    loseOne(servers[0]!, a);
    loseOne(servers[1]!, sub.file!);
    const found = await check();
    expect(
      found.flatMap(({ met, examination }) => (examination.isHealthy ? [] : [met.path])),
    ).toEqual([['a'], ['sub']]);
    expect(at(found, 'a').check?.summary).toBe('Unhealthy: 2 shares (enc 1-of-3)');
    expect(tallyOf(found).fields(false)).toEqual({
      ...{ 'count-objects-checked': 4, 'count-objects-healthy': 2, 'count-objects-unhealthy': 2 },
      ...{ 'count-corrupt-shares': 0, 'count-objects-failed': 0, 'count-objects-lapsing': 0 },
    });

    const repaired = await check({ repair: true });
    expect(at(repaired, 'a')).toMatchObject({
      isHealthy: true,
      check: { results: { healthy: false, 'count-shares-good': 2 } },
      repair: {
        ...{ isAttempted: true, isSuccessful: true, refusal: undefined },
        after: { results: { healthy: true, 'count-shares-good': 3 } },
      },
    });
    expect(at(repaired, 'sub', 'b').repair).toBeUndefined();
    const fields = tallyOf(repaired).fields(true);
    expect(fields).toEqual({
      'count-objects-checked': 4,
      'count-objects-healthy-pre-repair': 2,
      'count-objects-unhealthy-pre-repair': 2,
      'count-objects-healthy-post-repair': 4,
      'count-objects-unhealthy-post-repair': 0,
      'count-repairs-attempted': 2,
      'count-repairs-successful': 2,
      'count-repairs-unsuccessful': 0,
      'count-corrupt-shares-pre-repair': 0,
      'count-corrupt-shares-post-repair': 0,
      'count-objects-failed': 0,
      'count-objects-lapsing': 0,
      'count-repairs-refused': 0,
    });
    const tahoes = Object.keys(walkVectors['start-deep-check&repair=true']);
    expect(tahoes).toEqual(
      expect.arrayContaining(
        Object.keys(fields).filter((name) => !/failed|lapsing|refused/.test(name)),
      ),
    );
  });

  test('with --verify finds a corrupt block, and its repair leaves none', async () => {
    const { check, servers, a } = await newTree();
    const [{ server, shnum }] = holdings(servers, a.cap) as [ReturnType<typeof holdings>[number]];
    // In its only block, of a head that is read at once.
    diskOf(server).overwriteShare(storageIndexOf(a.cap), shnum, 2200, Uint8Array.of(1, 2, 3, 4, 5));
    expect(at(await check(), 'a').isHealthy).toBe(true);
    const tally = tallyOf(await check({ verify: true, repair: true }));
    expect(tally.fields(true)).toMatchObject({
      'count-corrupt-shares-pre-repair': 1,
      'count-corrupt-shares-post-repair': 0,
      'count-repairs-successful': 1,
    });
  });

  test('says of a refused repair why, and repairs what follows', async () => {
    const encoding = { required: 2, happy: 2, total: 3 };
    const { check, servers, root, a, b } = await newTree({ encoding });
    // Of a newer version one share is left, of two that it needs: a repair would lose it.
    const old = holdings(servers, a.cap).map((held) => ({ ...held, bytes: shareOf(held, a.cap) }));
    await a.overwrite(bytesOf(301));
    for (const { server, shnum, bytes } of old.slice(1)) {
      await putShare(server, a.cap, shnum, bytes);
    }
    loseOne(servers[0]!, b);
    const found = await check({ repair: true });
    expect(at(found, 'a')).toMatchObject({
      ...{ isHealthy: false, error: undefined },
      repair: { isAttempted: true, isSuccessful: false, after: undefined },
    });
    expect(at(found, 'a').repair?.refusal).toBeInstanceOf(NewerVersionSeenError);
    expect(at(found, 'sub', 'b').repair?.isSuccessful).toBe(true);
    expect(tallyOf(found).repairs).toEqual({ successful: 1, unsuccessful: 1, refused: 0 });

    const read = await check({ repair: true }, root.readCap);
    expect(at(read, 'a').repair).toEqual({
      ...{ isAttempted: false, isSuccessful: false, after: undefined },
      refusal: new InsufficientCapError('repairing', 'write', 'read'),
    });
    expect(tallyOf(read)).toMatchObject({ unhealthy: 1, failed: 0, repairs: { refused: 1 } });
  });

  test('tells what is lost from what nobody can tell of', async () => {
    const { check, servers, a, sub } = await newTree();
    for (const server of servers) {
      loseOne(server, a);
      loseOne(server, sub.file!);
    }
    const found = await check({ verify: true, repair: true });
    expect(found.map(({ met }) => met.path.join('/'))).toEqual([
      ...['', 'what', 'a', 'lit', 'lit dir', 'sub'],
    ]);
    expect(at(found, 'a')).toMatchObject({
      isHealthy: false,
      check: { results: { recoverable: false } },
      repair: { isAttempted: true, isSuccessful: false },
    });
    expect(found.at(-1)?.met.error).toBeInstanceOf(UnrecoverableFileError);
    expect(tallyOf(found)).toMatchObject({ checked: 3, unhealthy: 2, failed: 0 });
  });

  test('goes on where an object cannot be looked at', async () => {
    const silent = new Set<string>();
    const { check, root, a } = await newTree({
      wrap: (server) =>
        altered(server, {
          listShares: async (index, ...rest) => {
            if (silent.has(toBase32(index))) throw new Error('hung up');
            return server.listShares(index, ...rest);
          },
        }),
    });
    silent.add(toBase32(storageIndexOf(a.cap)));
    const bad = netstring(netstring(utf8('few')));
    await root.file!.modify((old) => concatBytes(old, bad), { raw: true });
    const found = await check({ repair: true });
    expect(at(found, 'few')).toMatchObject({
      isHealthy: null,
      error: new UnusableEntryError('few', 'it has fewer than four fields'),
    });
    const { isHealthy, error } = at(found, 'a');
    expect(isHealthy).toBe(null);
    const { facts, message } = error as UnrecoverableFileError;
    expect(message).toBe('no server has told what it holds');
    expect(facts).toMatchObject({ seen: [], bad: 0, unread: [] });
    expect(new Set(facts.servers.map(({ status }) => status))).toEqual(new Set(['failed']));
    expect(at(found, 'sub', 'b').isHealthy).toBe(true);
    expect(tallyOf(found)).toMatchObject({ checked: 3, unhealthy: 0, failed: 2 });
  });

  test('goes on behind another one that was cut off: each object is looked at once', async () => {
    const asked: string[] = [];
    const { check, a, b } = await newTree({
      wrap: (server) =>
        altered(server, {
          listShares: (index, ...rest) => {
            asked.push(toBase32(index));
            return server.listShares(index, ...rest);
          },
        }),
    });
    const whole = await check();
    for (const cut of [3, 6]) {
      const after = whole
        .slice(0, cut)
        .map(({ met, examination }) => recordOf(met, verdictOf(met, examination)));
      asked.length = 0;
      const rest = await check({ after: JSON.parse(JSON.stringify(after)) });
      expect(rest.map(({ met }) => met.path)).toEqual(whole.slice(cut).map(({ met }) => met.path));
      expect(asked).not.toContain(toBase32(storageIndexOf(a.cap)));
      expect(asked).toContain(toBase32(storageIndexOf(b.cap)));
    }
  });

  test('asks no more of servers when nobody waits for it any more', async () => {
    const { grid, root } = healthy;
    const given: Examined[] = [];
    for await (const it of grid.deepCheck(root.writeCap)) {
      given.push(it);
      break;
    }
    expect(given).toHaveLength(1);
    const controller = new AbortController();
    const reason = new Error('enough');
    const walked = (async () => {
      for await (const _ of grid.deepCheck(root.writeCap, { signal: controller.signal })) {
        controller.abort(reason);
      }
    })();
    await expect(walked).rejects.toBe(reason);
  });
});
