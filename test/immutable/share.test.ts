/** A share says nothing that is believed because it says so. */
import { describe, expect, test } from 'vitest';
import { concatBytes, utf8, viewOf } from '../../src/bytes.ts';
import { taggedHash, tagOf } from '../../src/crypto/hash.ts';
import { CorruptShareError, UnknownVersionError } from '../../src/errors.ts';
import { parseChkLayout } from '../../src/immutable/layout.ts';
import { ChkReader } from '../../src/immutable/reader.ts';
import { parseUeb } from '../../src/immutable/ueb.ts';
import { type ChkEncoding, chkContents, encodeChk } from '../support/chk.ts';

const contents = chkContents(1000);
const file = await encodeChk(contents, { segmentSizeMax: 300 });
const { cap } = file;
const share = file.shares[4]!;
const chainOrder = (_: number, nodes: readonly number[]) => [...nodes, ...nodes];
const twice = await encodeChk(contents, { segmentSizeMax: 300, chainOrder });

/** What a reader says of a share that is cut, or has other bytes in some place. */
const headerOf = (bytes: Uint8Array, ofCap = cap) => {
  const read = async ({ offset = 0, length = 0 }) => bytes.slice(offset, offset + length);
  return new ChkReader(ofCap, read).header();
};

const withU32 = (at: number, value: number) => {
  const changed = share.slice();
  viewOf(changed).setUint32(at, value);
  return changed;
};

describe('the layout', () => {
  test('of both versions is followed', async () => {
    const two = await encodeChk(contents, { segmentSizeMax: 300, layout: 2 });
    const lengths = (bytes: Uint8Array) =>
      Object.values(parseChkLayout(bytes, cap)).map(({ length }) => length);
    expect(lengths(share)).toEqual([334, 224, 224, 224, 170, 4]);
    expect(lengths(two.shares[0]!)).toEqual([334, 224, 224, 224, 170, 8]);
  });

  test.each<[string, Uint8Array, string, typeof cap?]>([
    ['no bytes', new Uint8Array(0), 'header'],
    ['35 bytes', share.slice(0, 35), 'header'],
    ['share data within the header', withU32(12, 35), 'offset of share data'],
    ['a field before the one in front', withU32(28, 36), 'offset of share hash chain'],
    ['too little share data', withU32(16, 369), 'share data'],
    ['a tree that is too long', withU32(24, 820), 'crypttext hash tree'],
    ['a URI extension beyond the end', withU32(32, 2000), 'URI extension'],
    ['a chain that is too long', twice.shares[4]!, 'share hash chain', twice.cap],
    ['a URI extension that is cut', share.slice(0, -1), 'URI extension'],
    ['a URI extension without a length', share.slice(0, 1214), 'URI extension'],
  ])('%s is corrupt', async (_, bytes, field, ofCap = cap) => {
    const refusal = await headerOf(bytes, ofCap).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CorruptShareError);
    expect((refusal as CorruptShareError).facts).toMatchObject({ field });
  });

  test('of another version is unknown', async () => {
    await expect(headerOf(withU32(0, 3))).rejects.toThrowError(new UnknownVersionError(3));
  });

  test('with numbers above 2^53 is corrupt', async () => {
    const { shares } = await encodeChk(contents, { segmentSizeMax: 300, layout: 2 });
    const bytes = shares[0]!.slice();
    bytes.fill(255, 28, 36);
    await expect(headerOf(bytes)).rejects.toThrowError('plaintext hash tree: above 2^53-1');
  });

  test('may have a gap before the share data: a reader goes by the offsets', async () => {
    const gap = new Uint8Array(5);
    const moved = concatBytes(share.subarray(0, 36), gap, share.subarray(36));
    for (let at = 12; at < 36; at += 4) {
      viewOf(moved).setUint32(at, viewOf(share).getUint32(at) + gap.length);
    }
    expect((await headerOf(moved)).segmentCount).toBe(4);
  });
});

describe('the URI extension', () => {
  test('is the one whose hash is in the cap', async () => {
    const other = { ...cap, uebHash: new Uint8Array(32) };
    const problem = 'corrupt share: URI extension: is not that of the cap';
    await expect(headerOf(share, other)).rejects.toThrowError(problem);
    const changed = share.slice();
    changed[changed.length - 2]! ^= 1;
    await expect(headerOf(changed)).rejects.toThrowError(problem);
  });

  test.each<[string, NonNullable<ChkEncoding['ueb']>, string]>([
    ['another k', { needed_shares: '4' }, 'needed_shares is 4, not 3'],
    ['another N', { total_shares: '11' }, 'total_shares is 11, not 10'],
    ['another size', { size: '1001' }, 'size is 1001, not 1000'],
    ['no size', { size: undefined }, 'size is missing'],
    ['a size that is no number', { size: '1e3' }, 'size is no whole number up to 2^53-1'],
    ['a size with zeros in front', { size: '01000' }, 'size is no whole number up to 2^53-1'],
    ['segments of no bytes', { segment_size: '0' }, 'segment_size 0 is no multiple of 3'],
    ['segments of no k blocks', { segment_size: '301' }, 'segment_size 301 is no multiple of 3'],
    ['another number of segments', { num_segments: '5' }, 'num_segments is 5, not 4'],
    ['a short root', { share_root_hash: new Uint8Array(31) }, 'share_root_hash has 31 bytes'],
    ['no root', { crypttext_root_hash: undefined }, 'crypttext_root_hash is missing'],
    ['another codec', { codec_name: 'xor' }, 'codec_name does not fit'],
    ['other parameters', { codec_params: '300-4-10' }, 'codec_params does not fit'],
    ['another tail', { tail_codec_params: '300-3-10' }, 'tail_codec_params does not fit'],
  ])('that says %s is corrupt', async (_, ueb, problem) => {
    const { cap, shares } = await encodeChk(contents, { segmentSizeMax: 300, ueb });
    await expect(headerOf(shares[0]!, cap)).rejects.toThrowError(
      new CorruptShareError('URI extension', problem),
    );
  });

  test('of an old file has more fields, and may have fewer that say nothing new', async () => {
    const ueb = {
      plaintext_hash: new Uint8Array(32),
      plaintext_root_hash: new Uint8Array(32),
      codec_name: undefined,
      codec_params: undefined,
      tail_codec_params: undefined,
      crypttext_hash: undefined,
    };
    const old = await encodeChk(contents, { segmentSizeMax: 300, ueb });
    expect((await headerOf(old.shares[9]!, old.cap)).segmentSize).toBe(300);
  });

  test('of more than 4096 bytes is not looked at', async () => {
    const ueb = { zzz: new Uint8Array(4000) };
    const { cap, shares } = await encodeChk(contents, { ueb });
    await expect(headerOf(shares[0]!, cap)).rejects.toThrowError('URI extension: 4096 of 43');
  });

  test.each([
    'size',
    'size:',
    'size:4',
    'size:4:1000',
    'size:4:1000;',
    'size:04:1000,',
    'size:4:1000,size:4:1000,',
    'Size:4:1000,',
    ':4:1000,',
    'size:9999999999:1000,',
    'size:5:1000,',
  ])('%j is no list of fields', (text) => {
    const bytes = utf8(text);
    const uebHash = taggedHash(tagOf('allmydata_uri_extension_v1'), bytes);
    const refusal = /URI extension: (is no list of fields|has two of size)$/;
    expect(() => parseUeb(bytes, { ...cap, uebHash })).toThrowError(refusal);
  });
});
