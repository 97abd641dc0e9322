import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes, u64, viewOf } from '../../src/bytes.ts';
import {
  CorruptShareError,
  type TahoeMutableError,
  UnknownVersionError,
} from '../../src/errors.ts';
import { checkstringOf, packHeader, parseShareHeader } from '../../src/share/header.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import { type GoldenCase, golden, readerOf } from '../support/shares.ts';

const caseOf = (format: string, size: number) =>
  golden.cases.find((c) => c.format === format && c.size === size && c.total === 10) as GoldenCase;
const shareOf = (c: GoldenCase) => hexToBytes(c.share0 as string);
const sdmf = caseOf('sdmf', 26);
const mdmf = caseOf('mdmf', 5);
const range = (offset: number, length: number) => ({ offset, length });

describe('the headers of Tahoe', () => {
  test('SDMF', () => {
    const share = shareOf(sdmf);
    const header = parseShareHeader(share);
    expect(header).toEqual({
      format: 'sdmf',
      seqnum: 1,
      rootHash: hexToBytes(sdmf.rootHash),
      salt: sdmf.salts[0],
      required: 3,
      total: 10,
      segmentSize: 27,
      segmentCount: 1,
      dataLength: 26,
      prefix: hexToBytes(sdmf.prefix),
      layout: {
        verificationKey: range(107, 294),
        signature: range(401, 256),
        shareHashChain: range(657, 136),
        blockHashTree: range(793, 32),
        shareData: range(825, 9),
        encryptedPrivateKey: range(834, 1217),
        end: 2051,
      },
    });
    expect(checkstringOf(header)).toEqual(share.subarray(0, 57));
    expect(packHeader(header, header.layout)).toEqual(share.subarray(0, 107));
  });

  test('MDMF, with a gap in front of the share data', () => {
    const share = shareOf(mdmf);
    const header = parseShareHeader(share);
    expect(header).toEqual({
      format: 'mdmf',
      seqnum: 1,
      rootHash: hexToBytes(mdmf.rootHash),
      salt: undefined,
      required: 3,
      total: 10,
      segmentSize: 131073,
      segmentCount: 1,
      dataLength: 5,
      prefix: hexToBytes(mdmf.prefix),
      layout: {
        encryptedPrivateKey: range(123, 1217),
        shareHashChain: range(1340, 136),
        signature: range(1476, 256),
        verificationKey: range(1732, 294),
        shareData: range(2167, 18),
        blockHashTree: range(2185, 32),
        end: 2217,
      },
    });
    expect(checkstringOf(header)).toEqual(share.subarray(0, 41));
    expect(packHeader(header, header.layout)).toEqual(share.subarray(0, 123));
  });

  test('are parsed from any longer bytes, and do not hold on to them', () => {
    const share = shareOf(sdmf);
    const header = parseShareHeader(share);
    expect(parseShareHeader(share.slice(0, 107))).toEqual(header);
    share.fill(0);
    expect(bytesToHex(header.prefix)).toBe(sdmf.prefix);
    expect(bytesToHex(header.rootHash)).toBe(sdmf.rootHash);
  });
});

/** What a reader that trusts nothing says of the share. */
async function judge(share: Uint8Array): Promise<string> {
  const { reader } = readerOf(share);
  try {
    const header = await reader.header();
    const key = await reader.verificationKey();
    await new FileSignatures(golden.fingerprint).verify(header, key, await reader.signature());
    return 'accepted';
  } catch (error) {
    return (error as TahoeMutableError).message.replace('corrupt share: ', '');
  }
}

const badSignature = 'signature: it does not sign this header';
const badKey = 'verification key: it is not the key of the cap';

/** Field, its place, and what comes of flipping its last bit and its first. */
type FlipRow = readonly [string, number, number, string, string];

describe.each<[string, GoldenCase, readonly FlipRow[]]>([
  [
    'SDMF',
    sdmf,
    [
      ['version', 0, 1, 'segment size: above 2^53-1', 'unknown share version 128'],
      ['seqnum', 1, 8, badSignature, 'seqnum: above 2^53-1'],
      ['root hash', 9, 32, badSignature, badSignature],
      ['IV', 41, 16, badSignature, badSignature],
      [
        'k',
        57,
        1,
        'segment size: 27 for one segment of 26 bytes in 2 blocks',
        'required shares: 131 of 10',
      ],
      ['N', 58, 1, badSignature, 'share hash chain: 136 bytes, not 272'],
      [
        'segment size',
        59,
        8,
        'segment size: 26 for one segment of 26 bytes in 3 blocks',
        'segment size: above 2^53-1',
      ],
      ['data length', 67, 8, badSignature, 'data length: above 2^53-1'],
      [
        'offset of signature',
        75,
        4,
        badKey,
        'offset of share hash chain: 657 is before 2147484049',
      ],
      [
        'offset of chain',
        79,
        4,
        'share hash chain: 137 bytes, not 136',
        'offset of block hash tree: 793 is before 2147484305',
      ],
      [
        'offset of tree',
        83,
        4,
        'share hash chain: 135 bytes, not 136',
        'offset of share data: 825 is before 2147484441',
      ],
      [
        'offset of data',
        87,
        4,
        'block hash tree: 31 bytes, not 32',
        'offset of encrypted private key: 834 is before 2147484473',
      ],
      [
        'offset of private key',
        91,
        8,
        'share data: 10 bytes, not 9',
        'offset of encrypted private key: above 2^53-1',
      ],
      ['end', 99, 8, 'accepted', 'end of share: above 2^53-1'],
      ['verification key', 107, 294, badKey, badKey],
      ['signature', 401, 256, badSignature, badSignature],
    ],
  ],
  [
    'MDMF',
    mdmf,
    [
      ['version', 0, 1, 'required shares: 0 of 5', 'unknown share version 129'],
      ['seqnum', 1, 8, badSignature, 'seqnum: above 2^53-1'],
      ['root hash', 9, 32, badSignature, badSignature],
      ['k', 41, 1, 'segment size: 131073 is not a multiple of 2', 'required shares: 131 of 10'],
      ['N', 42, 1, badSignature, 'share hash chain: 136 bytes, not 272'],
      [
        'segment size',
        43,
        8,
        'segment size: 131072 is not a multiple of 3',
        'segment size: above 2^53-1',
      ],
      ['data length', 51, 8, badSignature, 'data length: above 2^53-1'],
      [
        'offset of private key',
        59,
        8,
        'offset of encrypted private key: 122 is before 123',
        'offset of encrypted private key: above 2^53-1',
      ],
      [
        'offset of chain',
        67,
        8,
        'share hash chain: 135 bytes, not 136',
        'offset of share hash chain: above 2^53-1',
      ],
      [
        'offset of signature',
        75,
        8,
        'share hash chain: 137 bytes, not 136',
        'offset of signature: above 2^53-1',
      ],
      ['offset of verification key', 83, 8, badKey, 'offset of verification key: above 2^53-1'],
      ['end of verification key', 91, 8, badKey, 'end of verification key: above 2^53-1'],
      [
        'offset of data',
        99,
        8,
        'share data: 19 bytes, not 18',
        'offset of share data: above 2^53-1',
      ],
      [
        'offset of tree',
        107,
        8,
        'share data: 17 bytes, not 18',
        'offset of block hash tree: above 2^53-1',
      ],
      ['end', 115, 8, 'block hash tree: 31 bytes, not 32', 'end of share: above 2^53-1'],
      ['signature', 1476, 256, badSignature, badSignature],
      ['verification key', 1732, 294, badKey, badKey],
    ],
  ],
])('a flipped bit in a share of %s', (_, c, fields) => {
  test('the share as it is', async () => {
    expect(await judge(shareOf(c))).toBe('accepted');
  });

  test.each(fields)('%s', async (_, offset, length, ofLowestBit, ofHighestBit) => {
    const flipped = (at: number, bit: number) => {
      const share = shareOf(c);
      share[at] = (share[at] as number) ^ bit;
      return share;
    };
    expect(await judge(flipped(offset + length - 1, 0x01))).toBe(ofLowestBit);
    expect(await judge(flipped(offset, 0x80))).toBe(ofHighestBit);
  });
});

describe('impossible headers', () => {
  /** The share with some bytes replaced. */
  const patched = (c: GoldenCase, ...patches: [offset: number, bytes: Uint8Array][]) => {
    const share = shareOf(c);
    for (const [offset, bytes] of patches) share.set(bytes, offset);
    return share;
  };
  const u32 = (value: number) => u64(value).subarray(4);
  const corrupt = (field: string, problem: string) => new CorruptShareError(field, problem);

  test.each([
    ['nothing', new Uint8Array(0), corrupt('header', 'no bytes')],
    ['one byte', shareOf(sdmf).slice(0, 1), corrupt('header', '1 of 107 bytes')],
    ['a byte short, SDMF', shareOf(sdmf).slice(0, 106), corrupt('header', '106 of 107 bytes')],
    ['a byte short, MDMF', shareOf(mdmf).slice(0, 122), corrupt('header', '122 of 123 bytes')],
    ['another version', Uint8Array.of(2), new UnknownVersionError(2)],
    ['k = 0', patched(sdmf, [57, Uint8Array.of(0)]), corrupt('required shares', '0 of 10')],
    ['k > N', patched(mdmf, [41, Uint8Array.of(11)]), corrupt('required shares', '11 of 10')],
    ['N = 0', patched(mdmf, [41, Uint8Array.of(0, 0)]), corrupt('total shares', 'none')],
    [
      'MDMF without a segment size',
      patched(mdmf, [43, u64(0)]),
      corrupt('segment size', '0 is not a multiple of 3'),
    ],
    [
      'SDMF of two segments',
      patched(sdmf, [67, u64(28)]),
      corrupt('segment size', '27 for one segment of 28 bytes in 3 blocks'),
    ],
    [
      'SDMF in a segment too large',
      patched(sdmf, [59, u64(30)]),
      corrupt('segment size', '30 for one segment of 26 bytes in 3 blocks'),
    ],
    [
      'a first offset inside the header',
      patched(mdmf, [59, u64(0)]),
      corrupt('offset of encrypted private key', '0 is before 123'),
    ],
    [
      'the signature inside the header',
      patched(sdmf, [75, u32(106)]),
      corrupt('offset of signature', '106 is before 107'),
    ],
    [
      'a verification key of 4097 bytes',
      patched(
        sdmf,
        [75, u32(107 + 4097)],
        [79, u32(9000)],
        [83, u32(9136)],
        [87, u32(9168)],
        [91, u64(9177)],
        [99, u64(9177)],
      ),
      corrupt('verification key', '4097 bytes, more than 4096'),
    ],
    [
      'a signature of 1025 bytes',
      patched(
        sdmf,
        [75, u32(107)],
        [79, u32(107 + 1025)],
        [83, u32(1268)],
        [87, u32(1300)],
        [91, u64(1309)],
        [99, u64(1309)],
      ),
      corrupt('signature', '1025 bytes, more than 1024'),
    ],
    [
      'a private key of 16385 bytes',
      patched(sdmf, [99, u64(834 + 16385)]),
      corrupt('encrypted private key', '16385 bytes, more than 16384'),
    ],
    [
      'a tree for more segments than there are',
      patched(mdmf, [115, u64(2185 + 96)]),
      corrupt('block hash tree', '96 bytes, not 32'),
    ],
    [
      'data for fewer segments than there are',
      patched(mdmf, [51, u64(131074)]),
      corrupt('share data', '18 bytes, not 43724'),
    ],
    [
      'a length beyond any share',
      patched(mdmf, [51, u64(Number.MAX_SAFE_INTEGER)]),
      corrupt('share data', '18 bytes, not 3003499254819563'),
    ],
  ])('%s', (_, bytes, error) => {
    expect(() => parseShareHeader(bytes)).toThrowError(error);
  });

  test('fields may move and shrink: only their order, and the lengths that are known, count', () => {
    const share = patched(mdmf, [99, u64(5000)], [107, u64(5018)], [115, u64(5050)]);
    viewOf(share).setBigUint64(59, 200n);
    expect(parseShareHeader(share).layout).toEqual({
      encryptedPrivateKey: range(200, 1140),
      shareHashChain: range(1340, 136),
      signature: range(1476, 256),
      verificationKey: range(1732, 294),
      shareData: range(5000, 18),
      blockHashTree: range(5018, 32),
      end: 5050,
    });
  });

  test('any bytes give a header that packs to the same bytes, or a typed error', () => {
    const mutation = fc.record({
      base: fc.constantFrom(sdmf, mdmf),
      patches: fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: 115 }),
          fc.oneof(
            fc.uint8Array({ minLength: 1, maxLength: 8 }),
            fc.maxSafeNat().map(u64),
            fc.nat({ max: 3000 }).map(u64),
          ),
        ),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(mutation, ({ base, patches }) => {
        const share = patched(base, ...patches);
        let header: ReturnType<typeof parseShareHeader>;
        try {
          header = parseShareHeader(share);
        } catch (error) {
          expect(error instanceof CorruptShareError || error instanceof UnknownVersionError).toBe(
            true,
          );
          return;
        }
        const packed = packHeader(header, header.layout);
        expect(bytesToHex(packed)).toBe(bytesToHex(share.subarray(0, packed.length)));
      }),
      { numRuns: 5000 },
    );
  });
});
