/**
 * @module immutable-caps: the capability strings of immutable files and directories (`uri.py`).
 *
 * A literal file (LIT) is in its cap, in base32. The cap of any other (CHK) names what its servers
 * keep, and the hash that all of it hangs on. The rules are those of `caps.ts`: a cap is a secret,
 * errors never quote it, and {@link formatImmutableCap} is the only way to text.
 */
import { fromBase32, isBytes, toBase32 } from '../bytes.ts';
import { parseField, splitCap } from '../caps.ts';
import { taggedHash, tagOf } from '../crypto/hash.ts';
import { checkEncoding, sharesMax } from '../erasure/shares.ts';
import { MalformedCapError, OutOfRangeError } from '../errors.ts';
import { withHidden } from '../hidden.ts';
import { isBytesOf, refuse, requireObject } from '../refusal.ts';

const STORAGE_INDEX_TAG = tagOf('allmydata_immutable_key_to_storage_index_v1');

/** Bytes of contents that Tahoe puts into a cap; what is longer it gives to servers. */
export const literalMax = 55;

/** What every cap of an immutable file tells. */
export interface ImmutableCapBase {
  /** The contents are Tahoe's table of what is in a directory. */
  readonly directory: boolean;
}

/** The file itself. */
export interface LitCap extends ImmutableCapBase {
  readonly kind: 'lit';
  /** Hidden. */
  readonly contents: Uint8Array;
}

/** What the cap of an encoded file tells of it. */
export interface ChkFields {
  /** 32 bytes: the hash of the URI extension block. */
  readonly uebHash: Uint8Array;
  /** k */
  readonly required: number;
  /** N, 256 at most. */
  readonly total: number;
  /** Bytes of contents. */
  readonly size: number;
}

/** Lets its holder read an immutable file. A secret. */
export interface ChkCap extends ImmutableCapBase, ChkFields {
  readonly kind: 'chk';
  /** 16 bytes, hidden. */
  readonly key: Uint8Array;
}

/** Lets its holder check the shares of an immutable file, and read nothing. */
export interface ChkVerifyCap extends ImmutableCapBase, ChkFields {
  readonly kind: 'chk-verify';
  /** 16 bytes. */
  readonly storageIndex: Uint8Array;
}

/** What opens an immutable file, parsed. */
export type ImmutableCap = LitCap | ChkCap | ChkVerifyCap;

type ImmutableType = Pick<ImmutableCap, 'kind' | 'directory'>;

const names = { lit: 'LIT', chk: 'CHK', 'chk-verify': 'CHK-Verifier' } as const;

function nameOf({ kind, directory }: ImmutableType): string {
  return directory ? `DIR2-${names[kind]}` : names[kind];
}

const types: ReadonlyMap<string, ImmutableType> = new Map(
  (['lit', 'chk', 'chk-verify'] as const).flatMap((kind) =>
    [false, true].map((directory) => {
      const type = { kind, directory };
      return [nameOf(type), type] as const;
    }),
  ),
);

/** @throws BadArgumentError unless it has what the type says: `{ ...cap }` has no key */
export function checkImmutableCap(cap: ImmutableCap): void {
  const wanted = 'an immutable cap, or the text of one';
  const given = requireObject('cap', cap, wanted);
  const { kind, directory, contents, key, storageIndex, uebHash } = given;
  const { required, total, size } = given;
  const isEncoded = isBytesOf(kind === 'chk' ? key : storageIndex, 16) && isBytesOf(uebHash, 32);
  const isKnown = kind === 'chk' || kind === 'chk-verify';
  const hasNumbers = [required, total, size].every((n) => Number.isSafeInteger(n));
  const fits = kind === 'lit' ? isBytes(contents) : isKnown && isEncoded && hasNumbers;
  if (!fits || typeof directory !== 'boolean') refuse('cap', cap, wanted);
}

/** The cap that is this file. @throws OutOfRangeError when it is longer than Tahoe's ever are */
export function litCapOf(contents: Uint8Array, directory = false): LitCap {
  if (!isBytes(contents)) refuse('contents', contents, 'a Uint8Array');
  if (typeof directory !== 'boolean') refuse('directory', directory, 'true or false');
  if (contents.length > literalMax) {
    throw new OutOfRangeError('bytes of a literal', contents.length, `at most ${literalMax}`);
  }
  return literal(directory, contents.slice());
}

/**
 * Reads a cap. One trailing newline is tolerated, `ro.` and `imm.` in front say nothing new, and
 * whatever follows the size of a verify cap behind a colon is dropped, as Tahoe does.
 * @throws MalformedCapError, BadArgumentError for what is no text
 */
export function parseImmutableCap(text: string): ImmutableCap {
  const { scheme, name, fields } = splitCap(text);
  const type = scheme === 'URI' ? types.get(name) : undefined;
  if (type === undefined) throw new MalformedCapError('prefix', 'is not that of an immutable cap');
  const { kind, directory } = type;
  const [first, ...rest] = fields;
  if (kind === 'lit') {
    requireEnd(rest);
    const contents = fromBase32(first ?? '');
    if (first !== undefined && contents !== undefined) return literal(directory, contents);
    throw new MalformedCapError('contents', 'are not base32');
  }
  if (kind === 'chk') {
    const key = parseField('key', first, 16);
    const told = { kind, directory, ...parseFields(rest) } as const;
    requireEnd(rest.slice(4));
    return withHidden(told, 'key', key);
  }
  const storageIndex = parseField('storage index', first, 16);
  return { kind, directory, ...parseFields(rest), storageIndex };
}

/** The text of a cap. It is as secret as the cap, and that of a literal is the file. */
export function formatImmutableCap(cap: ImmutableCap): string {
  checkImmutableCap(cap);
  const name = `URI:${nameOf(cap)}`;
  if (cap.kind === 'lit') return `${name}:${toBase32(cap.contents)}`;
  const { uebHash, required, total, size } = cap;
  const key = cap.kind === 'chk' ? cap.key : cap.storageIndex;
  return `${name}:${toBase32(key)}:${toBase32(uebHash)}:${required}:${total}:${size}`;
}

/** The verify cap of an encoded file; a literal has none, for there is nothing to verify. */
export function toImmutableVerifyCap(cap: ChkCap | ChkVerifyCap): ChkVerifyCap {
  checkImmutableCap(cap);
  if (cap.kind === 'chk-verify') return cap;
  const { directory, uebHash, required, total, size } = cap;
  const storageIndex = immutableStorageIndexOf(cap);
  return { kind: 'chk-verify', directory, uebHash, required, total, size, storageIndex };
}

/** The 16-byte storage index: the file's name on every server. */
export function immutableStorageIndexOf(cap: ChkCap | ChkVerifyCap): Uint8Array {
  if (cap.kind === 'chk-verify') return cap.storageIndex;
  return taggedHash(STORAGE_INDEX_TAG, cap.key).slice(0, 16);
}

function literal(directory: boolean, contents: Uint8Array): LitCap {
  return withHidden({ kind: 'lit', directory } as const, 'contents', contents);
}

function parseFields([hash, k, n, size]: readonly string[]): ChkFields {
  const uebHash = parseField('UEB hash', hash, 32);
  const [required, total] = [parseNumber('k', k), parseNumber('N', n)];
  try {
    checkEncoding(required, total, sharesMax);
  } catch (error) {
    throw new MalformedCapError('k and N', (error as OutOfRangeError).message);
  }
  return { uebHash, required, total, size: parseNumber('size', size) };
}

/** Leading zeros are tolerated. */
function parseNumber(field: string, text: string | undefined): number {
  if (text === undefined) throw new MalformedCapError(field, 'is missing');
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new MalformedCapError(field, 'is no whole number from 0 to 2^53-1');
}

function requireEnd(rest: readonly string[]): void {
  if (rest.length > 0) throw new MalformedCapError('trailing data', 'follows the last field');
}
