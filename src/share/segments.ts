/**
 * @module segments: plaintext to blocks, one segment at a time (docs/format.md §3 and §4.2).
 *
 * Two passes. The first encodes every segment and keeps only the hashes of the blocks, which the
 * signature needs. The second happens on demand: an entry that somebody wants to write is encoded
 * again, with the same salt. The last few segments are kept, so that the writers of N shares in
 * rough lockstep cost one encoding and not N. Memory is for these few segments, not for the file.
 */
import { primitives } from '#crypto';
import { divideUp, segmentSizeMax, segmentsWrittenMax } from '../../machines/limits.ts';
import { concatBytes, equalBytes } from '../bytes.ts';
import { deriveDataKey } from '../crypto/keys.ts';
import type { Primitives } from '../crypto/primitives.ts';
import { createCodec } from '../erasure/codec.ts';
import { encodeInTurns } from '../erasure/in-turns.ts';
import { OutOfRangeError, SourceChangedError } from '../errors.ts';
import { Recent } from '../recent.ts';
import { bytesPerWork, Stint } from '../turn.ts';
import { entrySaltLength, type Geometry, segmentLength } from './geometry.ts';
import { blockHash } from './hashtree.ts';
import { type Plaintext, readExactly } from './plaintext.ts';

/** What a caller of either kind of encoding may say about the passes. */
export interface SegmentOptions {
  /** The platform's by default. */
  readonly primitives?: Pick<Primitives, 'aesCtr'> | undefined;
  /** 16 bytes. */
  readonly readkey: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** After each segment of the first pass. */
  readonly onSegment?: ((encoded: number, count: number) => void) | undefined;
}

export interface SegmentsInput extends SegmentOptions {
  readonly geometry: Geometry;
  /** N */
  readonly total: number;
  /** Of the segments from `firstSegment` on, to the end of the last one that is to be encoded. */
  readonly plaintext: Plaintext;
  readonly firstSegment: number;
  /** 16 bytes for the next segment: fresh random ones, or SDMF's IV. */
  readonly nextSalt: () => Uint8Array;
}

export interface EncodedSegments {
  readonly first: number;
  readonly count: number;
  /** Per share, the block hashes of these segments. */
  readonly blockHashes: readonly (readonly Uint8Array[])[];
  /** What share `shnum` stores of a segment: the block, in MDMF after the salt. */
  entry(segnum: number, shnum: number): Promise<Uint8Array>;
}

/** Of a segment, between the passes. */
interface Remembered {
  readonly salt: Uint8Array;
  readonly plaintextHash: Uint8Array;
}

/** Segments whose blocks are kept; writers further apart encode again. */
const segmentsKept = 4;

/** @throws OutOfRangeError for a file that is too large to be encoded */
export function checkEncodable(geometry: Geometry): void {
  const { segmentSize, segmentCount } = geometry;
  if (segmentSize <= segmentSizeMax && segmentCount <= segmentsWrittenMax) return;
  throw tooLarge(geometry);
}

/** The error of a file that is too large to be encoded. */
export function tooLarge({ format, segmentSize, dataLength }: Geometry): OutOfRangeError {
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
  const { geometry, total, plaintext, firstSegment: first, signal } = input;
  const { aesCtr } = input.primitives ?? primitives;
  checkEncodable(geometry);
  const codec = createCodec(geometry.required, total);
  const shnums = Array.from({ length: total }, (_, shnum) => shnum);
  const count = plaintext.size === 0 ? 0 : divideUp(plaintext.size, geometry.segmentSize);
  const hashesSalt = entrySaltLength(geometry) > 0;
  const remembered: Remembered[] = [];

  const source = new SegmentSource(input, remembered);
  const encode = async (index: number): Promise<readonly Uint8Array[]> => {
    signal?.throwIfAborted();
    const segment = await source.read(index);
    const key = deriveDataKey((remembered[index] as Remembered).salt, input.readkey);
    const ciphertext = await aesCtr(key, segment);
    const primaries = splitEvenly(ciphertext, geometry.required);
    return encodeInTurns(codec, primaries, shnums, primaries[0]?.length ?? 0);
  };
  const recent = new Recent<number, Promise<readonly Uint8Array[]>>(segmentsKept);
  const blocksOf = (index: number) => {
    const blocks = recent.of(index, () => encode(index));
    // A failure is not kept: the next one who asks tries again.
    blocks.catch(() => recent.forget(index, blocks));
    return blocks;
  };

  const blockHashes = shnums.map((): Uint8Array[] => []);
  const stint = new Stint();
  for (let index = 0; index < count; index++) {
    const blocks = await blocksOf(index);
    const salt = hashesSalt ? remembered[index]?.salt : undefined;
    blocks.forEach((block, shnum) => {
      blockHashes[shnum]?.push(blockHash(block, salt));
    });
    input.onSegment?.(index + 1, count);
    await stint.spend(total * (1 + (blocks[0]?.length ?? 0) / bytesPerWork));
  }

  return {
    first,
    count,
    blockHashes,
    async entry(segnum, shnum) {
      source.throwIfBroken();
      const index = segnum - first;
      const block = (await blocksOf(index))[shnum] as Uint8Array;
      return hashesSalt ? concatBytes(remembered[index]?.salt as Uint8Array, block) : block;
    },
  };
}

/** The plaintext, segment by segment; one that has failed or changed once is not read again. */
class SegmentSource {
  readonly #input: SegmentsInput;
  readonly #remembered: Remembered[];
  #broken: { readonly error: unknown } | undefined;

  constructor(input: SegmentsInput, remembered: Remembered[]) {
    this.#input = input;
    this.#remembered = remembered;
  }

  throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  async read(index: number): Promise<Uint8Array> {
    this.throwIfBroken();
    const { plaintext, geometry, firstSegment, nextSalt } = this.#input;
    try {
      const segnum = firstSegment + index;
      const length = segmentLength(geometry, segnum);
      const segment = await readExactly(plaintext, index * geometry.segmentSize, length);
      const plaintextHash = await hashInTurns(segment);
      const before = this.#remembered[index] ?? { salt: nextSalt(), plaintextHash };
      this.#remembered[index] = before;
      // Also for secrecy: one key stream over two texts would give away their difference.
      if (!equalBytes(before.plaintextHash, plaintextHash)) {
        throw new SourceChangedError(`segment ${segnum}`, { segment: segnum });
      }
      return segment;
    } catch (error) {
      this.#broken ??= { error };
      throw this.#broken.error;
    }
  }
}

/** `count` pieces of one length, the last ones filled up with zeros (which are not encrypted). */
function splitEvenly(bytes: Uint8Array, count: number): Uint8Array[] {
  const length = divideUp(bytes.length, count);
  let padded = bytes;
  if (bytes.length !== length * count) {
    padded = new Uint8Array(length * count);
    padded.set(bytes);
  }
  return Array.from({ length: count }, (_, i) => padded.subarray(i * length, (i + 1) * length));
}

async function hashInTurns(bytes: Uint8Array): Promise<Uint8Array> {
  const hash = primitives.sha256();
  const stint = new Stint();
  for (let start = 0; start < bytes.length; start += sliceLength) {
    hash.update(bytes.subarray(start, start + sliceLength));
    await stint.spend(sliceLength / bytesPerWork);
  }
  return hash.digest();
}
/** Bytes that are hashed at a stretch. */
const sliceLength = 2 ** 20;
