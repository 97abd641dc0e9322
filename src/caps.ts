/**
 * @module caps: the capability strings of mutable files and directories (`uri.py`).
 *
 * `URI:<type>:<16 bytes in base32>:<fingerprint in base32>`, twelve types. Rules:
 * - A cap is a secret. Errors name the field and never quote the text; the keys of a cap object
 *   are hidden ({@link withHidden}), so that printing, JSON or `{...cap}` does not carry them;
 *   {@link formatCap} is the only way to text.
 * - A directory's cap is its file's cap under another type: the bytes are the same.
 * - `ro.` and `imm.` in front only assert something; a cap that breaks the assertion is malformed.
 */
import type { Format } from '../machines/servermap.ts';
import { fromBase32, toBase32 } from './bytes.ts';
import {
  deriveFingerprint,
  deriveReadkey,
  deriveStorageIndex,
  deriveWritekey,
} from './crypto/keys.ts';
import type { SigningKey } from './crypto/primitives.ts';
import { InsufficientCapError, MalformedCapError } from './errors.ts';
import { withHidden } from './hidden.ts';
import { isBytesOf, refuse, requireObject, requireText } from './refusal.ts';

export type { Format };

/** What every cap of a mutable file tells. */
export interface CapBase {
  /** What a writer writes; a reader goes by the share itself. */
  readonly format: Format;
  /** Whether the file is the table of a directory. */
  readonly directory: boolean;
  /** 32 bytes: the tagged hash of the public key. */
  readonly fingerprint: Uint8Array;
}

/** Lets its holder read and write. A secret. */
export interface WriteCap extends CapBase {
  readonly kind: 'write';
  /** 16 bytes, hidden. */
  readonly writekey: Uint8Array;
}

/** Lets its holder read. A secret. */
export interface ReadCap extends CapBase {
  readonly kind: 'read';
  /** 16 bytes, hidden. */
  readonly readkey: Uint8Array;
}

/** Lets its holder check shares, and read nothing. */
export interface VerifyCap extends CapBase {
  readonly kind: 'verify';
  /** 16 bytes. */
  readonly storageIndex: Uint8Array;
}

/** What opens a mutable file or directory, parsed. A secret, but for a verify cap. */
export type Cap = WriteCap | ReadCap | VerifyCap;

/** What the `<type>` says. */
type CapType = Pick<Cap, 'kind' | 'format' | 'directory'>;

const SUFFIX = { write: '', read: '-RO', verify: '-Verifier' } as const;
const KEY_FIELD = { write: 'writekey', read: 'readkey', verify: 'storage index' } as const;

function nameOf({ kind, format, directory }: CapType): string {
  const file = format === 'sdmf' ? 'SSK' : 'MDMF';
  const base = !directory ? file : format === 'sdmf' ? 'DIR2' : 'DIR2-MDMF';
  return base + SUFFIX[kind];
}

const MUTABLE_TYPES: ReadonlyMap<string, CapType> = new Map(
  (['write', 'read', 'verify'] as const).flatMap((kind) =>
    (['sdmf', 'mdmf'] as const).flatMap((format) =>
      [false, true].map((directory) => {
        const type = { kind, format, directory };
        return [nameOf(type), type] as const;
      }),
    ),
  ),
);

const IMMUTABLE_TYPES: ReadonlySet<string> = new Set([
  'CHK',
  'CHK-Verifier',
  'LIT',
  'DIR2-CHK',
  'DIR2-CHK-Verifier',
  'DIR2-LIT',
]);

/** @throws BadArgumentError unless it has what the type says: `{ ...cap }` has no key */
export function checkCap(cap: Cap): void {
  const wanted = 'a cap, or the text of one';
  const given = requireObject('cap', cap, wanted);
  const { kind, format, directory, fingerprint, writekey, readkey, storageIndex } = given;
  const keys = new Map<unknown, unknown>([
    ['write', writekey],
    ['read', readkey],
    ['verify', storageIndex],
  ]);
  const key = keys.get(kind);
  const fits =
    (format === 'sdmf' || format === 'mdmf') &&
    typeof directory === 'boolean' &&
    isBytesOf(fingerprint, 32) &&
    isBytesOf(key, 16);
  if (!fits) refuse('cap', cap, wanted);
}

/** The write cap of a key. The same key may be used for either format, but only for one. */
export function writeCapOf(
  key: Pick<SigningKey, 'pkcs8' | 'spki'>,
  format: Format,
  directory = false,
): WriteCap {
  const fingerprint = deriveFingerprint(key.spki);
  return withHidden(
    { kind: 'write', format, directory, fingerprint },
    'writekey',
    deriveWritekey(key.pkcs8),
  );
}

/**
 * Reads a cap. One trailing newline is tolerated, and anything behind a colon after an MDMF cap's
 * fingerprint is dropped: hints of old versions.
 * @throws MalformedCapError, BadArgumentError for what is no text
 */
export function parseCap(text: string): Cap {
  const { assertion, scheme, name, fields } = splitCap(text);
  const [keyText, fingerprintText, ...rest] = fields;
  if (scheme !== 'URI') throw new MalformedCapError('prefix', 'does not begin with "URI:"');
  if (IMMUTABLE_TYPES.has(name)) {
    throw new MalformedCapError(
      'prefix',
      'this is an immutable cap, and what it leads to cannot change',
    );
  }
  const type = MUTABLE_TYPES.get(name);
  if (type === undefined) {
    throw new MalformedCapError('prefix', 'is not a known one (upper and lower case matter)');
  }
  checkAssertion(type.kind, assertion);
  const key = parseField(KEY_FIELD[type.kind], keyText, 16);
  const fingerprint = parseField('fingerprint', fingerprintText, 32);
  if (rest.length > 0 && type.format === 'sdmf') {
    throw new MalformedCapError('trailing data', 'an SDMF cap ends with the fingerprint');
  }
  return capOf(type, key, fingerprint);
}

/**
 * The parts of the text of any cap, without one trailing newline.
 * @throws BadArgumentError for what is no text, such as a setting that is not set
 */
export function splitCap(text: string) {
  requireText('cap', text, 'the text of a cap');
  const assertion = /^(?:ro|imm)\./.exec(text)?.[0] ?? '';
  const body = text.slice(assertion.length, text.endsWith('\n') ? -1 : undefined);
  const [scheme, name = '', ...fields] = body.split(':');
  return { assertion, scheme, name, fields };
}

/** The text of a cap, always in its four-field form. It is as secret as the cap. */
export function formatCap(cap: Cap): string {
  checkCap(cap);
  return `URI:${nameOf(cap)}:${toBase32(keyOf(cap))}:${toBase32(cap.fingerprint)}`;
}

/**
 * The read cap of a write cap; a read cap is its own.
 * @throws InsufficientCapError for a verify cap
 */
export function toReadCap(cap: Cap): ReadCap {
  checkCap(cap);
  if (cap.kind === 'read') return cap;
  const { format, directory, fingerprint } = cap;
  return withHidden({ kind: 'read', format, directory, fingerprint }, 'readkey', readkeyOf(cap));
}

/** The verify cap of any cap. */
export function toVerifyCap(cap: Cap): VerifyCap {
  checkCap(cap);
  if (cap.kind === 'verify') return cap;
  const { format, directory, fingerprint } = cap;
  return { kind: 'verify', format, directory, fingerprint, storageIndex: storageIndexOf(cap) };
}

/**
 * The 16-byte read key.
 * @throws InsufficientCapError for a verify cap
 */
export function readkeyOf(cap: Cap): Uint8Array {
  switch (cap.kind) {
    case 'write':
      return deriveReadkey(cap.writekey);
    case 'read':
      return cap.readkey;
    case 'verify':
      throw new InsufficientCapError('reading', 'read', 'verify');
  }
}

/** The 16-byte storage index: the slot's name on every server. */
export function storageIndexOf(cap: Cap): Uint8Array {
  return cap.kind === 'verify' ? cap.storageIndex : deriveStorageIndex(readkeyOf(cap));
}

function keyOf(cap: Cap): Uint8Array {
  switch (cap.kind) {
    case 'write':
      return cap.writekey;
    case 'read':
      return cap.readkey;
    case 'verify':
      return cap.storageIndex;
  }
}

function capOf(type: CapType, key: Uint8Array, fingerprint: Uint8Array): Cap {
  const { kind, format, directory } = type;
  const base = { format, directory, fingerprint };
  switch (kind) {
    case 'write':
      return withHidden({ kind, ...base }, 'writekey', key);
    case 'read':
      return withHidden({ kind, ...base }, 'readkey', key);
    case 'verify':
      // Enumerable: a storage index is no secret, servers log it.
      return { kind, ...base, storageIndex: key };
  }
}

function checkAssertion(kind: Cap['kind'], assertion: string): void {
  if (assertion === 'imm.' && kind !== 'verify') {
    throw new MalformedCapError('prefix', `"imm." on a mutable ${kind} cap`);
  }
  if (assertion === 'ro.' && kind === 'write') {
    throw new MalformedCapError('prefix', '"ro." on a write cap');
  }
}

/** @throws MalformedCapError unless `text` is so many bytes in base32 */
export function parseField(field: string, text: string | undefined, length: number): Uint8Array {
  if (text === undefined) throw new MalformedCapError(field, 'is missing');
  const characters = Math.ceil((length * 8) / 5);
  if (text.length !== characters) {
    throw new MalformedCapError(field, `has ${text.length} characters, not ${characters}`);
  }
  if (!/^[a-z2-7]*$/.test(text)) {
    throw new MalformedCapError(field, 'has a character other than a-z and 2-7');
  }
  const bytes = fromBase32(text);
  if (bytes === undefined) throw new MalformedCapError(field, 'its last character is impossible');
  return bytes;
}
