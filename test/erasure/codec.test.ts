import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { bytesToHex, hexToBytes } from '../../src/bytes.ts';
import { type Codec, createCodec } from '../../src/erasure/codec.ts';
import { fastestKernel } from '../../src/erasure/fastest-kernel.ts';
import { logarithm, multiply, power } from '../../src/erasure/gf256.ts';
import { decodeInTurns, encodeInTurns } from '../../src/erasure/in-turns.ts';
import { portableKernel } from '../../src/erasure/portable-kernel.ts';
import { OutOfRangeError } from '../../src/errors.ts';

/** 0, 1, … count-1 */
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Byte t of block n, of no pattern. */
const noise = (seed: number, n: number, length: number) =>
  Uint8Array.from({ length }, (_, t) => Math.imul(seed + n * 7919 + t, 2654435761) >>> 24);

/** The matrix row of a check share: what each unit vector contributes to it. */
function rowOf({ encode }: Codec, required: number, shnum: number): number[] {
  return upTo(required).map((column) => {
    const unit = upTo(required).map((i) => Uint8Array.of(i === column ? 1 : 0));
    return encode(unit, [shnum])[0]?.[0] as number;
  });
}

const kernels = [fastestKernel(), portableKernel];

describe('the field', () => {
  test('powers of the generator wrap at 0x11D and after 255 steps', () => {
    expect([0, 1, 7, 8, 9, 254, 255, -1].map(power)).toEqual([1, 2, 128, 29, 58, 142, 1, 142]);
    expect(upTo(255).map((e) => logarithm(power(e)))).toEqual(upTo(255));
  });

  test('multiplication agrees with shift-and-add for every pair', () => {
    const slow = (a: number, b: number) => {
      let product = 0;
      for (let bit = 7; bit >= 0; bit--) {
        product <<= 1;
        if (product & 0x100) product ^= 0x11d;
        if (b & (1 << bit)) product ^= a;
      }
      return product;
    };
    for (const a of upTo(256)) {
      expect(upTo(256).map((b) => multiply(a, b))).toEqual(upTo(256).map((b) => slow(a, b)));
    }
  });
});

describe.each(kernels)('encode with the $name kernel', (kernel) => {
  test('the rows of 3-of-5 and 3-of-10 are those of zfec', () => {
    expect(
      [3, 4].map((r) => bytesToHex(Uint8Array.from(rowOf(createCodec(3, 5, kernel), 3, r)))),
    ).toEqual(['0f0806', '2d301c']);
    expect([3, 4, 5, 6, 7, 8, 9].map((r) => rowOf(createCodec(3, 10, kernel), 3, r))).toEqual([
      [15, 8, 6],
      [45, 48, 28],
      [153, 224, 120],
      [11, 231, 237],
      [137, 59, 179],
      [70, 241, 182],
      [186, 217, 98],
    ]);
  });

  test('an example that zfec computed', () => {
    const blocks = ['010203', '040506', '070809'].map(hexToBytes);
    const shares = createCodec(3, 10, kernel).encode(blocks, [3, 0, 9, 2]);
    expect(shares.map(bytesToHex)).toEqual(['3d0617', '010203', 'cac46a', '070809']);
  });

  test('the rows equal the Vandermonde definition, for every k and N = k + 3', () => {
    for (const required of [1, 2, 3, 4, 7, 16, 100, 252]) {
      const total = required + 3;
      const blocks = upTo(required).map((i) => Uint8Array.of((i * 37 + 11) & 255));
      const shares = createCodec(required, total, kernel).encode(blocks, upTo(total));
      expect(shares.map((s) => s[0])).toEqual(
        vandermondeShares(
          blocks.map((b) => b[0] as number),
          total,
        ),
      );
    }
  });

  test('primary shares are the very arrays given; k = 1 replicates; k = N has no check shares', () => {
    const blocks = [Uint8Array.of(1, 2), Uint8Array.of(3, 4)];
    const [first, second] = createCodec(2, 2, kernel).encode(blocks, [0, 1]);
    expect(first).toBe(blocks[0]);
    expect(second).toBe(blocks[1]);
    const copies = createCodec(1, 255, kernel).encode([Uint8Array.of(9, 8, 7)], upTo(255));
    expect(new Set(copies.map(bytesToHex))).toEqual(new Set(['090807']));
  });

  test('empty blocks encode to empty shares', () => {
    const none = new Uint8Array(0);
    expect(createCodec(2, 4, kernel).encode([none, none], upTo(4))).toEqual([
      none,
      none,
      none,
      none,
    ]);
  });
});

describe.each(kernels)('decode with the $name kernel', (kernel) => {
  test('any k shares give the blocks back, at lengths around the strip of 2048', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 255 }).chain((total) =>
          fc.record({
            total: fc.constant(total),
            required: fc.integer({ min: 1, max: Math.min(total, 40) }),
            order: fc.shuffledSubarray(upTo(total), { minLength: total }),
            length: fc.constantFrom(0, 1, 2, 17, 2047, 2048, 2049, 5000),
            seed: fc.nat(),
          }),
        ),
        ({ total, required, order, length, seed }) => {
          const blocks = upTo(required).map((i) => noise(seed, i, length));
          const codec = createCodec(required, total, kernel);
          const chosen = order.slice(0, required);
          const shares = codec.encode(blocks, chosen);
          const found = new Map(chosen.map((n, i) => [n, shares[i] as Uint8Array]));
          expect(codec.decode(found).map(bytesToHex)).toEqual(blocks.map(bytesToHex));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('every 3-subset of 3-of-6', () => {
    const blocks = ['0011', '22ff', '4455'].map(hexToBytes);
    const codec = createCodec(3, 6, kernel);
    const shares = codec.encode(blocks, upTo(6));
    for (const a of upTo(6))
      for (const b of upTo(a))
        for (const c of upTo(b)) {
          const found = new Map([a, b, c].map((n) => [n, shares[n] as Uint8Array]));
          expect(codec.decode(found)).toEqual(blocks);
        }
  });

  test('of more than k shares the primary ones are used', () => {
    const codec = createCodec(2, 4, kernel);
    const blocks = [Uint8Array.of(5), Uint8Array.of(6)];
    const wrong = Uint8Array.of(0xee);
    const found = new Map([
      [3, wrong],
      [2, wrong],
      [1, blocks[1] as Uint8Array],
      [0, blocks[0] as Uint8Array],
    ]);
    expect(codec.decode(found)).toEqual(blocks);
  });
});

describe('the two kernels', () => {
  test('are told apart by name, and the first is of WebAssembly', () => {
    expect(kernels.map(({ name }) => name)).toEqual(['simd', 'portable']);
    expect(fastestKernel()).toBe(kernels[0]);
  });

  const outcomes = (required: number, total: number, order: readonly number[], length: number) =>
    kernels.map((kernel) => {
      const codec = createCodec(required, total, kernel);
      const blocks = upTo(required).map((i) => noise(required, i, length));
      const shares = codec.encode(blocks, order);
      const found = new Map(order.slice(-required).map((n, i) => [n, shares.at(i - required)]));
      const decoded = codec.decode(found as ReadonlyMap<number, Uint8Array>);
      expect(
        decoded.every((block, i) => Buffer.compare(block, blocks[i] as Uint8Array) === 0),
      ).toBe(true);
      return Buffer.concat(shares);
    });

  test('agree on every code, at lengths around the steps and strips of either', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 255 }).chain((total) =>
          fc.record({
            total: fc.constant(total),
            required: fc.integer({ min: 1, max: total }),
            order: fc.shuffledSubarray(upTo(total), { minLength: total }),
            length: fc.constantFrom(1, 15, 16, 63, 64, 65, 2047, 2048, 2049, 2112),
          }),
        ),
        ({ total, required, order, length }) => {
          const [simd, portable] = outcomes(required, total, order, length) as [Buffer, Buffer];
          expect(Buffer.compare(simd, portable)).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([
    [3, 10, 16_383],
    [3, 10, 16_385],
    [3, 10, 43_691],
    [1, 4, 50_000],
    // The most tables that there can be, and the most sources.
    [127, 255, 4200],
    [128, 255, 4200],
    [254, 255, 4200],
    [255, 255, 100],
    [128, 256, 4200],
    [255, 256, 100],
  ])('agree on %i-of-%i of %i bytes', (required, total, length) => {
    const [simd, portable] = outcomes(required, total, upTo(total), length) as [Buffer, Buffer];
    expect(Buffer.compare(simd, portable)).toBe(0);
  });

  test('agree on a row whose weights are all 1, the sum of its sources', () => {
    // The points of shares 1, 2 and 26 are 1, 2 and 3: with share 0 their sum is 0.
    const blocks = new Map([0, 1, 2].map((n) => [n, noise(n, n, 100)]));
    const sum = Uint8Array.from({ length: 100 }, (_, t) =>
      [...blocks.values()].reduce((x, block) => x ^ (block[t] as number), 0),
    );
    for (const kernel of kernels) {
      const [share] = createCodec(3, 27, kernel).encode([...blocks.values()], [26]);
      expect(share).toEqual(sum);
    }
  });
});

describe('where there is no WebAssembly with SIMD', () => {
  test.each([
    ['missing', undefined],
    ['forbidden by the page', { Module: forbidden }],
  ])('because it is %s, the portable kernel does it', async (_, stub) => {
    vi.stubGlobal('WebAssembly', stub);
    vi.resetModules();
    const fresh = await import('../../src/erasure/fastest-kernel.ts');
    expect(fresh.fastestKernel().name).toBe('portable');
    vi.unstubAllGlobals();
  });

  function forbidden(): void {
    throw new Error('wasm code generation disallowed by embedder');
  }
});

describe.each(kernels)('targets of the caller, with the $name kernel', (kernel) => {
  const blocks = upTo(3).map((n) => noise(9, n, 70));
  const all = createCodec(3, 5, kernel).encode(blocks, upTo(5));
  /** Views of one buffer with a byte between them that nobody may touch. */
  const places = (count: number) => {
    const arena = new Uint8Array(count * 71).fill(0xaa);
    return upTo(count).map((i) => arena.subarray(i * 71, i * 71 + 70));
  };
  const gaps = (targets: readonly Uint8Array[]) =>
    targets.map(({ buffer, byteOffset }) => new Uint8Array(buffer)[byteOffset + 70]);

  test('take the shares, primary ones too, and nothing beside them is written', () => {
    const targets = places(4);
    const made = createCodec(3, 5, kernel).encode(blocks, [4, 0, 3, 2], targets);
    expect(made).toBe(targets);
    expect(made).toEqual([4, 0, 3, 2].map((n) => all[n]));
    expect(gaps(targets)).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
  });

  test('take the decoded blocks; one that is in its place already stays there', () => {
    const targets = places(3);
    targets[1]?.set(blocks[1] as Uint8Array);
    const found = new Map([
      [1, targets[1] as Uint8Array],
      [3, all[3] as Uint8Array],
      [4, all[4] as Uint8Array],
    ]);
    expect(createCodec(3, 5, kernel).decode(found, targets)).toEqual(blocks);
    expect(gaps(targets)).toEqual([0xaa, 0xaa, 0xaa]);
  });

  test('take copies of the block when k = 1', () => {
    const targets = places(2);
    expect(createCodec(1, 5, kernel).encode([blocks[0] as Uint8Array], [4, 0], targets)).toEqual([
      blocks[0],
      blocks[0],
    ]);
  });
});

test('when k = 1 nothing is multiplied: all shares are the array given', () => {
  const idle = { name: 'idle', prepare: () => expect.unreachable() };
  const block = Uint8Array.of(1, 2, 3);
  const codec = createCodec(1, 255, idle);
  expect(codec.encode([block], upTo(255)).every((share) => share === block)).toBe(true);
  expect(codec.decode(new Map([[254, block]]))[0]).toBe(block);
});

describe('bad arguments', () => {
  const one = Uint8Array.of(1);
  const two = Uint8Array.of(1, 2);

  test.each([
    [0, 1, new OutOfRangeError('required shares', 0, 'must be 1 to 1, the total')],
    [3, 2, new OutOfRangeError('required shares', 3, 'must be 1 to 2, the total')],
    [1.5, 2, new OutOfRangeError('required shares', 1.5, 'must be 1 to 2, the total')],
    [1, 0, new OutOfRangeError('total shares', 0, 'must be 1 to 256')],
    [1, 257, new OutOfRangeError('total shares', 257, 'must be 1 to 256')],
    [1, Number.NaN, new OutOfRangeError('total shares', Number.NaN, 'must be 1 to 256')],
  ])('%d-of-%d is refused', (required, total, error) => {
    expect(() => createCodec(required, total)).toThrowError(error);
  });

  test('encode wants k blocks of one length, and shnums below N', () => {
    const codec = createCodec(2, 4);
    expect(() => codec.encode([one], [0])).toThrowError(
      new OutOfRangeError('blocks', 1, 'encoding needs 2'),
    );
    expect(() => codec.encode([one, two], [2])).toThrowError(
      new OutOfRangeError('block length', 2, 'others have 1 bytes'),
    );
    for (const shnum of [4, -1, 0.5]) {
      expect(() => codec.encode([one, one], [shnum])).toThrowError(
        new OutOfRangeError('shnum', shnum, 'must be 0 to 3'),
      );
    }
    expect(() => codec.encode([one, one], [3, 3])).toThrowError(
      new OutOfRangeError('shnums', 2, 'must be different ones'),
    );
  });

  test('there is a target of the length of the blocks for each share', () => {
    const codec = createCodec(2, 4);
    expect(() => codec.encode([one, one], [2, 3], [one])).toThrowError(
      new OutOfRangeError('targets', 1, 'there are 2 shares'),
    );
    expect(() => codec.encode([one, one], [2], [two])).toThrowError(
      new OutOfRangeError('block length', 2, 'others have 1 bytes'),
    );
  });

  test('decode wants k shares of one length, and shnums below N', () => {
    const codec = createCodec(2, 4);
    expect(() => codec.decode(new Map([[3, one]]))).toThrowError(
      new OutOfRangeError('blocks', 1, 'decoding needs 2'),
    );
    expect(() => codec.decode(new Map([[3, one]]).set(1, two))).toThrowError(
      new OutOfRangeError('block length', 2, 'others have 1 bytes'),
    );
    expect(() => codec.decode(new Map([[3, one]]).set(4, one))).toThrowError(
      new OutOfRangeError('shnum', 4, 'must be 0 to 3'),
    );
  });
});

/**
 * The definition, not the implementation: V times the inverse of its top, by Gaussian elimination
 * of V_top · x = data, then V · x.
 */
function vandermondeShares(data: readonly number[], total: number): number[] {
  const required = data.length;
  const inverse = (a: number) => power(-logarithm(a));
  const v = upTo(total).map((r) => {
    const point = r === 0 ? 0 : power(r - 1);
    let value = 1;
    return upTo(required).map(() => {
      const term = value;
      value = multiply(value, point);
      return term;
    });
  });
  const rows = v.slice(0, required).map((row, r) => [...row, data[r] as number]);
  for (const column of upTo(required)) {
    const pivot = rows.findIndex((row, r) => r >= column && row[column] !== 0);
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const scale = inverse(rows[column]?.[column] as number);
    const lead = (rows[column] as number[]).map((x) => multiply(x, scale));
    rows[column] = lead;
    rows.forEach((row, r) => {
      const factor = row[column] as number;
      if (r === column || factor === 0) return;
      rows[r] = row.map((x, i) => x ^ multiply(factor, lead[i] as number));
    });
  }
  const coefficients = rows.map((row) => row[required] as number);
  return v.map((row) =>
    row.reduce((sum, term, i) => sum ^ multiply(term, coefficients[i] as number), 0),
  );
}

test.each([1, 65_535, 65_536, 65_537, 200_000])(
  'blocks of %i bytes are coded in turns as at once, and the primary ones are not copied',
  async (length) => {
    const codec = createCodec(3, 7);
    const blocks = upTo(3).map((n) => Uint8Array.from({ length }, (_, i) => (i * (n + 7)) >> n));
    const all = codec.encode(blocks, upTo(7));
    const made = await encodeInTurns(codec, blocks, [6, 1, 3], length);
    [6, 1, 3].forEach((shnum, i) => {
      expect(Buffer.compare(made[i] as Uint8Array, all[shnum] as Uint8Array)).toBe(0);
    });
    expect(made[1]).toBe(blocks[1]);
    const some = new Map([6, 1, 3].map((n) => [n, all[n] as Uint8Array]));
    const found = await decodeInTurns(codec, some, length);
    expect(Buffer.compare(Buffer.concat(found), Buffer.concat(blocks))).toBe(0);
    expect(found[1]).toBe(some.get(1));
  },
);
