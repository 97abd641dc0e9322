import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesToHex } from '../../src/bytes.ts';
import {
  type Format,
  formatCap,
  parseCap,
  readkeyOf,
  storageIndexOf,
  toReadCap,
  toVerifyCap,
  writeCapOf,
} from '../../src/caps.ts';
import { primitives as node } from '../../src/crypto/node.ts';
import { primitives as portable } from '../../src/crypto/portable.ts';

interface SskCase {
  readonly format: Format;
  readonly private_key_pkcs8_der_base64: string;
  readonly write_cap: string;
}

const vectorsOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));
const sskCases: readonly SskCase[] = vectorsOf('ssk-caps.json').cases;

test('there are 12 vectors of each format', () => {
  expect(sskCases.map(({ format }) => format).toSorted()).toEqual([
    ...Array<string>(12).fill('mdmf'),
    ...Array<string>(12).fill('sdmf'),
  ]);
});

describe.each(sskCases)('$write_cap', (vector) => {
  const pkcs8 = new Uint8Array(Buffer.from(vector.private_key_pkcs8_der_base64, 'base64'));
  const name = vector.format === 'sdmf' ? 'SSK' : 'MDMF';

  test.each([
    ['node', node],
    ['portable', portable],
  ])('is the cap of its key (%s)', async (_, primitives) => {
    const key = await primitives.importSigningKey(pkcs8);
    const cap = writeCapOf(key, vector.format);
    expect(formatCap(cap)).toBe(vector.write_cap);
    expect(formatCap(parseCap(vector.write_cap))).toBe(vector.write_cap);
  });

  test('diminishes, keeping its fingerprint and its storage index', () => {
    const cap = parseCap(vector.write_cap);
    const [, , , fingerprint] = vector.write_cap.split(':');
    const read = formatCap(toReadCap(cap));
    const verify = formatCap(toVerifyCap(cap));
    expect(read).toMatch(new RegExp(`^URI:${name}-RO:[a-z2-7]{26}:${fingerprint}$`));
    expect(verify).toMatch(new RegExp(`^URI:${name}-Verifier:[a-z2-7]{26}:${fingerprint}$`));
    expect(storageIndexOf(parseCap(verify))).toEqual(storageIndexOf(cap));
    expect(formatCap(toVerifyCap(parseCap(read)))).toBe(verify);
  });
});

test("the golden file's caps", async () => {
  const golden = vectorsOf('mutable-golden.json');
  const pkcs8 = new Uint8Array(Buffer.from(golden.privkey_pkcs8_der, 'hex'));
  const key = await node.importSigningKey(pkcs8);
  expect(formatCap(writeCapOf(key, 'sdmf'))).toBe(golden.uri_ssk);
  expect(formatCap(toReadCap(writeCapOf(key, 'mdmf')))).toBe(golden.uri_mdmf_ro);
});

/** Values computed with python3 hashlib by mutable-format.md sections 1.4 and 2. */
test('the cap of the pre-MDMF shares', () => {
  const cap = parseCap(vectorsOf('legacy-sdmf-v1.json').cap);
  expect(cap).toMatchObject({ kind: 'write', format: 'sdmf', directory: false });
  expect(bytesToHex(readkeyOf(cap))).toBe('659bfa1defccafed58d85cb6c0c2abe0');
  expect(bytesToHex(storageIndexOf(cap))).toBe('6de1ca9dff415b390b9815048c75779f');
  expect(formatCap(toReadCap(cap))).toBe(
    'URI:SSK-RO:mwn7uhppzsx62wgyls3mbqvl4a:5adm6fayxmu3e4lkmfvt6lkkfix34ai2wop2ioqr4bgvvhiol3kq',
  );
  expect(formatCap(toVerifyCap(cap))).toBe(
    'URI:SSK-Verifier:nxq4vhp7ifntsc4ycuciy5lxt4:5adm6fayxmu3e4lkmfvt6lkkfix34ai2wop2ioqr4bgvvhiol3kq',
  );
});
