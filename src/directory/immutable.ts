/**
 * @module immutable: all that directories know of immutable files: what the texts of their caps say,
 * and where the contents of an immutable directory come from.
 */
import { fromBase32, toBase32 } from '../bytes.ts';
import { taggedHash, tagOf } from '../crypto/hash.ts';

const STORAGE_INDEX_TAG = tagOf('allmydata_immutable_key_to_storage_index_v1');
const LIT = /^URI:(DIR2-)?LIT:([a-z2-7]*)$/;
const CHK = /^URI:(DIR2-)?CHK:([a-z2-7]{26}):([a-z2-7]{52}:\d+:\d+:(\d+))$/;

/** What a read cap of an immutable file or directory tells by itself. */
export interface ImmutableCap {
  readonly format: 'chk' | 'lit';
  readonly directory: boolean;
  /** Bytes of contents. */
  readonly size: number;
  /** The text of its verify cap; a literal has none. */
  readonly verify?: string;
  /** Of a literal. */
  readonly contents?: Uint8Array;
}

/** @param text without `ro.` or `imm.`; undefined for all but read caps of immutable files */
export function immutableCapOf(text: string): ImmutableCap | undefined {
  const [, litDirectory, literal] = LIT.exec(text) ?? [];
  const contents = literal === undefined ? undefined : fromBase32(literal);
  if (contents !== undefined) {
    const { length: size } = contents;
    return { format: 'lit', directory: litDirectory !== undefined, size, contents };
  }
  const [, chkDirectory = '', keyText = '', rest, sizeText] = CHK.exec(text) ?? [];
  const key = fromBase32(keyText);
  const size = Number(sizeText);
  if (key === undefined || !Number.isSafeInteger(size)) return undefined;
  const index = toBase32(taggedHash(STORAGE_INDEX_TAG, key).subarray(0, 16));
  const verify = `URI:${chkDirectory}CHK-Verifier:${index}:${rest}`;
  return { format: 'chk', directory: chkDirectory !== '', size, verify };
}
