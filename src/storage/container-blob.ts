/**
 * @module container-blob: one container as a Blob: read it, or make its successor.
 *
 * A Blob is not in memory: a browser reads the slices that are asked for, and puts a successor
 * together out of old slices and new parts. Nothing here changes what is there.
 */
import { concatBytes, viewOf } from '../bytes.ts';
import {
  type ContainerFrame,
  type ContainerVersion,
  DATA_OFFSET,
  encodeExtraLeases,
  encodeHeader,
  HEADER_LEASES,
  type LeaseSlots,
} from './container.ts';
import {
  type Frame,
  type OpenContainer,
  readData,
  readFrame,
  readImmutableFrame,
} from './container-reading.ts';
import {
  encodeImmutableLease,
  immutableDataOffset,
  immutableLeaseCountOffset,
  isImmutable,
} from './immutable-container.ts';
import type { ByteRange, ShareKind } from './server.ts';
import { type HeldShare, type Pieces, produceParts, type ShareRewrite, unchanged } from './slot.ts';

/** A hole between parts that no memory could fill with zeros. */
export class HoleFault extends Error {}

/** What a server knows of a share it holds as a Blob. */
export interface HeldBlob extends HeldShare, Frame {
  readonly blob: Blob;
}

/** @throws BadContainerError; and what the browser rejects with where a Blob cannot be read */
export async function readBlob(blob: Blob, where: string): Promise<HeldBlob> {
  const frame = await readFrame(opened(blob, where));
  return {
    ...frame,
    blob,
    writeEnabler: frame.header.writeEnabler,
    length: frame.header.dataLength,
    read: (range) => readBlobData('mutable', blob, range, where),
  };
}

/** A range of the data, cut at its end. @throws as {@link readBlob} */
export async function readBlobData(
  kind: ShareKind,
  blob: Blob,
  range: ByteRange,
  where: string,
): Promise<Uint8Array> {
  return readData(kind, opened(blob, where), range);
}

/**
 * The container that a share shall become.
 * @throws HoleFault; and what `pieces` throws
 */
export async function rewrittenBlob(
  old: HeldBlob | undefined,
  frame: ContainerFrame,
  { length, oldLength }: Pick<ShareRewrite, 'length' | 'oldLength'>,
  pieces: Pieces,
): Promise<Blob> {
  const layers: Span[] = [];
  const kept = Math.min(oldLength, length);
  if (old !== undefined) layers.push(spanOf(0, old.blob.slice(DATA_OFFSET, DATA_OFFSET + kept)));
  // In a Blob at once: what made the bytes may put others where they are.
  for await (const { offset, bytes } of pieces) lay(layers, spanOf(offset, blobOf(bytes)));
  const end = DATA_OFFSET + length;
  const header = encodeHeader({ ...frame, dataLength: length, extraLeaseOffset: end });
  const extra = encodeExtraLeases(frame.leases.slice(HEADER_LEASES));
  return blobOf(header, ...filled(layers, length), extra);
}

/** A container of either kind with other leases. @throws as {@link readBlob} */
export async function leasedBlob(
  blob: Blob,
  where: string,
  leased: (version: ContainerVersion, leases: LeaseSlots) => LeaseSlots,
): Promise<Blob> {
  const container = opened(blob, where);
  if (isImmutable(await container.readAt(4, 0))) {
    const { version, leases: old, end } = await readImmutableFrame(container);
    const leases = leased(version, old);
    const start = (await container.readAt(immutableDataOffset, 0)).slice();
    viewOf(start).setUint32(immutableLeaseCountOffset, leases.length);
    const encoded = concatBytes(...leases.map(encodeImmutableLease));
    return blobOf(start, blob.slice(immutableDataOffset, end), encoded);
  }
  const old = await readBlob(blob, where);
  const { version, nodeId, writeEnabler } = old.header;
  const frame = { version, nodeId, writeEnabler, leases: leased(version, old.leases) };
  const change = unchanged(old.length);
  return rewrittenBlob(old, frame, change, produceParts(change));
}

function opened(blob: Blob, where: string): OpenContainer {
  return {
    where,
    size: blob.size,
    // In memory of the browser's own in any case.
    readAt: async (length, position) =>
      new Uint8Array(await blob.slice(position, position + length).arrayBuffer()),
  };
}

/** Bytes at a place of the data. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly blob: Blob;
}

function spanOf(start: number, blob: Blob): Span {
  return { start, end: start + blob.size, blob };
}

/** Puts one over those that are there, of which what is not covered stays; they are in order. */
function lay(spans: Span[], over: Span): void {
  const first = spans.findLastIndex(({ end }) => end <= over.start) + 1;
  let next = first;
  while (next < spans.length && (spans[next] as Span).start < over.end) next += 1;
  const covered = spans.slice(first, next);
  const parts = [
    ...covered.slice(0, 1).map((span) => cut(span, span.start, over.start)),
    over,
    ...covered.slice(-1).map((span) => cut(span, over.end, span.end)),
  ];
  spans.splice(first, covered.length, ...parts.filter(({ start, end }) => start < end));
}

function cut({ start, blob }: Span, from: number, to: number): Span {
  return { start: from, end: to, blob: blob.slice(from - start, Math.max(from, to) - start) };
}

/** All bytes up to `length`, with zeros where there is nothing. */
function* filled(spans: readonly Span[], length: number): Generator<BlobPart> {
  let at = 0;
  for (const { start, end, blob } of spans) {
    if (start > at) yield zeros(start - at);
    yield blob;
    at = end;
  }
  if (length > at) yield zeros(length - at);
}

/** @throws HoleFault */
function zeros(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new HoleFault(`no memory for ${length} bytes`, { cause });
  }
}

/** `bytes` may be a view of shared memory for the type checker, which no Blob takes; ours is not. */
function blobOf(...parts: readonly (BlobPart | Uint8Array)[]): Blob {
  return new Blob(parts as BlobPart[]);
}
