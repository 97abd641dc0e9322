import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hexToBytes, toBase32, utf8 } from '../../src/bytes.ts';
import { BadGridError } from '../../src/errors.ts';
import { permutationSeedOf, permutedServers, tubIdOfFurl } from '../../src/permute.ts';

const STORAGE_INDEX = hexToBytes('05d82de538db1406e16fc5ff4d6690a3');
const SEED = hexToBytes('000102030405060708090a0b0c0d0e0f10111213');
const KEY = 'zzcsscb2yc5svoa2ylq47rmjegvzhwey6y7nk3jcscfkhjpwpkbq';

const server = (id: string, permutationSeed: Uint8Array) => ({ id, permutationSeed });
const idsOf = (servers: readonly { id: string }[]) => servers.map(({ id }) => id);
const placeOf = (seed: Uint8Array, storageIndex = STORAGE_INDEX) =>
  createHash('sha1').update(storageIndex).update(seed).digest('hex');

describe('the permuted order', () => {
  test('is by SHA-1(storage index || seed), which differs per slot', () => {
    expect(placeOf(SEED)).toBe('49ddc724f9ade4c386ef91d3642b28f34708d679');
    const servers = [0, 1, 2, 3, 4, 5].map((i) => server(`s${i}`, Uint8Array.of(i)));
    // python3: sorted(range(6), key=lambda i: sha1(storage_index + bytes([i])).digest())
    expect(idsOf(permutedServers(servers, STORAGE_INDEX))).toEqual([
      's4',
      's1',
      's2',
      's0',
      's5',
      's3',
    ]);
    expect(idsOf(permutedServers(servers, new Uint8Array(16)))).toEqual([
      's5',
      's1',
      's3',
      's2',
      's0',
      's4',
    ]);
  });

  test('leaves the given list alone and takes an empty one', () => {
    const servers = [server('b', SEED), server('a', SEED)];
    permutedServers(servers, STORAGE_INDEX);
    expect(idsOf(servers)).toEqual(['b', 'a']);
    expect(permutedServers([], STORAGE_INDEX)).toEqual([]);
  });

  test('breaks ties by id', () => {
    const servers = ['b', 'a10', 'a', 'B', 'a2'].map((id) => server(id, SEED));
    expect(idsOf(permutedServers(servers, STORAGE_INDEX))).toEqual(['B', 'a', 'a10', 'a2', 'b']);
  });

  test('does not depend on the order given, and is ascending', () => {
    const seeds = fc.uniqueArray(fc.uint8Array({ maxLength: 60 }), {
      selector: (seed) => seed.join(),
      maxLength: 20,
    });
    const slot = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(seeds, slot, (permutationSeeds, storageIndex) => {
        const servers = permutationSeeds.map((seed, i) => server(`s${i}`, seed));
        const permuted = permutedServers(servers, storageIndex);
        expect(permutedServers(servers.toReversed(), storageIndex)).toEqual(permuted);
        const places = permuted.map(({ permutationSeed }) =>
          placeOf(permutationSeed, storageIndex),
        );
        expect(places).toEqual(places.toSorted());
        expect(idsOf(permuted).toSorted()).toEqual(idsOf(servers).toSorted());
      }),
    );
  });
});

describe('the permutation seed', () => {
  test('is the announced one: 52 bytes of text from a stock server', () => {
    const announced =
      'pj5gg43tmnrde6ldgvzxm33bgj4wy4jug5zg22tfm53hu2dxmv4tm6jxnzvtg2tdonrwm23injyho4dlmjyq';
    expect(permutationSeedOf(announced, `v0-${KEY}`)).toEqual(utf8(KEY));
    expect(permutationSeedOf(toBase32(SEED), 'anything')).toEqual(SEED);
  });

  test('is else the 32-byte key in the id', () => {
    const seed = permutationSeedOf(undefined, `v0-${KEY}`);
    expect(seed.length).toBe(32);
    expect(toBase32(seed)).toBe(KEY);
  });

  test.each(['s00', 'v0-short', `v0-${KEY}a`, `v1-${KEY}`, ''])(
    'is else the SHA-256 of the id: "%s"',
    (id) => {
      const expected = createHash('sha256').update(id).digest();
      expect(permutationSeedOf(undefined, id)).toEqual(new Uint8Array(expected));
    },
  );

  test('is never guessed from damaged text', () => {
    expect(() => permutationSeedOf('UPPER', 's00')).toThrowError(
      new BadGridError('server s00', 'permutation-seed-base32 is not base32'),
    );
    const id = `v0-${KEY.toUpperCase()}`;
    expect(() => permutationSeedOf(undefined, id)).toThrowError(
      new BadGridError(`server ${id}`, 'the key in its id is not base32'),
    );
  });
});

describe('the TubID of a FURL', () => {
  const tubId = '47hc3gorp32vze3f7kxc7borddbkzhno';

  test('is its 32 characters decoded, whatever their case', () => {
    const furl = `pb://${tubId}@tcp:127.0.0.1:41000/xn6s5s4v4yoknwze5nioz7zvhzbijrja`;
    const bytes = tubIdOfFurl(furl)!;
    expect(bytes.length).toBe(20);
    expect(toBase32(bytes)).toBe(tubId);
    expect(tubIdOfFurl(furl.replace(tubId, tubId.toUpperCase()))).toEqual(bytes);
  });

  test.each([
    ['nothing', ''],
    ['a NURL', 'pb://37tiX1u7I0wlTAoJpAQvvQ_628TDVXIyttpm5OjIjDg@127.0.0.1:41000/xn6s#v=1'],
    ['31 characters', `pb://${tubId.slice(1)}@tcp:127.0.0.1:1/x`],
    ['a character outside base32', `pb://1${tubId.slice(1)}@tcp:127.0.0.1:1/x`],
    ['another scheme', `http://${tubId}@tcp:127.0.0.1:1/x`],
    ['no @', `pb://${tubId}`],
    ['something in front', ` pb://${tubId}@tcp:127.0.0.1:1/x`],
  ])('is undefined for %s', (_, furl) => {
    expect(tubIdOfFurl(furl)).toBeUndefined();
  });
});
