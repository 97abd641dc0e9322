import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesToHex, hexToBytes, toBase32, utf8 } from '../../src/bytes.ts';
import {
  type Cap,
  formatCap,
  parseCap,
  readkeyOf,
  storageIndexOf,
  toReadCap,
  toVerifyCap,
  type WriteCap,
  writeCapOf,
} from '../../src/caps.ts';
import { InsufficientCapError, MalformedCapError } from '../../src/errors.ts';

/** One file, derived with Python's hashlib as docs/format.md §1.2 says. */
const WRITEKEY = '000102030405060708090a0b0c0d0e0f';
const READKEY = 'cadaf6f34ba7ee41b9b4bf76a8f34793';
const STORAGE_INDEX = '05d82de538db1406e16fc5ff4d6690a3';
const FINGERPRINT = '0bb342de252db86d27ab280e293a0ac5d64305b7cae8e65427583e6ff3b5d9f0';

const base32 = (hex: string) => toBase32(hexToBytes(hex));
const writeText = base32(WRITEKEY);
const readText = base32(READKEY);
const verifyText = 'axmc3zjy3mkanylpyx7u2zuqum';
const fingerprintText = base32(FINGERPRINT);

/** docs/format.md §1.1, row by row; `keyField` is the name in errors. */
const ROWS = [
  ['URI:SSK:', 'sdmf', false, 'write'],
  ['URI:SSK-RO:', 'sdmf', false, 'read'],
  ['URI:SSK-Verifier:', 'sdmf', false, 'verify'],
  ['URI:MDMF:', 'mdmf', false, 'write'],
  ['URI:MDMF-RO:', 'mdmf', false, 'read'],
  ['URI:MDMF-Verifier:', 'mdmf', false, 'verify'],
  ['URI:DIR2:', 'sdmf', true, 'write'],
  ['URI:DIR2-RO:', 'sdmf', true, 'read'],
  ['URI:DIR2-Verifier:', 'sdmf', true, 'verify'],
  ['URI:DIR2-MDMF:', 'mdmf', true, 'write'],
  ['URI:DIR2-MDMF-RO:', 'mdmf', true, 'read'],
  ['URI:DIR2-MDMF-Verifier:', 'mdmf', true, 'verify'],
] as const;

const KEY = {
  write: { hex: WRITEKEY, text: writeText, field: 'writekey' },
  read: { hex: READKEY, text: readText, field: 'readkey' },
  verify: { hex: STORAGE_INDEX, text: verifyText, field: 'storage index' },
} as const;

const forms = ROWS.map(([prefix, format, directory, kind]) => {
  const { hex, text: keyText, field: keyField } = KEY[kind];
  const text = `${prefix}${keyText}:${fingerprintText}`;
  return { prefix, format, directory, kind, keyHex: hex, keyText, keyField, text };
});
const textOf = (format: string, directory: boolean, kind: string) =>
  forms.find((f) => f.format === format && f.directory === directory && f.kind === kind)!.text;

/** Everything a cap holds, the hidden key too. */
const contentsOf = (cap: Cap) => ({
  kind: cap.kind,
  format: cap.format,
  directory: cap.directory,
  fingerprint: bytesToHex(cap.fingerprint),
  key: bytesToHex(
    cap.kind === 'write' ? cap.writekey : cap.kind === 'read' ? cap.readkey : cap.storageIndex,
  ),
});
const errorOf = (text: string): MalformedCapError => {
  try {
    parseCap(text);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedCapError);
    return error as MalformedCapError;
  }
  throw new Error('it parsed');
};

describe.each(forms)('$prefix', (form) => {
  const { prefix, format, directory, kind, keyHex, keyText, keyField, text } = form;
  const cap = parseCap(text);

  test('parses, and formats back to itself', () => {
    expect(contentsOf(cap)).toEqual({
      kind,
      format,
      directory,
      fingerprint: FINGERPRINT,
      key: keyHex,
    });
    expect(formatCap(cap)).toBe(text);
  });

  test('diminishes', () => {
    expect(bytesToHex(storageIndexOf(cap))).toBe(STORAGE_INDEX);
    expect(formatCap(toVerifyCap(cap))).toBe(textOf(format, directory, 'verify'));
    if (cap.kind === 'verify') {
      const refused = new InsufficientCapError('reading', 'read', 'verify');
      expect(() => readkeyOf(cap)).toThrowError(refused);
      expect(() => toReadCap(cap)).toThrowError(refused);
      expect(toVerifyCap(cap)).toBe(cap);
    } else {
      expect(bytesToHex(readkeyOf(cap))).toBe(READKEY);
      expect(formatCap(toReadCap(cap))).toBe(textOf(format, directory, 'read'));
      expect(contentsOf(toReadCap(toReadCap(cap)))).toEqual(contentsOf(toReadCap(cap)));
      expect(formatCap(toVerifyCap(toReadCap(cap)))).toBe(textOf(format, directory, 'verify'));
    }
  });

  test('does not print its key, unless that is the storage index', () => {
    const shown = ['kind', 'format', 'directory', 'fingerprint'];
    if (kind === 'verify') shown.push('storageIndex');
    expect(Object.keys({ ...cap }).toSorted()).toEqual(shown.toSorted());
    expect(Object.keys(JSON.parse(JSON.stringify(cap))).toSorted()).toEqual(shown.toSorted());
    expect(inspect(cap)).not.toMatch(/writekey|readkey/);
  });

  test('takes one trailing newline, and no more', () => {
    expect(formatCap(parseCap(`${text}\n`))).toBe(text);
    const tooLong = (n: number) => `has ${n} characters, not 52`;
    expect(errorOf(`${text}\n\n`)).toEqual(new MalformedCapError('fingerprint', tooLong(53)));
    expect(errorOf(`${text}\r\n`)).toEqual(new MalformedCapError('fingerprint', tooLong(53)));
    expect(errorOf(`${text} `)).toEqual(new MalformedCapError('fingerprint', tooLong(53)));
    expect(errorOf(` ${text}`).facts.field).toBe('prefix');
    expect(errorOf(`\n${text}`).facts.field).toBe('prefix');
  });

  test('an assertion in front of it is dropped if true, an error if not', () => {
    const readOnly = `ro.${text}`;
    if (kind === 'write') {
      expect(errorOf(readOnly)).toEqual(new MalformedCapError('prefix', '"ro." on a write cap'));
    } else {
      expect(formatCap(parseCap(readOnly))).toBe(text);
    }
    const immutable = `imm.${text}`;
    if (kind === 'verify') {
      expect(formatCap(parseCap(immutable))).toBe(text);
    } else {
      expect(errorOf(immutable)).toEqual(
        new MalformedCapError('prefix', `"imm." on a mutable ${kind} cap`),
      );
    }
    for (const twice of ['ro.ro.', 'ro.imm.', 'imm.ro.', 'RO.', 'ro']) {
      expect(errorOf(`${twice}${text}`)).toEqual(
        new MalformedCapError('prefix', 'does not begin with "URI:"'),
      );
    }
  });

  const badKey: [string, string, string][] = [
    ['missing', '', 'has 0 characters, not 26'],
    ['too short', keyText.slice(1), 'has 25 characters, not 26'],
    ['too long', `a${keyText}`, 'has 27 characters, not 26'],
    ['in upper case', keyText.toUpperCase(), 'has a character other than a-z and 2-7'],
    ['padded', `${keyText.slice(1)}=`, 'has a character other than a-z and 2-7'],
    ['with a 1', `1${keyText.slice(1)}`, 'has a character other than a-z and 2-7'],
    ['with a space', ` ${keyText.slice(1)}`, 'has a character other than a-z and 2-7'],
    ['with spare bits', `${keyText.slice(0, -1)}b`, 'its last character is impossible'],
  ];
  test.each(badKey)('a first field %s', (_, bad, problem) => {
    expect(errorOf(`${prefix}${bad}:${fingerprintText}`)).toEqual(
      new MalformedCapError(keyField, problem),
    );
  });

  const badFingerprint: [string, string, string][] = [
    ['empty', '', 'has 0 characters, not 52'],
    ['too short', fingerprintText.slice(1), 'has 51 characters, not 52'],
    ['too long', `a${fingerprintText}`, 'has 53 characters, not 52'],
    ['in upper case', fingerprintText.toUpperCase(), 'has a character other than a-z and 2-7'],
    ['with an 8', `8${fingerprintText.slice(1)}`, 'has a character other than a-z and 2-7'],
    ['not ASCII', `ä${fingerprintText.slice(1)}`, 'has a character other than a-z and 2-7'],
    ['with spare bits', `${fingerprintText.slice(0, -1)}b`, 'its last character is impossible'],
  ];
  test.each(badFingerprint)('a fingerprint %s', (_, bad, problem) => {
    expect(errorOf(`${prefix}${keyText}:${bad}`)).toEqual(
      new MalformedCapError('fingerprint', problem),
    );
  });

  test('a field that is not there', () => {
    expect(errorOf(prefix.slice(0, -1))).toEqual(new MalformedCapError(keyField, 'is missing'));
    expect(errorOf(`${prefix}${keyText}`)).toEqual(
      new MalformedCapError('fingerprint', 'is missing'),
    );
  });

  test('trailing data is dropped from MDMF caps, refused in SDMF caps', () => {
    for (const tail of [':', ':3:131073', ':3:131073\n', ':anything:at all', '::']) {
      if (format === 'mdmf') {
        expect(formatCap(parseCap(text + tail))).toBe(text);
      } else {
        expect(errorOf(text + tail)).toEqual(
          new MalformedCapError('trailing data', 'an SDMF cap ends with the fingerprint'),
        );
      }
    }
  });

  test('a prefix in another case', () => {
    const unknown = new MalformedCapError(
      'prefix',
      'is not a known one (upper and lower case matter)',
    );
    const [, type = ''] = prefix.split(':');
    for (const other of [type.toLowerCase(), `${type}-`, `X${type}`, ` ${type}`]) {
      expect(errorOf(`URI:${other}:${keyText}:${fingerprintText}`)).toEqual(unknown);
    }
    if (kind === 'verify') {
      expect(errorOf(text.replace('Verifier', 'VERIFIER'))).toEqual(unknown);
      expect(errorOf(text.replace('Verifier', 'Verify'))).toEqual(unknown);
    }
    expect(errorOf(text.replace('URI', 'uri'))).toEqual(
      new MalformedCapError('prefix', 'does not begin with "URI:"'),
    );
  });
});

test.each(['CHK', 'CHK-Verifier', 'LIT', 'DIR2-CHK', 'DIR2-CHK-Verifier', 'DIR2-LIT'])(
  'URI:%s: is named as an immutable cap',
  (type) => {
    const immutable = new MalformedCapError(
      'prefix',
      'this is an immutable cap, and what it leads to cannot change',
    );
    for (const assertion of ['', 'ro.', 'imm.']) {
      expect(errorOf(`${assertion}URI:${type}:${writeText}:${fingerprintText}:3:10:1`)).toEqual(
        immutable,
      );
    }
  },
);

test.each(['', '\n', 'URI', 'hello', 'http://127.0.0.1/uri/URI:SSK:', 'ro.', 'imm.\n'])(
  '%j is no cap',
  (text) => {
    expect(errorOf(text).facts.field).toBe('prefix');
  },
);

test.each(['URI:', 'URI::', 'URI:SSK-RW:', 'URI:__proto__:', 'URI:constructor:'])(
  '%s is no known prefix',
  (prefix) => {
    expect(errorOf(`${prefix}${writeText}:${fingerprintText}`)).toEqual(
      new MalformedCapError('prefix', 'is not a known one (upper and lower case matter)'),
    );
  },
);

const key = fc.uint8Array({ minLength: 16, maxLength: 16 });
const fingerprint = fc.uint8Array({ minLength: 32, maxLength: 32 });
const format = fc.constantFrom('sdmf', 'mdmf');

test('any write cap survives text, and so do its read and verify caps', () => {
  fc.assert(
    fc.property(key, fingerprint, format, fc.boolean(), (k, f, fmt, directory) => {
      const prefix = forms.find((x) => x.format === fmt && x.directory === directory)!.prefix;
      const text = `${prefix}${toBase32(k)}:${toBase32(f)}`;
      const write = parseCap(text) as WriteCap;
      expect(write.writekey).toEqual(k);
      expect(formatCap(write)).toBe(text);
      const [read, verify] = [toReadCap(write), toVerifyCap(write)];
      expect(contentsOf(parseCap(formatCap(read)))).toEqual(contentsOf(read));
      expect(contentsOf(parseCap(formatCap(verify)))).toEqual(contentsOf(verify));
      expect(readkeyOf(read)).toEqual(readkeyOf(write));
      expect(storageIndexOf(verify)).toEqual(storageIndexOf(write));
      expect(contentsOf(toVerifyCap(read))).toEqual(contentsOf(verify));
    }),
  );
});

test('no text makes anything but a cap or a MalformedCapError that does not quote it', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('URI', 'SSK', 'MDMF-RO', 'DIR2', 'ro.', 'imm.', 'CHK', '\n', ':'),
    fc.constantFrom(writeText, fingerprintText, writeText.slice(2), fingerprintText.toUpperCase()),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.boolean(), (pieces, joined) => {
      const text = joined ? `URI:${pieces.join(':')}` : pieces.join('');
      try {
        const cap = parseCap(text);
        expect(contentsOf(parseCap(formatCap(cap)))).toEqual(contentsOf(cap));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedCapError);
        for (const secret of [writeText.slice(2), fingerprintText]) {
          expect(inspect(error).toLowerCase()).not.toContain(secret);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('the write cap of a key is of either format, file or directory', () => {
  const pair = { pkcs8: utf8('hello-pk8'), spki: utf8('hello-spki') };
  const expected = `${base32('6227148d92a38c12cc9fc7d737e180fc')}:${fingerprintText}`;
  expect(formatCap(writeCapOf(pair, 'sdmf'))).toBe(`URI:SSK:${expected}`);
  expect(formatCap(writeCapOf(pair, 'mdmf'))).toBe(`URI:MDMF:${expected}`);
  expect(formatCap(writeCapOf(pair, 'sdmf', true))).toBe(`URI:DIR2:${expected}`);
  expect(formatCap(writeCapOf(pair, 'mdmf', true))).toBe(`URI:DIR2-MDMF:${expected}`);
});
