import { decode, encode, Tagged } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes, utf8 } from '../../src/bytes.ts';
import { OutOfRangeError } from '../../src/errors.ts';
import type { HttpBody } from '../../src/storage/http-call.ts';
import {
  answerMax,
  BadAnswerError,
  decodeReadTestWrite,
  decodeShareNumbers,
  decodeVersion,
  encodeAdvice,
  encodeReadTestWrite,
  readTestWriteAnswerMax,
} from '../../src/storage/http-wire.ts';
import type { ReadTestWriteRequest } from '../../src/storage/server.ts';
import { ABSENT, holds, part, randomSecrets, write } from '../support/test-slot.ts';

async function bytesOf(body: HttpBody): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body.pieces()) pieces.push(piece);
  const bytes = concatBytes(...pieces);
  expect(bytes.length).toBe(body.length);
  return bytes;
}

function request(details: Partial<ReadTestWriteRequest> = {}): ReadTestWriteRequest {
  return { secrets: randomSecrets(), shares: new Map(), reads: [], ...details };
}

describe('a read-test-write', () => {
  test('is written as the protocol has it, byte by byte', async () => {
    const shares = new Map([[5, write({ tests: [ABSENT], parts: [part(300, 'abc')] })]]);
    const body = encodeReadTestWrite(request({ shares, reads: [{ offset: 0, length: 57 }] }));
    const text = (word: string) => bytesToHex(utf8(word));
    expect(bytesToHex(await bytesOf(body))).toBe(
      [
        `a2 72${text('test-write-vectors')} a1 05 a3`,
        `64${text('test')} 81 a3 64${text('size')}01 66${text('offset')}00 68${text('specimen')}40`,
        `65${text('write')} 81 a2 66${text('offset')}19012c 64${text('data')}43${text('abc')}`,
        `6a${text('new-length')} f6`,
        `6b${text('read-vector')} 81 a2 64${text('size')}1839 66${text('offset')}00`,
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  test('has integers for offsets and lengths of any size', async () => {
    const far = { offset: 2 ** 52, length: 2 ** 40, bytes: async () => utf8('') };
    const shares = new Map([[70_000, write({ parts: [far], newLength: 2 ** 53 - 1 })]]);
    const body = encodeReadTestWrite(request({ shares }));
    const pieces = body.pieces()[Symbol.asyncIterator]();
    // The part breaks its promise, so only what is before it can be had.
    await expect(pieces.next()).rejects.toThrowError(OutOfRangeError);
    expect(body.length).toBeGreaterThan(2 ** 40);
    const near = new Map([
      [70_000, write({ parts: [part(2 ** 52, 'x')], newLength: 2 ** 53 - 1 })],
    ]);
    const bytes = bytesToHex(await bytesOf(encodeReadTestWrite(request({ shares: near }))));
    expect(bytes).toContain('1a00011170');
    expect(bytes).toContain(`${bytesToHex(utf8('offset'))}1b0010000000000000`);
    expect(bytes).toContain(`${bytesToHex(utf8('new-length'))}1b001fffffffffffff`);
  });

  test('has each number in as few bytes as hold it, as the library for CBOR has', async () => {
    const numbers = [8, 16, 32, 53].flatMap((bits) => [2 ** bits - 1, 2 ** bits]).slice(0, -1);
    const asked = [0, 23, 24, ...numbers].map((n) => ({ offset: n, length: n }));
    const body = await bytesOf(encodeReadTestWrite(request({ reads: asked })));
    const reads = asked.map(({ offset, length }) => ({ size: length, offset }));
    const wanted = encode(reads);
    expect(bytesToHex(body.subarray(-wanted.length))).toBe(bytesToHex(wanted));
  });

  test('is what was asked for, to another reader of CBOR', async () => {
    const shares = new Map([
      [0, write({ tests: [holds(3, 'old')], parts: [part(0, 'new'), part(9, '')], newLength: 7 })],
      [11, write({ newLength: 0 })],
    ]);
    const body = await bytesOf(encodeReadTestWrite(request({ shares })));
    expect(decode(body, { useMaps: true })).toEqual(
      new Map<string, unknown>([
        [
          'test-write-vectors',
          new Map([
            [
              0,
              fields({
                test: [fields({ offset: 3, size: 3, specimen: utf8('old') })],
                write: [
                  fields({ offset: 0, data: utf8('new') }),
                  fields({ offset: 9, data: utf8('') }),
                ],
                'new-length': 7,
              }),
            ],
            [11, fields({ test: [], write: [], 'new-length': 0 })],
          ]),
        ],
        ['read-vector', []],
      ]),
    );
  });

  test('asks for a part when the one before was taken, and again when sent again', async () => {
    const asked: string[] = [];
    const lazy = (offset: number, text: string) => ({
      ...part(offset, text),
      bytes: async () => {
        asked.push(text);
        return utf8(text);
      },
    });
    const shares = new Map([[0, write({ parts: [lazy(0, 'abc'), lazy(3, 'def')] })]]);
    const body = encodeReadTestWrite(request({ shares }));
    const taken: string[][] = [];
    for await (const _ of body.pieces()) taken.push([...asked]);
    const [first, both] = [['abc'], ['abc', 'def']];
    expect(taken).toEqual([first, first, both, both, both]);
    await bytesOf(body);
    expect(asked).toEqual(['abc', 'def', 'abc', 'def']);
  });
});

function fields(object: object): Map<string, unknown> {
  return new Map(Object.entries(object));
}

describe('the advice of a corrupt share', () => {
  const reasonOf = async (reason: string) =>
    (decode(await bytesOf(encodeAdvice(reason))) as { reason: string }).reason;

  test('says why', async () => {
    expect(await reasonOf('block 3: bad hash — twice')).toBe('block 3: bad hash — twice');
  });

  test('says something even for no reason, which the protocol does not have', async () => {
    expect(await reasonOf('')).toBe('unspecified');
  });

  test('is cut, between characters, to what a server takes', async () => {
    const body = await bytesOf(encodeAdvice('é'.repeat(40_000)));
    expect(body.length).toBeLessThanOrEqual(32_768);
    expect(body.length).toBeGreaterThan(32_000);
    expect(await reasonOf('é'.repeat(40_000))).toMatch(/^é+$/);
  });
});

describe('an answer', () => {
  const reads = [
    { offset: 0, length: 3 },
    { offset: 9, length: 2 },
  ];
  const asked = request({ reads });
  const set = (...shnums: unknown[]) => encode(new Tagged(258, shnums));
  const data = (...entries: [unknown, unknown][]) =>
    fields({ success: true, data: new Map(entries) });

  test('lists shares in ascending order, each once', () => {
    expect(decodeShareNumbers(set(10, 9, 70_000, 0))).toEqual([0, 9, 10, 70_000]);
    expect(decodeShareNumbers(set())).toEqual([]);
    expect(decodeShareNumbers(set(1, 1))).toEqual([1]);
    // As a Haskell server might: of indefinite length.
    expect(decodeShareNumbers(hexToBytes('d901029f0305ff'))).toEqual([3, 5]);
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['a list that is no set', encode([1, 2])],
    ['a set of texts', set('1')],
    ['a set of fractions', set(1.5)],
    ['a set of negative numbers', set(-1)],
    ['a set of bytes', set(utf8('1'))],
    ['a number beyond all numbers', set(2n ** 60n)],
    ['a set of a text', encode(new Tagged(258, 'abc'))],
    ['a set of nothing iterable', encode(new Tagged(258, 5))],
    ['more than one item', concatBytes(set(1), set(2))],
    ['half an item', set(1, 2, 3).slice(0, -1)],
    ['an array that claims 2^60 entries', hexToBytes('d901029b1000000000000000')],
    ['an unknown tag', encode(new Tagged(30, [1]))],
    ['nesting without end', new Uint8Array(60_000).fill(0x81)],
    ['HTML', utf8('<html>no</html>')],
  ])('that is %s is no list of shares', (_, body) => {
    expect(() => decodeShareNumbers(body)).toThrowError(BadAnswerError);
  });

  test('tells what was written and read', () => {
    const body = encode(data([7, [utf8('abc'), utf8('')]], [0, [utf8('a'), utf8('zz')]]));
    const answer = decodeReadTestWrite(body, asked);
    expect(answer.wrote).toBe(true);
    expect([...answer.reads]).toEqual([
      [0, [utf8('a'), utf8('zz')]],
      [7, [utf8('abc'), utf8('')]],
    ]);
    expect(decodeReadTestWrite(encode(fields({ success: false, data: new Map() })), asked)).toEqual(
      {
        wrote: false,
        reads: new Map(),
      },
    );
  });

  test.each([
    ['a list', []],
    ['without success', fields({ data: new Map() })],
    ['with another kind of success', fields({ success: 1, data: new Map() })],
    ['without data', fields({ success: true })],
    ['of too few reads', data([0, [utf8('abc')]])],
    ['of too many reads', data([0, [utf8(''), utf8(''), utf8('')]])],
    ['of more than was asked for', data([0, [utf8('abcd'), utf8('')]])],
    ['of texts', data([0, ['abc', '']])],
    ['of a share called by text', data(['0', [utf8(''), utf8('')]])],
  ])('%s does not tell it', (_, answer) => {
    expect(() => decodeReadTestWrite(encode(answer), asked)).toThrowError(BadAnswerError);
  });

  test('tells the version with sizes beyond 2^53, also beyond 2^64', () => {
    const body = versionWith(
      hexToBytes('1b00f582a5d8ee9000'),
      hexToBytes('c249010000000000000000'),
    );
    expect(decodeVersion(body)).toEqual({
      application: 'test/1.0',
      maximumMutableShareSize: 0xf582a5d8ee9000n,
      availableSpace: 2n ** 64n,
    });
  });

  test.each([
    ['a text for a size', '6131'],
    ['a fraction for a size', 'f93e00'],
    ['a bignum that takes for ever', `c25a00010000${'ff'.repeat(65_536)}`],
  ])('with %s is no version', (_, size) => {
    expect(() => decodeVersion(versionWith(hexToBytes('01'), hexToBytes(size)))).toThrowError(
      BadAnswerError,
    );
  });

  test('of any other bytes is refused and never quoted', () => {
    const decoders = [
      decodeShareNumbers,
      decodeVersion,
      (body: Uint8Array) => decodeReadTestWrite(body, asked),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...decoders), (body, read) => {
        try {
          read(body);
        } catch (problem) {
          expect(problem).toBeInstanceOf(BadAnswerError);
          expect((problem as Error).cause).toBe(undefined);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('is bounded by what was asked for, and by what Tahoe’s client takes', () => {
    expect(readTestWriteAnswerMax(request())).toBeLessThan(100_000);
    expect(readTestWriteAnswerMax(asked)).toBeGreaterThan(256 * 5);
    const everything = request({ reads: [{ offset: 0, length: 2 ** 53 - 1 }] });
    expect(readTestWriteAnswerMax(everything)).toBe(answerMax);
  });
});

/** A /version whose two sizes are these encoded items; its keys are byte strings. */
function versionWith(mutableSize: Uint8Array, space: Uint8Array): Uint8Array {
  const key = (text: string) => encode(utf8(text));
  return concatBytes(
    Uint8Array.of(0xa2),
    key('http://allmydata.org/tahoe/protocols/storage/v1'),
    Uint8Array.of(0xa2),
    key('maximum-mutable-share-size'),
    mutableSize,
    key('available-space'),
    space,
    key('application-version'),
    key('test/1.0'),
  );
}
