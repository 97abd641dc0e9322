/**
 * @module container-file: one container file on disk: read it, or stage its successor.
 *
 * Rules: a container is never changed in place, except a lease slot of its header (one sector, and
 * no share byte); the data goes through memory one part at a time, and not at all when unchanged.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { concatBytes, viewOf } from '../bytes.ts';
import { BadContainerError } from '../errors.ts';
import { readFully, stageFile, writeFully } from './atomic-file.ts';
import {
  type ContainerHeader,
  type ContainerVersion,
  DATA_OFFSET,
  EXTRA_COUNT_LENGTH,
  EXTRA_LEASES_MAX,
  encodeExtraLeases,
  encodeHeader,
  encodeLease,
  HEADER_LEASES,
  LEASE_LENGTH,
  LEASES_OFFSET,
  type LeaseSlots,
  parseExtraCount,
  parseHeader,
  parseLeases,
} from './container.ts';
import { openEntry } from './folder-entry.ts';
import {
  encodeImmutableLease,
  immutableDataOffset,
  immutableHeader,
  immutableLeaseCountOffset,
  immutableLeaseLength,
  isImmutable,
  parseImmutableLeases,
} from './immutable-container.ts';
import { give, type Ownership, ownershipOf } from './ownership.ts';
import type { ByteRange } from './server.ts';
import { cutRange, type HeldShare, type ShareRewrite } from './slot.ts';

/** What a server knows of a share it holds as a file. */
export interface HeldContainer extends HeldShare {
  readonly path: string;
  readonly ownership: Ownership;
  readonly header: ContainerHeader;
  /** All of them, also those behind the data. */
  readonly leases: LeaseSlots;
}

/** @throws BadContainerError; and, with their errno, what `open` and `read` throw */
export async function readContainer(path: string): Promise<HeldContainer> {
  return withFile(path, constants.O_RDONLY, async (file) => {
    const { header, fileLength, ownership } = await readHeader(file, path);
    const at = header.extraLeaseOffset;
    const count = await readExactly(file, EXTRA_COUNT_LENGTH, at, path);
    const extra = parseExtraCount(count, header, fileLength, path) * LEASE_LENGTH;
    const leases = parseLeases(await readExactly(file, extra, at + EXTRA_COUNT_LENGTH, path));
    return {
      path,
      ownership,
      header,
      leases: [...header.leases, ...leases],
      writeEnabler: header.writeEnabler,
      length: header.dataLength,
      read: (range) => readContainerData(path, range),
    };
  });
}

/**
 * A range of the data, cut at its end.
 * @param into where the bytes are put; new memory by default
 * @throws as {@link readContainer}
 */
export async function readContainerData(
  path: string,
  range: ByteRange,
  into?: Uint8Array,
): Promise<Uint8Array> {
  return withFile(path, constants.O_RDONLY, async (file) => {
    const { header } = await readHeader(file, path);
    const { offset, length } = cutRange(range, header.dataLength);
    return readExactly(file, length, DATA_OFFSET + offset, path, into);
  });
}

/** A range of the data of an immutable share, cut at its end. @throws as {@link readContainer} */
export async function readImmutableData(
  path: string,
  range: ByteRange,
  into?: Uint8Array,
): Promise<Uint8Array> {
  return withFile(path, constants.O_RDONLY, async (file) => {
    const { size } = await file.stat();
    const start = await readFully(file, Math.min(immutableDataOffset, size), 0);
    const { offset, length } = cutRange(range, immutableHeader(start, size, path).dataLength);
    return readExactly(file, length, immutableDataOffset + offset, path, into);
  });
}

/** By its first bytes. @throws as {@link readContainer} */
export async function isImmutableContainer(path: string): Promise<boolean> {
  return withFile(path, constants.O_RDONLY, async (file) =>
    isImmutable(await readFully(file, 4, 0)),
  );
}

/**
 * Renews a lease of an immutable share in place; adds one by a successor, which is complete and on
 * disk, and shall take the place of the share.
 * @returns where the successor is, if there is one
 * @throws as {@link readContainer}
 */
export async function leaseImmutable(
  path: string,
  nameTemp: () => string,
  leased: (version: ContainerVersion, leases: LeaseSlots) => LeaseSlots,
): Promise<string | undefined> {
  return withFile(path, constants.O_RDWR, async (file) => {
    const status = await file.stat();
    const start = await readFully(file, Math.min(immutableDataOffset, status.size), 0);
    const { version, leases: count, dataLength } = immutableHeader(start, status.size, path);
    if (count > EXTRA_LEASES_MAX)
      throw new BadContainerError(path, `leases: ${count} are too many`);
    const at = immutableDataOffset + dataLength;
    const old = parseImmutableLeases(await readExactly(file, status.size - at, at, path));
    const leases = leased(version, old);
    if (leases.length === count) {
      for (const [i, lease] of leases.entries()) {
        if (lease === old[i]) continue;
        const bytes = encodeImmutableLease(lease);
        await writeFully(file, bytes, at + i * immutableLeaseLength);
      }
      await file.datasync();
      return undefined;
    }
    const staged = nameTemp();
    const fill = async (copy: FileHandle) => {
      await give(copy, path, ownershipOf(status));
      const added = leases.slice(count).map(encodeImmutableLease);
      await writeFully(copy, concatBytes(...added), status.size);
      const total = new Uint8Array(4);
      viewOf(total).setUint32(0, leases.length);
      await writeFully(copy, total, immutableLeaseCountOffset);
    };
    await stageFile(staged, fill, { from: path, mode: 0o600 });
    return staged;
  });
}

/** The new bytes of a share, and where they go. */
export type Pieces = AsyncIterable<{ readonly offset: number; readonly bytes: Uint8Array }>;

/** Everything in a container except the data. */
type ContainerFrame = Omit<ContainerHeader, 'dataLength' | 'extraLeaseOffset'>;

export interface Succession {
  /** Where to create the new container; there must be nothing. */
  readonly staged: string;
  /** The container as it is, if there is one. */
  readonly old: string | undefined;
  /** How it shall be. */
  readonly ownership: Ownership;
  readonly frame: ContainerFrame;
  readonly change: ShareRewrite;
  readonly pieces: Pieces;
}

/** Creates the container that a share shall become, complete and on disk, but not in its place. */
export async function stageContainer(succession: Succession): Promise<void> {
  const { staged, old, ownership, frame, change, pieces } = succession;
  const end = DATA_OFFSET + change.length;
  const header = encodeHeader({ ...frame, dataLength: change.length, extraLeaseOffset: end });
  const fill = async (file: FileHandle) => {
    await give(file, old ?? staged, ownership);
    // Cuts off the extra leases and what an earlier, longer version left: holes must read as zeros.
    if (change.keepsOld) await file.truncate(DATA_OFFSET + change.oldLength);
    for await (const { offset, bytes } of pieces) {
      await writeFully(file, bytes, DATA_OFFSET + offset);
    }
    await file.truncate(end);
    await writeFully(file, encodeExtraLeases(frame.leases.slice(HEADER_LEASES)), end);
    await writeFully(file, header, 0);
  };
  // Readable by us alone until it has its owner.
  await stageFile(staged, fill, { from: change.keepsOld ? old : undefined, mode: 0o600 });
}

/**
 * Writes the header's lease slots that differ from the old ones, in place: the header lies within
 * one 512-byte sector, and renewing every lease of a grid must not rewrite every share.
 * @returns false, and does nothing, when a lease outside the header differs
 */
export async function updateHeaderLeases(
  { path, leases: old }: HeldContainer,
  leases: LeaseSlots,
): Promise<boolean> {
  const changed = [...leases.keys()].filter((slot) => leases[slot] !== old[slot]);
  if (changed.some((slot) => slot >= HEADER_LEASES)) return false;
  await withFile(path, constants.O_RDWR, async (file) => {
    for (const slot of changed) {
      await writeFully(file, encodeLease(leases[slot]), LEASES_OFFSET + slot * LEASE_LENGTH);
    }
    await file.datasync();
  });
  return true;
}

async function readHeader(
  file: FileHandle,
  path: string,
): Promise<{ header: ContainerHeader; fileLength: number; ownership: Ownership }> {
  const status = await file.stat();
  const start = await readFully(file, Math.min(DATA_OFFSET, status.size), 0);
  const header = parseHeader(start, status.size, path);
  return { header, fileLength: status.size, ownership: ownershipOf(status) };
}

async function readExactly(
  file: FileHandle,
  length: number,
  position: number,
  path: string,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = await readFully(file, length, position, into);
  if (bytes.length < length) throw new BadContainerError(path, 'data: the file became shorter');
  return bytes;
}

async function withFile<T>(
  path: string,
  flags: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await openEntry(
    path,
    flags,
    (what) => new BadContainerError(path, `${what}, not a file`),
  );
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
