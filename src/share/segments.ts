/**
 * @module segments: plaintext to blocks, one segment at a time (docs/format.md §3 and §4.2).
 *
 * Two passes. The first encodes every segment and keeps only the hashes of the blocks, which the
 * signature needs. The second happens on demand: an entry that somebody wants to write is encoded
 * again, with the same salt, and the blocks that hold the text must have the hashes they had. The
 * last few segments are kept, so that the writers of N shares in rough lockstep cost one encoding
 * and not N. Memory is for these few segments, not for the file. Writers that are there from the
 * beginning go along with the first pass, which waits for them (`lockstep.ts`): then there is no
 * second one.
 *
 * What all shares store of a segment is made where it is sent from: each entry behind room for the
 * tag of its hash, so that it is hashed and handed out as it lies. A share of one segment is sent as a
 * whole: there is room for the rest of it, too.
 */
import { primitives } from '#crypto';
import { divideUp, segmentSizeMax, segmentsWrittenMax } from '../../machines/limits.ts';
import { cancelled } from '../abort.ts';
import { equalBytes } from '../bytes.ts';
import { deriveDataKey } from '../crypto/keys.ts';
import type { Primitives } from '../crypto/primitives.ts';
import { type Codec, createCodec } from '../erasure/codec.ts';
import { encodeInTurns } from '../erasure/in-turns.ts';
import { OutOfRangeError, SourceChangedError } from '../errors.ts';
import { bytesPerWork, Stint } from '../turn.ts';
import { blockLength, entrySaltLength, type MutableGeometry, segmentLength } from './geometry.ts';
import { blockTagLength, hashTagged } from './hashtree.ts';
import { KeptSegments } from './kept-segments.ts';
import type { Lockstep } from './lockstep.ts';
import { type Plaintext, readExactly } from './plaintext.ts';

/** What a caller of either kind of encoding may say about the passes. */
export interface SegmentOptions {
  /** The platform's by default. */
  readonly primitives?: Pick<Primitives, 'aesCtrInto'> | undefined;
  /** 16 bytes. */
  readonly readkey: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** After each segment of the first pass. @param bytes that it has of the plaintext */
  readonly onSegment?: ((bytes: number) => void) | undefined;
}

export interface SegmentsInput extends SegmentOptions {
  readonly geometry: MutableGeometry;
  /** N */
  readonly total: number;
  /** Of the segments from `firstSegment` on, to the end of the last one that is to be encoded. */
  readonly plaintext: Plaintext;
  readonly firstSegment: number;
  /** 16 bytes for the next segment: fresh random ones, or SDMF's IV. */
  readonly nextSalt: () => Uint8Array;
  /** Those who write along with the first pass. */
  readonly lockstep?: Lockstep | undefined;
  /** By default none. */
  readonly around?: Around | undefined;
}

/** Bytes in front of each entry and behind it, for whoever sends it with what lies there. */
export interface Around {
  readonly before: number;
  readonly after: number;
}

export interface EncodedSegments {
  readonly first: number;
  readonly count: number;
  /** Per share, the block hashes of these segments. */
  readonly blockHashes: readonly (readonly Uint8Array[])[];
  /** What share `shnum` stores of a segment: the block, in MDMF after the salt. */
  entry(segnum: number, shnum: number): Promise<Uint8Array>;
  /** The same with what is around it. If k is 1, that is one for all shares. */
  surrounded(segnum: number, shnum: number): Promise<Uint8Array>;
  /** Gives the memory of the blocks back: nobody asks for any more, or uses what was given. */
  letGo(): void;
}

/** @throws OutOfRangeError for a file that is too large to be encoded */
export function checkEncodable(geometry: MutableGeometry): void {
  const { segmentSize, segmentCount } = geometry;
  if (segmentSize <= segmentSizeMax && segmentCount <= segmentsWrittenMax) return;
  throw tooLarge(geometry);
}

/** The error of a file that is too large to be encoded. */
export function tooLarge({ format, segmentSize, dataLength }: MutableGeometry): OutOfRangeError {
  const problem =
    format === 'sdmf'
      ? `an SDMF file has at most ${segmentSizeMax} bytes; make it an MDMF one`
      : `an MDMF file has at most ${segmentsWrittenMax} segments of ${segmentSize} bytes`;
  return new OutOfRangeError('size', dataLength, problem);
}

/**
 * The first pass. A source that has failed or changed once is not read again, so that no share of
 * the version is sent after that, though it may change back.
 * @throws OutOfRangeError before anything is read, when there is too much of it
 * @throws SourceChangedError when the plaintext ends early or is not the same in both passes
 */
export async function encodeSegments(input: SegmentsInput): Promise<EncodedSegments> {
  const { geometry, total, plaintext, firstSegment: first, lockstep } = input;
  checkEncodable(geometry);
  const count = plaintext.size === 0 ? 0 : divideUp(plaintext.size, geometry.segmentSize);
  const source = new SegmentSource(input);
  const encoder = new SegmentEncoder(input, source);
  const kept = new KeptSegments(encoder, count, lockstep);
  const stint = new Stint();
  // Nothing more is waited for: what is let go of too late is not there for the next segment.
  const handing =
    (partOf: (slot: Uint8Array) => Uint8Array) => async (index: number, shnum: number) => {
      source.throwIfBroken();
      const slots = await kept.of(index);
      return partOf(slots[shnum % slots.length] as Uint8Array);
    };
  const entry = handing((slot) => encoder.entryIn(slot));
  const surrounded = handing((slot) => slot);
  lockstep?.begin(entry);
  for (let index = 0; index < count; index++) {
    await lockstep?.turnOf(index);
    const slots = await kept.next(index);
    encoder.remember(slots);
    lockstep?.encoded(index);
    input.onSegment?.(segmentLength(geometry, first + index));
    await stint.spend(total * (1 + (slots[0]?.length ?? 0) / bytesPerWork));
  }

  return {
    first,
    count,
    blockHashes: encoder.blockHashes,
    entry: (segnum, shnum) => entry(segnum - first, shnum),
    surrounded: (segnum, shnum) => surrounded(segnum - first, shnum),
    letGo: () => {
      source.end();
      kept.letGo();
    },
  };
}

/**
 * One segment after the other, in both passes: of each the slots of all shares, where the entry lies
 * behind room for the tag of its hash, or for more. If k is 1, all shares are one, and there is one
 * slot.
 */
class SegmentEncoder {
  readonly blockHashes: readonly Uint8Array[][];
  readonly #input: SegmentsInput;
  readonly #source: SegmentSource;
  readonly #codec: Codec;
  readonly #shnums: readonly number[];
  /** Of each slot, where its entry begins. */
  readonly #before: number;
  /** Where its block does. */
  readonly #blockStart: number;
  readonly #after: number;
  readonly #salts: Uint8Array[] = [];

  constructor(input: SegmentsInput, source: SegmentSource) {
    const { geometry, total, around = { before: 0, after: 0 } } = input;
    this.#input = input;
    this.#source = source;
    this.#codec = createCodec(geometry.required, total);
    this.#shnums = [...Array(geometry.required === 1 ? 1 : total).keys()];
    this.#before = Math.max(around.before, blockTagLength);
    this.#blockStart = this.#before + entrySaltLength(geometry);
    this.#after = around.after;
    this.blockHashes = Array.from({ length: total }, () => []);
  }

  /** Memory for the slots of a segment. */
  room(index: number): Uint8Array {
    return new Uint8Array(this.#shnums.length * this.#slotLength(index));
  }

  #slotLength(index: number): number {
    return this.#blockStart + this.#blockLength(index) + this.#after;
  }

  entryIn(slot: Uint8Array): Uint8Array {
    return slot.subarray(this.#before, slot.length - this.#after);
  }

  #hashIn(slot: Uint8Array): Uint8Array {
    return hashTagged(slot.subarray(this.#before - blockTagLength, slot.length - this.#after));
  }

  /**
   * @param room for as many bytes, or more
   * @throws SourceChangedError when a segment that was remembered is not the same any more
   */
  async encode(index: number, room: Uint8Array): Promise<readonly Uint8Array[]> {
    const { geometry, readkey, nextSalt, signal } = this.#input;
    const { aesCtrInto } = this.#input.primitives ?? primitives;
    signal?.throwIfAborted();
    const segment = await this.#source.read(index);
    this.#salts[index] ??= nextSalt();
    const salt = this.#salts[index] as Uint8Array;
    const length = this.#blockLength(index);
    const slotLength = this.#slotLength(index);
    const slots = this.#shnums.map((n) => room.subarray(n * slotLength, (n + 1) * slotLength));
    const blocks = slots.map((slot) => slot.subarray(this.#blockStart, this.#blockStart + length));
    const primaries = blocks.slice(0, geometry.required);
    const pieces = primaries.map((_, i) => segment.subarray(i * length, (i + 1) * length));
    const places = primaries.map((block, i) => block.subarray(0, pieces[i]?.length));
    await aesCtrInto(deriveDataKey(salt, readkey), pieces, places);
    // The last ones are filled up with zeros, which are not encrypted.
    primaries.forEach((block, i) => {
      block.fill(0, pieces[i]?.length);
    });
    if (this.#blockStart > this.#before) for (const slot of slots) slot.set(salt, this.#before);
    if (!this.#isAsBefore(index, slots)) throw this.#source.changed(index);
    await encodeInTurns(this.#codec, primaries, this.#shnums, length, blocks);
    return slots;
  }

  /** Keeps the hashes of the next segment, the first time that it is encoded. */
  remember(slots: readonly Uint8Array[]): void {
    const hashes = slots.map((slot) => this.#hashIn(slot));
    this.blockHashes.forEach((ofShare, shnum) => {
      ofShare.push(hashes[shnum % hashes.length] as Uint8Array);
    });
  }

  #blockLength(index: number): number {
    return blockLength(this.#input.geometry, this.#input.firstSegment + index);
  }

  /** Also for secrecy: one key stream over two texts would give away their difference. */
  #isAsBefore(index: number, slots: readonly Uint8Array[]): boolean {
    return slots.slice(0, this.#input.geometry.required).every((slot, shnum) => {
      const before = this.blockHashes[shnum]?.[index];
      return before === undefined || equalBytes(before, this.#hashIn(slot));
    });
  }
}

/** The plaintext, segment by segment; one that has failed or changed once is not read again. */
class SegmentSource {
  readonly #input: SegmentsInput;
  #broken: { readonly error: unknown } | undefined;

  constructor(input: SegmentsInput) {
    this.#input = input;
  }

  throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  async read(index: number): Promise<Uint8Array> {
    this.throwIfBroken();
    const { plaintext, geometry, firstSegment } = this.#input;
    try {
      const length = segmentLength(geometry, firstSegment + index);
      return await readExactly(plaintext, index * geometry.segmentSize, length);
    } catch (error) {
      throw this.#breakBy(error);
    }
  }

  /** Nothing more is read. */
  end(): void {
    this.#breakBy(cancelled);
  }

  /** The error of a segment that is not what it was. */
  changed(index: number): unknown {
    const segment = this.#input.firstSegment + index;
    return this.#breakBy(new SourceChangedError(`segment ${segment}`, { segment }));
  }

  #breakBy(error: unknown): unknown {
    this.#broken ??= { error };
    return this.#broken.error;
  }
}
