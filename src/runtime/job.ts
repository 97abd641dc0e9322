/**
 * @module job: what an operation is to do with bytes, and whom it tells. When, the charts decide.
 */
import type { Span } from '../../machines/rewrite.ts';
import type { Version } from '../../machines/servermap.ts';
import type { Bytes } from '../bytes.ts';
import type { Piece } from '../contents/piece.ts';
import type { Plaintext } from '../share/plaintext.ts';
import type { KeptBytes } from './kept-bytes.ts';

/** Who is given what is read. */
export interface Taker {
  /** Takes the bytes of `range` that begin at `at`; the next ones come when it is settled. */
  take(kept: KeptBytes, range: Span, at: number, bytes: Bytes, version: Version): unknown;
  /** Where it wants them to be before it takes them, if that matters to it. */
  roomFor?(kept: KeptBytes, range: Span, at: number, length: number): Bytes | undefined;
}

/** Keeps what is read, in memory. */
export const keeper: Taker = {
  take: (kept, range, at, bytes) => kept.add(range, at, bytes),
  roomFor: (kept, range, at, length) => kept.roomFor(range, at, length),
};

/**
 * Gets the contents and gives new ones (text stands for its UTF-8), or nothing for "no change". It runs again after every
 * collision. The contents may then already hold its earlier change, which it must allow for.
 */
export type Modifier = (
  contents: Bytes,
  attempt: { readonly attempt: number; readonly seqnum: number },
) => Piece | undefined | Promise<Piece | undefined>;

export interface Job {
  readonly taker: Taker;
  /** What is published, unless a modifier changes what was there. */
  readonly contents?: Plaintext;
  readonly modifier?: Modifier | undefined;
  /** Whether all servers count, as far as they can be heard. */
  readonly wantsAll?: boolean;
  /** Whether the salts of the segments that are read are kept: to make their shares again. */
  readonly keepsSalts?: boolean;
}
