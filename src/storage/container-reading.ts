/**
 * @module container-reading: a container as it is read piece by piece, wherever its bytes lie: in a
 * file, or in a browser.
 */
import { BadContainerError } from '../errors.ts';
import {
  type ContainerHeader,
  type ContainerVersion,
  DATA_OFFSET,
  EXTRA_COUNT_LENGTH,
  EXTRA_LEASES_MAX,
  LEASE_LENGTH,
  type LeaseSlots,
  parseExtraCount,
  parseHeader,
  parseLeases,
} from './container.ts';
import {
  immutableDataOffset,
  immutableHeader,
  parseImmutableLeases,
} from './immutable-container.ts';
import type { ByteRange, ShareKind } from './server.ts';
import { cutRange } from './slot.ts';

export interface OpenContainer {
  /** Where it is, for errors. */
  readonly where: string;
  /** Of all of it, in bytes. */
  readonly size: number;
  /** Fewer bytes at its end; put into `into` where that is given and the reader cares. */
  readAt(length: number, position: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** What a slot's container holds beside its data. */
export interface Frame {
  readonly header: ContainerHeader;
  /** All of them, also those behind the data. */
  readonly leases: LeaseSlots;
}

/** What the container of an immutable share holds beside its data. */
export interface ImmutableFrame {
  readonly version: ContainerVersion;
  readonly leases: LeaseSlots;
  /** Where the data ends and the leases begin, in bytes. */
  readonly end: number;
}

/** A range of the data, cut at its end. @throws BadContainerError */
export async function readData(
  kind: ShareKind,
  container: OpenContainer,
  range: ByteRange,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const { size, where } = container;
  const [begin, parse] =
    kind === 'mutable' ? [DATA_OFFSET, parseHeader] : [immutableDataOffset, immutableHeader];
  const start = await container.readAt(Math.min(begin, size), 0);
  const { offset, length } = cutRange(range, parse(start, size, where).dataLength);
  return readExactly(container, length, begin + offset, into);
}

/** @throws BadContainerError */
export async function readFrame(container: OpenContainer): Promise<Frame> {
  const { size, where } = container;
  const header = parseHeader(await container.readAt(Math.min(DATA_OFFSET, size), 0), size, where);
  const at = header.extraLeaseOffset;
  const count = await readExactly(container, EXTRA_COUNT_LENGTH, at);
  const extra = parseExtraCount(count, header, size, where) * LEASE_LENGTH;
  const leases = parseLeases(await readExactly(container, extra, at + EXTRA_COUNT_LENGTH));
  return { header, leases: [...header.leases, ...leases] };
}

/** @throws BadContainerError */
export async function readImmutableFrame(container: OpenContainer): Promise<ImmutableFrame> {
  const { size, where } = container;
  const start = await container.readAt(Math.min(immutableDataOffset, size), 0);
  const { version, leases: count, dataLength } = immutableHeader(start, size, where);
  if (count > EXTRA_LEASES_MAX) {
    throw new BadContainerError(where, `leases: ${count} are too many`);
  }
  const end = immutableDataOffset + dataLength;
  const leases = parseImmutableLeases(await readExactly(container, size - end, end));
  return { version, leases, end };
}

async function readExactly(
  container: OpenContainer,
  length: number,
  position: number,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = await container.readAt(length, position, into);
  if (bytes.length === length) return bytes;
  throw new BadContainerError(container.where, 'data: the file became shorter');
}
