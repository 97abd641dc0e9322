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
  type ContainerFrame,
  type ContainerVersion,
  DATA_OFFSET,
  encodeExtraLeases,
  encodeHeader,
  encodeLease,
  HEADER_LEASES,
  LEASE_LENGTH,
  LEASES_OFFSET,
  type LeaseSlots,
} from './container.ts';
import {
  type Frame,
  type OpenContainer,
  readData,
  readFrame,
  readImmutableFrame,
} from './container-reading.ts';
import { openEntry } from './folder-entry.ts';
import {
  encodeImmutableLease,
  immutableLeaseCountOffset,
  immutableLeaseLength,
  isImmutable,
} from './immutable-container.ts';
import { give, type Ownership, ownershipOf } from './ownership.ts';
import type { ByteRange, ShareKind } from './server.ts';
import type { HeldShare, Pieces, ShareRewrite } from './slot.ts';

/** What a server knows of a share it holds as a file. */
export interface HeldContainer extends HeldShare, Frame {
  readonly path: string;
  readonly ownership: Ownership;
}

/** @throws BadContainerError; and, with their errno, what `open` and `read` throw */
export async function readContainer(path: string): Promise<HeldContainer> {
  return withFile(path, constants.O_RDONLY, async (file) => {
    const status = await file.stat();
    const frame = await readFrame(opened(file, path, status.size));
    return {
      ...frame,
      path,
      ownership: ownershipOf(status),
      writeEnabler: frame.header.writeEnabler,
      length: frame.header.dataLength,
      read: (range) => readContainerData('mutable', path, range),
    };
  });
}

/**
 * A range of the data, cut at its end.
 * @param into where the bytes are put; new memory by default
 * @throws as {@link readContainer}
 */
export async function readContainerData(
  kind: ShareKind,
  path: string,
  range: ByteRange,
  into?: Uint8Array,
): Promise<Uint8Array> {
  return withFile(path, constants.O_RDONLY, async (file) => {
    const { size } = await file.stat();
    return readData(kind, opened(file, path, size), range, into);
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
    const container = opened(file, path, status.size);
    const { version, leases: old, end } = await readImmutableFrame(container);
    const leases = leased(version, old);
    if (leases.length === old.length) {
      for (const [i, lease] of leases.entries()) {
        if (lease === old[i]) continue;
        const bytes = encodeImmutableLease(lease);
        await writeFully(file, bytes, end + i * immutableLeaseLength);
      }
      await file.datasync();
      return undefined;
    }
    const staged = nameTemp();
    const fill = async (copy: FileHandle) => {
      await give(copy, path, ownershipOf(status));
      const added = leases.slice(old.length).map(encodeImmutableLease);
      await writeFully(copy, concatBytes(...added), status.size);
      const total = new Uint8Array(4);
      viewOf(total).setUint32(0, leases.length);
      await writeFully(copy, total, immutableLeaseCountOffset);
    };
    await stageFile(staged, fill, { from: path, mode: 0o600 });
    return staged;
  });
}

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

function opened(file: FileHandle, where: string, size: number): OpenContainer {
  return {
    where,
    size,
    readAt: (length, position, into) => readFully(file, length, position, into),
  };
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
