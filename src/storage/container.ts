/**
 * @module container: Tahoe's mutable share container, versions 1 and 2 (docs/format.md §6.1).
 *
 * Rules: a container is parsed strictly or refused, before anything is sized by one of its fields;
 * version 2 stores lease secrets as BLAKE2b-256, version 1 in clear, and a container keeps its
 * version. Layout: 468-byte header (with four lease slots), data, u32 count, extra leases.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes, equalBytes, hexToBytes, readSafeU64, u64, utf8, viewOf } from '../bytes.ts';
import { BadContainerError } from '../errors.ts';
import type { WriteSecrets } from './server.ts';

/** Where the data begins, in bytes: the length of the header. */
export const DATA_OFFSET = 468;
/** Lease slots within the header; more leases follow the data. */
export const HEADER_LEASES = 4;
export const LEASE_LENGTH = 92;
/** Where the lease slots of the header begin, in bytes. */
export const LEASES_OFFSET = 100;
/** Length of the field that counts the extra leases, in bytes. */
export const EXTRA_COUNT_LENGTH = 4;
/** Of the extra leases in one container; Tahoe knows no limit, a hostile file must meet one. */
export const EXTRA_LEASES_MAX = 65_536;
/** 31 days, in seconds. */
const LEASE_DURATION_S = 31 * 24 * 60 * 60;

export type ContainerVersion = 1 | 2;

const MAGIC: Readonly<Record<ContainerVersion, Uint8Array>> = {
  1: concatBytes(utf8('Tahoe mutable container v1\n'), hexToBytes('750944038e')),
  2: concatBytes(utf8('Tahoe mutable container v2\n'), hexToBytes('c355219925')),
};

/** One client's promise to keep a share alive. */
export interface Lease {
  /** Never 0, which marks an empty slot; Tahoe always writes 1. */
  readonly owner: number;
  /** Unix time in seconds. */
  readonly expires: number;
  /** 32 bytes as stored: see {@link storedSecret}. */
  readonly renew: Uint8Array;
  /** 32 bytes as stored. */
  readonly cancel: Uint8Array;
  /** The 20-byte TubID of the server that accepted the lease. */
  readonly nodeId: Uint8Array;
}

/** By slot: the first four are in the header, `undefined` is an empty slot. */
export type LeaseSlots = readonly (Lease | undefined)[];

export interface ContainerHeader {
  readonly version: ContainerVersion;
  /** The 20-byte TubID of the server that accepted the write enabler. */
  readonly nodeId: Uint8Array;
  /** 32 bytes. */
  readonly writeEnabler: Uint8Array;
  /** Bytes. */
  readonly dataLength: number;
  /** Where the count of extra leases is, in bytes from the start of the file. */
  readonly extraLeaseOffset: number;
  /** The header keeps the first four. */
  readonly leases: LeaseSlots;
}

/**
 * Reads the header out of the first bytes of a file.
 * @param start the first {@link DATA_OFFSET} bytes, or fewer if the file is shorter
 * @param fileLength of the whole file, in bytes
 * @param where the path, for the error
 * @throws BadContainerError
 */
export function parseHeader(start: Uint8Array, fileLength: number, where: string): ContainerHeader {
  const version = versionOf(start.subarray(0, 32));
  if (version === undefined) throw new BadContainerError(where, 'magic: not a mutable container');
  if (start.length < DATA_OFFSET || fileLength < DATA_OFFSET) {
    throw new BadContainerError(where, `header: truncated at ${fileLength} bytes`);
  }
  const view = viewOf(start);
  const dataLength = readSafeU64(view, 84);
  if (dataLength === undefined || dataLength > fileLength - DATA_OFFSET) {
    throw new BadContainerError(where, 'data length: beyond the end of the file');
  }
  const extraLeaseOffset = readSafeU64(view, 92);
  if (extraLeaseOffset === undefined || extraLeaseOffset > fileLength - EXTRA_COUNT_LENGTH) {
    throw new BadContainerError(where, 'extra-lease offset: beyond the end of the file');
  }
  if (extraLeaseOffset < DATA_OFFSET + dataLength) {
    throw new BadContainerError(where, 'extra-lease offset: within the header or the data');
  }
  return {
    version,
    nodeId: start.slice(32, 52),
    writeEnabler: start.slice(52, 84),
    dataLength,
    extraLeaseOffset,
    leases: parseLeases(start.subarray(LEASES_OFFSET, DATA_OFFSET)),
  };
}

function versionOf(magic: Uint8Array): ContainerVersion | undefined {
  if (equalBytes(magic, MAGIC[2])) return 2;
  return equalBytes(magic, MAGIC[1]) ? 1 : undefined;
}

/**
 * How many extra leases follow the count.
 * @param count the 4 bytes at `extraLeaseOffset`
 * @throws BadContainerError when the file cannot hold that many
 */
export function parseExtraCount(
  count: Uint8Array,
  { extraLeaseOffset }: ContainerHeader,
  fileLength: number,
  where: string,
): number {
  const leases = viewOf(count).getUint32(0);
  const room = fileLength - extraLeaseOffset - EXTRA_COUNT_LENGTH;
  if (leases > EXTRA_LEASES_MAX || leases * LEASE_LENGTH > room) {
    throw new BadContainerError(where, `extra-lease count: ${leases} do not fit the file`);
  }
  return leases;
}

/** Lease slots out of a whole number of 92-byte fields. */
export function parseLeases(bytes: Uint8Array): LeaseSlots {
  const slots: (Lease | undefined)[] = [];
  for (let at = 0; at < bytes.length; at += LEASE_LENGTH) {
    slots.push(parseLease(bytes.subarray(at, at + LEASE_LENGTH)));
  }
  return slots;
}

function parseLease(bytes: Uint8Array): Lease | undefined {
  const view = viewOf(bytes);
  const owner = view.getUint32(0);
  if (owner === 0) return undefined;
  return {
    owner,
    expires: view.getUint32(4),
    renew: bytes.slice(8, 40),
    cancel: bytes.slice(40, 72),
    nodeId: bytes.slice(72, 92),
  };
}

/** The {@link DATA_OFFSET} bytes of a header, with the first four lease slots. */
export function encodeHeader(header: ContainerHeader): Uint8Array {
  const leases = new Uint8Array(HEADER_LEASES * LEASE_LENGTH);
  const slots = header.leases.slice(0, HEADER_LEASES);
  for (const [slot, lease] of slots.entries()) leases.set(encodeLease(lease), slot * LEASE_LENGTH);
  return concatBytes(
    MAGIC[header.version],
    header.nodeId,
    header.writeEnabler,
    u64(header.dataLength),
    u64(header.extraLeaseOffset),
    leases,
  );
}

/** What follows the data: the count and the leases beyond the first four slots. */
export function encodeExtraLeases(extra: LeaseSlots): Uint8Array {
  const count = new Uint8Array(EXTRA_COUNT_LENGTH);
  viewOf(count).setUint32(0, extra.length);
  return concatBytes(count, ...extra.map(encodeLease));
}

/** One 92-byte slot; all zeros when empty. */
export function encodeLease(lease: Lease | undefined): Uint8Array {
  const bytes = new Uint8Array(LEASE_LENGTH);
  if (lease === undefined) return bytes;
  const view = viewOf(bytes);
  view.setUint32(0, lease.owner);
  view.setUint32(4, lease.expires);
  bytes.set(lease.renew, 8);
  bytes.set(lease.cancel, 40);
  bytes.set(lease.nodeId, 72);
  return bytes;
}

/** A lease secret as a container of this version keeps it. */
export function storedSecret(version: ContainerVersion, secret: Uint8Array): Uint8Array {
  return version === 2 ? blake2b(secret, { dkLen: 32 }) : secret.slice();
}

/** Who renews or adds a lease, on what kind of container, and when. */
export interface LeaseRequest {
  readonly version: ContainerVersion;
  readonly secrets: Pick<WriteSecrets, 'renewSecret' | 'cancelSecret'>;
  readonly nodeId: Uint8Array;
  /** Unix time in seconds. */
  readonly now: number;
}

/** Everything in a container except what follows from its data. */
export type ContainerFrame = Omit<ContainerHeader, 'dataLength' | 'extraLeaseOffset'>;

/** That of what a write makes of a share, or of none: its first write says whose it is. */
export function successorFrame(
  old: { readonly header: ContainerHeader; readonly leases: LeaseSlots } | undefined,
  { secrets, ...by }: Omit<LeaseRequest, 'version'> & { readonly secrets: WriteSecrets },
): ContainerFrame {
  const { version, nodeId, writeEnabler } = old?.header ?? {
    version: 2,
    nodeId: by.nodeId,
    writeEnabler: secrets.writeEnabler,
  };
  const leases = renewOrAddLease(old?.leases ?? [], { ...by, version, secrets });
  return { version, nodeId, writeEnabler, leases };
}

/** All lease slots, after the lease with this renew secret was renewed or, given room, added. */
export function renewOrAddLease(slots: LeaseSlots, request: LeaseRequest): LeaseSlots {
  const expires = Math.min(Math.floor(request.now) + LEASE_DURATION_S, 0xffffffff);
  const renew = storedSecret(request.version, request.secrets.renewSecret);
  const own = slots.findIndex((lease) => lease !== undefined && equalBytes(lease.renew, renew));
  const old = slots[own];
  if (old !== undefined) {
    // A server whose clock went back does not shorten a lease.
    return slots.with(own, { ...old, expires: Math.max(old.expires, expires) });
  }
  const cancel = storedSecret(request.version, request.secrets.cancelSecret);
  const lease = { owner: 1, expires, renew, cancel, nodeId: request.nodeId };
  const empty = slots.indexOf(undefined);
  return empty < 0 ? [...slots, lease] : slots.with(empty, lease);
}
