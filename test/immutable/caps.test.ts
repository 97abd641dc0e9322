import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes } from '../../src/bytes.ts';
import { parseCap } from '../../src/caps.ts';
import { MalformedCapError, OutOfRangeError } from '../../src/errors.ts';
import {
  type ChkCap,
  type ChkVerifyCap,
  formatImmutableCap,
  immutableStorageIndexOf,
  type LitCap,
  litCapOf,
  parseImmutableCap,
  toImmutableVerifyCap,
} from '../../src/immutable/caps.ts';
import { chkVectors } from '../support/chk.ts';

const [vector] = chkVectors.cases;
const { cap, verify_cap, key, storage_index, ueb_hash } = vector!;

describe('an encoded file', () => {
  test.each(chkVectors.cases)('$cap has the parts that Tahoe gave it', (vector) => {
    const parsed = parseImmutableCap(vector.cap) as ChkCap;
    const { kind, directory, required, total, size } = parsed;
    expect({ kind, directory, required, total, size }).toEqual({
      ...{ kind: 'chk', directory: false },
      ...{ required: vector.k, total: vector.n, size: vector.size },
    });
    expect(bytesToHex(parsed.key)).toBe(vector.key);
    expect(bytesToHex(parsed.uebHash)).toBe(vector.ueb_hash);
    expect(bytesToHex(immutableStorageIndexOf(parsed))).toBe(vector.storage_index);
    expect(formatImmutableCap(parsed)).toBe(vector.cap);
    expect(formatImmutableCap(toImmutableVerifyCap(parsed))).toBe(vector.verify_cap);
  });

  test('a verify cap names the same file, and is its own verify cap', () => {
    const parsed = parseImmutableCap(verify_cap) as ChkVerifyCap;
    expect(parsed).toEqual({
      ...{ kind: 'chk-verify', directory: false, required: 3, total: 10, size: 56 },
      uebHash: hexToBytes(ueb_hash),
      storageIndex: hexToBytes(storage_index),
    });
    expect(immutableStorageIndexOf(parsed)).toEqual(hexToBytes(storage_index));
    expect(toImmutableVerifyCap(parsed)).toBe(parsed);
    expect(formatImmutableCap(parsed)).toBe(verify_cap);
  });

  test('a directory is the same file under another name', () => {
    const text = cap.replace('URI:', 'URI:DIR2-');
    const parsed = parseImmutableCap(text) as ChkCap;
    expect([parsed.kind, parsed.directory, bytesToHex(parsed.key)]).toEqual(['chk', true, key]);
    expect(formatImmutableCap(parsed)).toBe(text);
    const verify = formatImmutableCap(toImmutableVerifyCap(parsed));
    expect(verify).toBe(verify_cap.replace('URI:', 'URI:DIR2-'));
    expect(formatImmutableCap(parseImmutableCap(verify))).toBe(verify);
  });
});

describe('a literal', () => {
  test.each(chkVectors.lit)('$cap holds what Tahoe put there', ({ contents, cap }) => {
    const parsed = parseImmutableCap(cap) as LitCap;
    expect([parsed.kind, parsed.directory]).toEqual(['lit', false]);
    expect(bytesToHex(parsed.contents)).toBe(contents);
    expect(formatImmutableCap(parsed)).toBe(cap);
  });

  const short = chkVectors.lit.filter(({ contents }) => contents.length <= 110);
  test.each(short)('of $contents is made as Tahoe makes it', ({ contents, cap }) => {
    expect(formatImmutableCap(litCapOf(hexToBytes(contents)))).toBe(cap);
    const directory = formatImmutableCap(litCapOf(hexToBytes(contents), true));
    expect(directory).toBe(cap.replace('LIT', 'DIR2-LIT'));
    expect(parseImmutableCap(directory)).toMatchObject({ kind: 'lit', directory: true });
  });

  test('has 55 bytes at most when it is made; Tahoe reads longer ones, and so are they here', () => {
    expect(formatImmutableCap(litCapOf(new Uint8Array(55)))).toHaveLength(8 + 88);
    const long = new OutOfRangeError('bytes of a literal', 56, 'at most 55');
    expect(() => litCapOf(new Uint8Array(56))).toThrowError(long);
    const text = `URI:LIT:${'a'.repeat(160)}`;
    expect((parseImmutableCap(text) as LitCap).contents).toEqual(new Uint8Array(100));
  });

  test('does not change with the bytes that it was made of', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const made = litCapOf(bytes);
    bytes.fill(9);
    expect(made.contents).toEqual(Uint8Array.of(1, 2, 3));
  });
});

test.each([
  ['a newline at the end', `${cap}\n`, cap],
  ['ro. in front', `ro.${cap}`, cap],
  ['imm. in front', `imm.${cap}`, cap],
  ['imm. before a verify cap', `imm.${verify_cap}`, verify_cap],
  ['leading zeros', cap.replace(':3:10:56', ':03:010:00056'), cap],
  ['more fields behind a verify cap', `${verify_cap}:hint`, verify_cap],
])('%s is tolerated, and gone', (_, text, normal) => {
  expect(formatImmutableCap(parseImmutableCap(text))).toBe(normal);
});

const secret = cap.split(':')[2]!;
test.each([
  ['', 'prefix'],
  ['URI:CHK', 'key'],
  [cap.replace('URI', 'uri'), 'prefix'],
  [cap.replace('CHK', 'chk'), 'prefix'],
  [cap.replace('CHK', 'SSK'), 'prefix'],
  [cap.replace(secret, secret.slice(1)), 'key'],
  [cap.replace(secret, secret.toUpperCase()), 'key'],
  [cap.replace(secret, `${secret.slice(0, -1)}7`), 'key'],
  [cap.split(':').slice(0, 4).join(':'), 'k'],
  [cap.split(':').slice(0, 6).join(':'), 'size'],
  [cap.replace(':3:', ':0:'), 'k and N'],
  [cap.replace(':3:', ':11:'), 'k and N'],
  [cap.replace(':10:', ':257:'), 'k and N'],
  [cap.replace(':3:', ':x:'), 'k'],
  [cap.replace(':56', ':-1'), 'size'],
  [cap.replace(':56', ':9007199254740992'), 'size'],
  [cap.replace(':56', ':'), 'size'],
  [`${cap}\n\n`, 'size'],
  [`${cap}:more`, 'trailing data'],
  ['URI:LIT', 'contents'],
  ['URI:LIT:A', 'contents'],
  ['URI:LIT:ab', 'contents'],
  ['URI:LIT:aa:', 'trailing data'],
])('%j is refused by the name of the field, and not quoted', (text, field) => {
  let refusal: unknown;
  try {
    parseImmutableCap(text);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(MalformedCapError);
  expect((refusal as MalformedCapError).facts).toMatchObject({ field });
  expect(String(refusal)).not.toContain(secret.slice(0, 8));
});

test('what a cap holds shows nowhere', () => {
  const chk = parseImmutableCap(cap) as ChkCap;
  const lit = litCapOf(hexToBytes('deadbeef'));
  const all = { showHidden: true, getters: true, depth: 9 };
  for (const shown of [inspect(chk, all), JSON.stringify(chk), inspect({ ...chk }, all)]) {
    expect(shown).not.toMatch(/\bkey\b/);
  }
  for (const shown of [inspect(lit, all), JSON.stringify(lit), inspect({ ...lit }, all)]) {
    expect(shown).not.toMatch(/contents|222/);
  }
});

test('a mutable file has no such cap, and the other way round', () => {
  expect(() => parseCap(cap)).toThrowError(
    'this is an immutable cap, and what it leads to cannot change',
  );
});
