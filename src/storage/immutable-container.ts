/**
 * @module immutable-container: Tahoe's container of an immutable share, versions 1 and 2
 * (`storage/immutable.py`), as far as it is read and leased. Layout: u32 version, u32 size (of an
 * old kind; it says nothing), u32 number of leases, data, leases. Version 2 hashes the secrets of
 * leases, as that of a slot does.
 */
import { viewOf } from '../bytes.ts';
import { BadContainerError } from '../errors.ts';
import type { ContainerVersion, Lease, LeaseSlots } from './container.ts';

/** Where the data begins, in bytes. */
export const immutableDataOffset = 12;
/** Where the number of leases is, in bytes. */
export const immutableLeaseCountOffset = 8;
export const immutableLeaseLength = 72;

export interface ImmutableHeader {
  readonly version: ContainerVersion;
  /** How many leases follow the data. */
  readonly leases: number;
  /** Bytes. */
  readonly dataLength: number;
}

/** Whether a file that begins so may be one: a slot's begins with a text. */
export function isImmutable(start: Uint8Array): boolean {
  return start.length >= 4 && versionOf(start) !== undefined;
}

function versionOf(start: Uint8Array): ContainerVersion | undefined {
  const version = viewOf(start).getUint32(0);
  return version === 1 || version === 2 ? version : undefined;
}

/**
 * @param start the first {@link immutableDataOffset} bytes of a container, or fewer if the file is
 * shorter
 * @param fileLength of the whole file, in bytes
 * @param where the path, for the error
 * @throws BadContainerError
 */
export function immutableHeader(
  start: Uint8Array,
  fileLength: number,
  where: string,
): ImmutableHeader {
  if (start.length < immutableDataOffset) {
    throw new BadContainerError(where, `header: truncated at ${fileLength} bytes`);
  }
  const version = versionOf(start);
  if (version === undefined) {
    throw new BadContainerError(where, 'version: not an immutable container');
  }
  const leases = viewOf(start).getUint32(immutableLeaseCountOffset);
  const dataLength = fileLength - immutableDataOffset - leases * immutableLeaseLength;
  if (dataLength < 0) throw new BadContainerError(where, `leases: ${leases} do not fit the file`);
  return { version, leases, dataLength };
}

/** Every lease, of whatever owner: no number marks an empty one here. */
export function parseImmutableLeases(bytes: Uint8Array): LeaseSlots {
  return Array.from({ length: bytes.length / immutableLeaseLength }, (_, i) => {
    const one = bytes.subarray(i * immutableLeaseLength, (i + 1) * immutableLeaseLength);
    const view = viewOf(one);
    return {
      owner: view.getUint32(0),
      renew: one.slice(4, 36),
      cancel: one.slice(36, 68),
      expires: view.getUint32(68),
      nodeId: new Uint8Array(0),
    };
  });
}

/** The 72 bytes of one; whose server it was is not kept. */
export function encodeImmutableLease(lease: Lease | undefined): Uint8Array {
  const bytes = new Uint8Array(immutableLeaseLength);
  if (lease === undefined) return bytes;
  const view = viewOf(bytes);
  view.setUint32(0, lease.owner);
  bytes.set(lease.renew, 4);
  bytes.set(lease.cancel, 36);
  view.setUint32(68, lease.expires);
  return bytes;
}
