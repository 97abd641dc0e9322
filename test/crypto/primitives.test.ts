import {
  constants,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as nodeSign,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes, u64, utf8 } from '../../src/bytes.ts';
import { isOneDerSequence, privateKeyIn, publicKeyIn, spkiOf } from '../../src/crypto/der.ts';
import { pairHasherOf, sha256d, taggedHash, taggedPairHash, tagOf } from '../../src/crypto/hash.ts';
import { primitives as node } from '../../src/crypto/node.ts';
import { primitives as portable } from '../../src/crypto/portable.ts';
import { BadKeyError } from '../../src/errors.ts';
import { newKeys } from '../support/new-keys.ts';

const golden = JSON.parse(
  readFileSync(new URL('../vectors/mutable-golden.json', import.meta.url), 'utf8'),
);
const goldenPkcs8 = hexToBytes(golden.privkey_pkcs8_der);
const goldenSpki = hexToBytes(golden.pubkey_spki_der);

const implementations = [
  { name: 'node', primitives: node, other: portable },
  { name: 'portable', primitives: portable, other: node },
];

const notPrivate = new BadKeyError('it is not an RSA private key');
const notPublic = new BadKeyError('it is not an RSA public key');

const derPair = ({ privateKey, publicKey }: { privateKey: Buffer; publicKey: Buffer }) => ({
  privateKey: new Uint8Array(privateKey),
  publicKey: new Uint8Array(publicKey),
});
const rsa = (modulusLength: number, publicExponent?: number) =>
  derPair(newKeys.rsa(modulusLength, publicExponent));
const ec = derPair(newKeys.ec());
const pssOnly = derPair(newKeys.rsaPss(1024));
const small = rsa(1024);
const legacy = rsa(2048, 17);

const hex = bytesToHex;
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const flipped = (original: Uint8Array, at: number, mask: number) =>
  original.map((byte, i) => (i === at ? byte ^ mask : byte));

describe('tagged hashes (docs/format.md §2)', () => {
  const block = (data: Uint8Array) => taggedHash(tagOf('allmydata_encoded_subshare_v1'), data);
  const emptyLeaf = (i: number) => taggedHash(tagOf('Merkle tree empty leaf'), utf8(`${i}`));
  const pair = (a: Uint8Array, b: Uint8Array) =>
    taggedPairHash(tagOf('Merkle tree internal node'), a, b);
  /** The root over one-byte blocks 00, 01, …, by the definition of the tree. */
  const rootOf = (leaves: number, width: number) => {
    let row = Array.from({ length: width }, (_, i) =>
      i < leaves ? block(Uint8Array.of(i)) : emptyLeaf(i),
    );
    while (row.length > 1) {
      row = row.filter((_, i) => i % 2 === 0).map((left, i) => pair(left, row[2 * i + 1]!));
    }
    return row[0]!;
  };

  test.each([
    [
      'block hash of nothing',
      () => block(utf8('')),
      '64931e84fc25687f941bcdbf475517286ab6ca71e87dd64491b15b54dd06d26b',
    ],
    [
      'block hash of "abc"',
      () => block(utf8('abc')),
      'fd3c231eb0555dc77b9f2670d945e4f1e782fe9f43669fe8425c9fde7b01c55f',
    ],
    [
      'padding leaf 0',
      () => emptyLeaf(0),
      'e0024730188e2de564a697cc2987407b24ae7eb6b880190c1a0337a5740e527a',
    ],
    [
      'padding leaf 3',
      () => emptyLeaf(3),
      '9ed59076b6bee6b75864630c3c20cff6934efe03a60a7fd28b69542fb13a68a3',
    ],
    [
      'an internal node',
      () => pair(new Uint8Array(32), new Uint8Array(32).fill(0xff)),
      'bf9aa8c46257d42f7a5326e513dfb7e6c44bd4a023235690bf14a93457a62fef',
    ],
    [
      'the root over 3 blocks',
      () => rootOf(3, 4),
      '7c2da99697c4509052ce58ac665d1e01708957d8238a2862500e3eb055146de1',
    ],
    [
      'the root over 10 blocks',
      () => rootOf(10, 16),
      'b6b1242ca3f6a8ed46b60523b2476b5cb581128d0a99d709ba2d7bf6b2d3c9a7',
    ],
  ])('%s', (_, value, expected) => {
    expect(hex(value())).toBe(expected);
  });

  test('a value in parts hashes like the value', () => {
    const tag = tagOf('allmydata_encoded_subshare_v1');
    expect(taggedHash(tag, utf8('a'), utf8(''), utf8('bc'))).toEqual(taggedHash(tag, utf8('abc')));
    expect(sha256d(utf8('29:allmydata_encoded_subshare_v1,abc'))).toEqual(block(utf8('abc')));
  });
});

test('a DER sequence is recognised by filling its bytes exactly', () => {
  const body = (length: number) => new Uint8Array(length);
  const der = (...parts: (number | Uint8Array)[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])));
  expect(isOneDerSequence(der(0x30, 0))).toBe(true);
  expect(isOneDerSequence(der(0x30, 0x7f, body(0x7f)))).toBe(true);
  expect(isOneDerSequence(der(0x30, 0x81, 0x80, body(0x80)))).toBe(true);
  expect(isOneDerSequence(der(0x30, 0x82, 1, 0, body(256)))).toBe(true);
  expect(isOneDerSequence(der())).toBe(false);
  expect(isOneDerSequence(der(0x30))).toBe(false);
  expect(isOneDerSequence(der(0x30, 0x82))).toBe(false);
  expect(isOneDerSequence(der(0x31, 0))).toBe(false);
  expect(isOneDerSequence(der(0x30, 0x82, 1, 0, body(255)))).toBe(false);
  expect(isOneDerSequence(der(0x30, 0x82, 1, 0, body(257)))).toBe(false);
});

test('the bare key is found in the usual wrapping of RSA, and in no other', () => {
  const pkcs8 = { key: Buffer.from(goldenPkcs8), format: 'der', type: 'pkcs8' } as const;
  const spki = { key: Buffer.from(goldenSpki), format: 'der', type: 'spki' } as const;
  const bare = { format: 'der', type: 'pkcs1' } as const;
  const [privateKey, publicKey] = [privateKeyIn(goldenPkcs8), publicKeyIn(goldenSpki)];
  expect(privateKey).toEqual(new Uint8Array(createPrivateKey(pkcs8).export(bare)));
  expect(publicKey).toEqual(new Uint8Array(createPublicKey(spki).export(bare)));
  expect(spkiOf(publicKey!)).toEqual(goldenSpki);
  for (const { privateKey, publicKey } of [ec, pssOnly]) {
    expect([privateKeyIn(privateKey), publicKeyIn(publicKey)]).toEqual([undefined, undefined]);
  }
  // The algorithm, unused bits, the tag of what is wrapped, its length, what is in it, a version.
  for (const at of [8, 23, 19, 22, 24])
    expect(publicKeyIn(flipped(goldenSpki, at, 1))).toBe(undefined);
  for (const at of [11, 22, 25, 26, 6])
    expect(privateKeyIn(flipped(goldenPkcs8, at, 1))).toBe(undefined);
});

test('messages are hashed alike, whether they are put together first or not', () => {
  const bytes = Uint8Array.from({ length: 1100 }, (_, i) => i * 7);
  const twice = (message: Uint8Array) =>
    node.sha256().update(node.sha256().update(message).digest()).digest();
  for (const length of [0, 1, 511, 512, 513, 1100]) {
    const message = bytes.subarray(0, length);
    const cut = Math.floor(length / 3);
    expect(sha256d(message.subarray(0, cut), message.subarray(cut))).toEqual(twice(message));
  }
});

test('pairs of hashes are hashed where they lie', () => {
  const tag = tagOf('some tag');
  const pairs = Uint8Array.from({ length: 70 }, (_, i) => i);
  const target = new Uint8Array(40).fill(0xaa);
  pairHasherOf(tag)(pairs, 3, target, 4);
  const hash = taggedPairHash(tag, pairs.subarray(3, 35), pairs.subarray(35, 67));
  expect(target).toEqual(
    concatBytes(target.subarray(0, 4), hash, Uint8Array.of(170, 170, 170, 170)),
  );
  expect(target.subarray(0, 4)).toEqual(Uint8Array.of(170, 170, 170, 170));
});

test('Node hashes in one call where it can, with the same result', async () => {
  vi.resetModules();
  vi.doMock('node:crypto', async (original) => {
    const all = await original<typeof import('node:crypto')>();
    return { ...all, default: { ...all, hash: undefined } };
  });
  const { primitives: old } = await import('../../src/crypto/node.ts');
  vi.doUnmock('node:crypto');
  expect(old.hashInto).not.toBe(node.hashInto);
  const [a, b] = [new Uint8Array(32), new Uint8Array(32)];
  old.hashInto(utf8('abc'), a, 0);
  node.hashInto(utf8('abc'), b, 0);
  expect(a).toEqual(b);
});

describe.each(implementations)('$name primitives', ({ primitives, other }) => {
  test('a hash in one call is put where it is wanted', () => {
    const target = new Uint8Array(36);
    primitives.hashInto(utf8('abc'), target, 2);
    const digest = primitives.sha256().update(utf8('abc')).digest();
    expect(target).toEqual(concatBytes(new Uint8Array(2), digest, new Uint8Array(2)));
  });

  test('sha256 of "abc", in one piece and in three', () => {
    const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const digest = primitives.sha256().update(utf8('abc')).digest();
    expect(hex(digest)).toBe(expected);
    expect(digest.constructor).toBe(Uint8Array);
    const piecewise = primitives.sha256().update(utf8('a')).update(utf8('')).update(utf8('bc'));
    expect(hex(piecewise.digest())).toBe(expected);
  });

  test('AES-CTR starts from a zero counter, and undoes itself', async () => {
    const key = hexToBytes('48c028135efaf3020cf7fd8aefa6cca5');
    const stream = await primitives.aesCtr(key, new Uint8Array(20));
    expect(hex(stream)).toBe('3d2d4b275c82a83f52ced4871f9b44013143d293');
    expect(stream.constructor).toBe(Uint8Array);
    expect(await primitives.aesCtr(key, stream)).toEqual(new Uint8Array(20));
    expect(await primitives.aesCtr(key, new Uint8Array(0))).toEqual(new Uint8Array(0));
  });

  test('AES-CTR goes on from piece to piece, of whatever lengths, each to its place', async () => {
    const key = utf8('0123456789abcdef');
    const data = Uint8Array.from({ length: 200_003 }, (_, i) => i % 251);
    const cuts = [0, 1, 1, 70_001, 70_018, 136_000, data.length];
    const pieces = cuts.slice(1).map((cut, i) => data.subarray(cuts[i], cut));
    const targets = pieces.map(({ length }) => new Uint8Array(length));
    await primitives.aesCtrInto(key, pieces, targets);
    const whole = await primitives.aesCtr(key, data);
    expect(Buffer.compare(concatBytes(...targets), whole)).toBe(0);
  });

  test('AES-CTR begins at any counter, also one of more than 32 bits', async () => {
    const key = utf8('0123456789abcdef');
    const data = Uint8Array.from({ length: 100 }, (_, i) => i);
    const whole = await primitives.aesCtr(key, data);
    const rest = [new Uint8Array(30), new Uint8Array(22)];
    await primitives.aesCtrInto(key, [data.subarray(48, 78), data.subarray(78)], rest, 3);
    expect(concatBytes(...rest)).toEqual(whole.subarray(48));
    const far = [new Uint8Array(32)];
    await primitives.aesCtrInto(key, [new Uint8Array(32)], far, 2 ** 32 - 1);
    const counters = new Uint8Array([...Array(12).fill(0), 255, 255, 255, 255]);
    const next = new Uint8Array([...Array(11).fill(0), 1, 0, 0, 0, 0]);
    const ecb = createCipheriv('aes-128-ecb', key, null);
    expect(hex(far[0]!)).toBe(ecb.update(concatBytes(counters, next)).toString('hex'));
  });

  test.each([0, 15, 17, 24, 32])('AES-CTR refuses a key of %i bytes', async (length) => {
    const run = primitives.aesCtr(new Uint8Array(length), new Uint8Array(1));
    await expect(run).rejects.toThrowError(RangeError);
    const into = primitives.aesCtrInto(new Uint8Array(length), [], []);
    await expect(into).rejects.toThrowError(RangeError);
  });

  test('random bytes are as many as asked for, and differ', () => {
    const first = primitives.randomBytes(16);
    expect(first.length).toBe(16);
    expect(first.constructor).toBe(Uint8Array);
    expect(primitives.randomBytes(16)).not.toEqual(first);
    expect(primitives.randomBytes(0)).toEqual(new Uint8Array(0));
  });

  test('a generated key imports elsewhere, and is 2048 bits with exponent 65537', async () => {
    const key = await primitives.generateKey();
    const copy = await other.importSigningKey(key.pkcs8);
    expect(copy.pkcs8).toEqual(key.pkcs8);
    expect(copy.spki).toEqual(key.spki);
    // An SPKI of 294 bytes ends with INTEGER 65537.
    expect(key.spki.length).toBe(294);
    expect(hex(key.spki.subarray(-5))).toBe('0203010001');
  });

  test("Tahoe's key keeps its PKCS#8 verbatim and has Tahoe's SPKI", async () => {
    const given = goldenPkcs8.slice();
    const key = await primitives.importSigningKey(given);
    given.fill(0);
    expect(key.pkcs8).toEqual(goldenPkcs8);
    expect(key.spki).toEqual(goldenSpki);
    expect(key.pkcs8.constructor).toBe(Uint8Array);
    expect(key.spki.constructor).toBe(Uint8Array);
  });

  test("Tahoe's signatures verify", async () => {
    const key = await primitives.importVerifyingKey(goldenSpki);
    for (const { signed_prefix, signature } of golden.cases) {
      expect(await key.verify(hexToBytes(signed_prefix), hexToBytes(signature))).toHaveLength(32);
    }
  });

  test('a signature verifies over its message under its key only', async () => {
    const key = await primitives.importSigningKey(goldenPkcs8);
    const message = utf8('a signed prefix');
    const signature = await key.sign(message);
    expect(signature.length).toBe(256);
    expect(signature.constructor).toBe(Uint8Array);
    const good = await other.importVerifyingKey(goldenSpki);
    const stranger = await other.importVerifyingKey(legacy.publicKey);
    expect(await good.verify(message, signature)).toHaveLength(32);
    expect(await good.verify(utf8('a signed prefiy'), signature)).toBeUndefined();
    expect(await stranger.verify(message, signature)).toBeUndefined();
  });

  test('a legacy key with exponent 17 signs and verifies', async () => {
    const key = await primitives.importSigningKey(legacy.privateKey);
    expect(key.spki).toEqual(legacy.publicKey);
    expect(key.spki.length).toBe(292);
    const verifier = await other.importVerifyingKey(key.spki);
    expect(await verifier.verify(utf8('m'), await key.sign(utf8('m')))).toHaveLength(32);
  });

  test('a public key of another size is taken', async () => {
    const signature = nodeSign('sha256', utf8('m'), {
      key: Buffer.from(small.privateKey),
      format: 'der',
      type: 'pkcs8',
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    });
    const key = await primitives.importVerifyingKey(small.publicKey);
    expect(await key.verify(utf8('m'), signature)).toHaveLength(32);
  });

  test.each([
    ['the maximum salt, which is the default of Node', constants.RSA_PSS_SALTLEN_MAX_SIGN],
    ['no salt', 0],
    ['a salt of 31 bytes', 31],
  ])('a signature with %s is refused', async (_, saltLength) => {
    const signature = nodeSign('sha256', utf8('m'), {
      key: Buffer.from(goldenPkcs8),
      format: 'der',
      type: 'pkcs8',
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength,
    });
    const key = await primitives.importVerifyingKey(goldenSpki);
    expect(await key.verify(utf8('m'), signature)).toBeUndefined();
  });

  test('a malformed signature has no salt, and is never an error', async () => {
    const key = await primitives.importVerifyingKey(goldenSpki);
    const signer = await primitives.importSigningKey(goldenPkcs8);
    const good = await signer.sign(utf8('m'));
    const malformed = [
      new Uint8Array(0),
      good.subarray(1),
      good.subarray(0, 255),
      Uint8Array.of(...good, 0),
      Uint8Array.of(0, ...good),
      new Uint8Array(256),
      new Uint8Array(256).fill(0xff),
      new Uint8Array(100_000),
      flipped(good, 0, 1),
      flipped(good, 255, 0x80),
    ];
    for (const signature of malformed) {
      expect(await key.verify(utf8('m'), signature)).toBeUndefined();
    }
  });

  test('a signature without the zero that it begins with is refused', async () => {
    const key = await primitives.importVerifyingKey(goldenSpki);
    const signer = await node.importSigningKey(goldenPkcs8);
    // One salt in 180 gives such a signature; this is the first of those that count from 0.
    const good = await signer.sign(utf8('m'), concatBytes(new Uint8Array(24), u64(88)));
    expect(good[0]).toBe(0);
    expect(await key.verify(utf8('m'), good)).toHaveLength(32);
    expect(await key.verify(utf8('m'), good.subarray(1))).toBeUndefined();
  });

  test('a public key too small for PSS verifies nothing', async () => {
    const tiny = await primitives.importVerifyingKey(rsa(512).publicKey);
    expect(await tiny.verify(utf8('m'), new Uint8Array(64).fill(1))).toBeUndefined();
  });

  test.each([1024, 2047, 2056, 3072])('a private key of %i bits is refused', async (bits) => {
    await expect(primitives.importSigningKey(rsa(bits).privateKey)).rejects.toThrowError(
      new BadKeyError(`it has ${bits} bits, not 2048`),
    );
  });

  test('a private key of three primes is refused: Tahoe could not use it', async () => {
    const pem = readFileSync(new URL('../vectors/three-primes.pem', import.meta.url), 'utf8');
    const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
    await expect(primitives.importSigningKey(new Uint8Array(der))).rejects.toThrowError(
      new BadKeyError('it has more than two primes'),
    );
  });

  const encrypted = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    privateKeyEncoding: { type: 'pkcs8', format: 'der', cipher: 'aes-128-cbc', passphrase: 'p' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  }).privateKey;
  const pkcs1 = generateKeyPairSync('rsa', {
    modulusLength: 1024,
    privateKeyEncoding: { type: 'pkcs1', format: 'der' },
    publicKeyEncoding: { type: 'pkcs1', format: 'der' },
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['garbage', utf8('garbage')],
    ['an empty sequence', Uint8Array.of(0x30, 0)],
    ['a truncated key', goldenPkcs8.subarray(0, -1)],
    ['a key with a tail', Uint8Array.of(...goldenPkcs8, 0)],
    ['an elliptic curve key', ec.privateKey],
    ['an RSA key for PSS only', pssOnly.privateKey],
    ['an encrypted key', encrypted],
    ['a bare PKCS#1 key', pkcs1.privateKey],
    ['a public key', goldenSpki],
  ])('%s is no private key', async (_, der) => {
    await expect(primitives.importSigningKey(der)).rejects.toThrowError(notPrivate);
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['garbage', utf8('garbage')],
    ['a truncated key', goldenSpki.subarray(0, -1)],
    ['a key with a tail', Uint8Array.of(...goldenSpki, 0)],
    ['an elliptic curve key', ec.publicKey],
    ['an RSA key for PSS only', pssOnly.publicKey],
    ['a bare PKCS#1 key', pkcs1.publicKey],
    ['a private key', goldenPkcs8],
  ])('%s is no public key', async (_, der) => {
    await expect(primitives.importVerifyingKey(der)).rejects.toThrowError(notPublic);
  });

  test('an error about a key holds nothing of it', async () => {
    const error = await primitives.importSigningKey(goldenPkcs8.subarray(1)).catch((e) => e);
    expect(error).toBeInstanceOf(BadKeyError);
    expect(error.cause).toBeUndefined();
    expect(error.facts).toEqual({ problem: 'it is not an RSA private key' });
  });
});

describe('both implementations agree', () => {
  test('on sha256, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(bytes(200), { maxLength: 5 }), (parts) => {
        const [a, b] = [node.sha256(), portable.sha256()];
        for (const part of parts) {
          a.update(part);
          b.update(part);
        }
        expect(a.digest()).toEqual(b.digest());
      }),
    );
  });

  test('on AES-CTR', async () => {
    const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(key, bytes(500), async (k, data) => {
        expect(await node.aesCtr(k, data)).toEqual(await portable.aesCtr(k, data));
      }),
    );
  });

  test('on AES-CTR past the 16-bit carry of the counter', async () => {
    const [key, data] = [utf8('0123456789abcdef'), new Uint8Array(65537 * 16 + 5)];
    const [a, b] = [await node.aesCtr(key, data), await portable.aesCtr(key, data)];
    expect(Buffer.compare(a, b)).toBe(0);
  });

  test("on each other's signatures, and on broken ones", async () => {
    const [nodeKey, portableKey] = [
      await node.importSigningKey(goldenPkcs8),
      await portable.importSigningKey(goldenPkcs8),
    ];
    const [nodeVerifier, portableVerifier] = [
      await node.importVerifyingKey(goldenSpki),
      await portable.importVerifyingKey(goldenSpki),
    ];
    const flip = fc.option(fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 255 })));
    await fc.assert(
      fc.asyncProperty(bytes(100), flip, async (message, damage) => {
        for (const key of [nodeKey, portableKey]) {
          const signature = await key.sign(message);
          const shown = damage === null ? signature : flipped(signature, ...damage);
          const salt = await nodeVerifier.verify(message, shown);
          expect(salt?.length).toBe(damage === null ? 32 : undefined);
          expect(await portableVerifier.verify(message, shown)).toEqual(salt);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('on which damaged keys are no keys', async () => {
    const outcome = (imported: Promise<unknown>) =>
      imported.then(
        () => 'taken',
        (error) => `${error}`,
      );
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const pkcs8 = flipped(goldenPkcs8, at % goldenPkcs8.length, mask);
        const spki = flipped(goldenSpki, at % goldenSpki.length, mask);
        expect(await outcome(node.importSigningKey(pkcs8))).toBe(
          await outcome(portable.importSigningKey(pkcs8)),
        );
        expect(await outcome(node.importVerifyingKey(spki))).toBe(
          await outcome(portable.importVerifyingKey(spki)),
        );
      }),
    );
  });
});
