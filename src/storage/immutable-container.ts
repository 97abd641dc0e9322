/**
 * @module immutable-container: Tahoe's container of an immutable share, versions 1 and 2
 * (`storage/immutable.py`), as far as it is read. Layout: u32 version, u32 size (of an old kind; it
 * says nothing), u32 number of leases, data, leases.
 */
import { viewOf } from '../bytes.ts';
import { BadContainerError } from '../errors.ts';

/** Where the data begins, in bytes. */
export const immutableDataOffset = 12;
const leaseLength = 72;

/**
 * Bytes of data in a container.
 * @param start its first {@link immutableDataOffset} bytes, or fewer if the file is shorter
 * @param fileLength of the whole file, in bytes
 * @param where the path, for the error
 * @throws BadContainerError
 */
export function immutableDataLength(start: Uint8Array, fileLength: number, where: string): number {
  if (start.length < immutableDataOffset) {
    throw new BadContainerError(where, `header: truncated at ${fileLength} bytes`);
  }
  const view = viewOf(start);
  const version = view.getUint32(0);
  if (version !== 1 && version !== 2) {
    throw new BadContainerError(where, 'version: not an immutable container');
  }
  const leases = view.getUint32(8);
  const length = fileLength - immutableDataOffset - leases * leaseLength;
  if (length < 0) throw new BadContainerError(where, `leases: ${leases} do not fit the file`);
  return length;
}
