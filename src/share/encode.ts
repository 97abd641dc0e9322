/**
 * @module encode: a whole new version of a file (`mutable/publish.py` `Publish.publish`;
 * docs/format.md §5).
 */
import type { Format } from '../caps.ts';
import { checkEncoding } from '../erasure/codec.ts';
import type { WritePart } from '../storage/server.ts';
import { Stint } from '../turn.ts';
import { geometryOf } from './geometry.ts';
import { buildLongHashTree } from './hashtree.ts';
import type { Plaintext } from './plaintext.ts';
import {
  type EncodedVersion,
  encodedVersion,
  entryParts,
  partOf,
  sealVersion,
  type VersionInput,
} from './seal.ts';
import { checkEncodable, encodeSegments, type SegmentOptions } from './segments.ts';

export interface EncodeInput extends VersionInput, SegmentOptions {
  readonly format: Format;
  readonly plaintext: Plaintext;
  /** k */
  readonly required: number;
  /** N, at most 255. */
  readonly total: number;
  /** 16 fresh random bytes. */
  readonly newSalt: () => Uint8Array;
}

/**
 * The first pass over the plaintext; the second happens when parts are asked for their bytes.
 * @throws OutOfRangeError unless 1 <= k <= N <= 255, and for a file that would be too large
 * @throws SourceChangedError as do the parts, when the plaintext is not the same each time
 */
export async function encodeVersion(input: EncodeInput): Promise<EncodedVersion> {
  const { format, plaintext, required, total, newSalt } = input;
  checkEncoding(required, total);
  const geometry = geometryOf(format, required, plaintext.size);
  checkEncodable(geometry);
  const salt = format === 'sdmf' ? newSalt() : undefined;
  const segments = await encodeSegments({
    ...input,
    geometry,
    firstSegment: 0,
    nextSalt: () => salt ?? newSalt(),
  });
  const stint = new Stint();
  const blockHashTrees: Uint8Array[] = [];
  for (const hashes of segments.blockHashes) {
    blockHashTrees.push(await buildLongHashTree(hashes, stint));
  }
  const sealed = await sealVersion({ ...input, geometry, salt, blockHashTrees });
  const { header, head, tail } = sealed;
  return encodedVersion(sealed, (shnum) => {
    const parts = [...entryParts(header, segments, shnum), tail(shnum), head(shnum)];
    return format === 'sdmf' ? [wholeShare(header.layout.end, parts)] : parts;
  });
}

/** One write, so that a server that crashes keeps one version of the share whole, if it can. */
function wholeShare(length: number, parts: readonly WritePart[]): WritePart {
  return partOf({ offset: 0, length }, async () => {
    const share = new Uint8Array(length);
    for (const part of parts) share.set(await part.bytes(), part.offset);
    return share;
  });
}
