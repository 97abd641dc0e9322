/**
 * @module share-file: one file of a server's folder, a share in its container, as far as it can be
 * understood without a cap. Nothing is verified, and no secret comes out: neither the write enabler
 * nor those of leases.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fromBase32, toBase32, viewOf } from '../bytes.ts';
import { formatCap } from '../caps.ts';
import { deriveFingerprint } from '../crypto/keys.ts';
import { BadContainerError, BadSourceError, TahoeMutableError } from '../errors.ts';
import { formatImmutableCap } from '../immutable/caps.ts';
import {
  checkHashes,
  chkHeaderLengthMax,
  chkLayoutIn,
  parseChkLayout,
} from '../immutable/layout.ts';
import { chkFieldsIn, parseUeb, uebIn, uebLengthMax } from '../immutable/ueb.ts';
import { headerLengthMax, parseShareHeader } from '../share/header.ts';
import { chainEntryLength } from '../share/layout.ts';
import { readFully } from '../storage/atomic-file.ts';
import { DATA_OFFSET, type LeaseSlots } from '../storage/container.ts';
import { readContainer } from '../storage/container-file.ts';
import { openEntry } from '../storage/folder-entry.ts';
import {
  immutableDataOffset,
  immutableHeader,
  isImmutable,
  parseImmutableLeases,
} from '../storage/immutable-container.ts';
import type { ByteRange } from '../storage/server.ts';

export interface ShareDump {
  readonly path: string;
  /** In base32, by the folder that it is in; undefined where that is called otherwise. */
  readonly storageIndex: string | undefined;
  /** Undefined where it is none; likewise the share in it. */
  readonly container?: {
    readonly kind: 'mutable' | 'immutable';
    readonly version: number;
    /** Bytes; where the data begins, from the start of the file. */
    readonly dataOffset: number;
    readonly dataLength: number;
    /** In base32: the server that the write enabler was made for. */
    readonly nodeId?: string;
    readonly leases: readonly { readonly owner: number; readonly expires: string }[];
  };
  readonly share?: ShareFields | undefined;
  /** Why one of them cannot be understood. */
  readonly problem?: string | undefined;
}

export interface ShareFields {
  readonly format: string;
  /** What it says of its version, in the order in which people want to know it. */
  readonly says: Readonly<Record<string, number | string>>;
  /** Bytes from the start of the data. */
  readonly fields: Readonly<Record<string, ByteRange>>;
  /** Of the file, if its storage index is known. */
  readonly verifyCap?: string | undefined;
}

/** Reads a part of the data. */
type Read = (range: ByteRange) => Promise<Uint8Array>;

type Dumped = Omit<ShareDump, 'path' | 'storageIndex'>;

/** @throws BadSourceError for what is no file, and what the system says */
export async function dumpShare(path: string): Promise<ShareDump> {
  const file = await openEntry(path, constants.O_RDONLY, (what) => {
    return new BadSourceError(path, `is ${what}, not a file`);
  });
  const index = storageIndexAt(path);
  const named = { path, storageIndex: index && toBase32(index) };
  try {
    const isChk = isImmutable(await readFully(file, 4, 0));
    const dumped = isChk ? dumpImmutable(file, path, index) : dumpMutable(path, index);
    return { ...named, ...(await dumped) };
  } catch (error) {
    if (error instanceof BadContainerError) return { ...named, problem: error.facts.problem };
    throw error;
  } finally {
    await file.close();
  }
}

function storageIndexAt(path: string): Uint8Array | undefined {
  const name = basename(dirname(path));
  return /^[a-z2-7]{26}$/.test(name) ? fromBase32(name) : undefined;
}

async function dumpMutable(path: string, storageIndex?: Uint8Array): Promise<Dumped> {
  const { header, leases, read } = await readContainer(path);
  const { version, dataLength, nodeId } = header;
  return {
    container: {
      ...{ kind: 'mutable', version, dataOffset: DATA_OFFSET, dataLength },
      ...{ nodeId: toBase32(nodeId), leases: leasesIn(leases) },
    },
    ...(await understood(() => mutableFields(read, storageIndex))),
  };
}

async function mutableFields(read: Read, storageIndex: Uint8Array | undefined) {
  const header = parseShareHeader(await read({ offset: 0, length: headerLengthMax }));
  const { format, seqnum, rootHash, salt, required, total, layout } = header;
  const { segmentSize, segmentCount, dataLength } = header;
  const { end, ...fields } = layout;
  const fingerprint = deriveFingerprint(await read(layout.verificationKey));
  const chain = nodesIn(await read(layout.shareHashChain));
  const cap = { kind: 'verify', format, directory: false, fingerprint } as const;
  return {
    format,
    says: {
      ...{ seqnum, rootHash: toBase32(rootHash), ...(salt && { salt: toBase32(salt) }) },
      ...{ required, total, segmentSize, segmentCount, dataLength, shareLength: end },
      ...{ chainNodes: chain, fingerprint: toBase32(fingerprint) },
    },
    fields,
    verifyCap: storageIndex && formatCap({ ...cap, storageIndex }),
  };
}

async function dumpImmutable(
  file: FileHandle,
  path: string,
  storageIndex?: Uint8Array,
): Promise<Dumped> {
  const { size } = await file.stat();
  const start = await readFully(file, Math.min(immutableDataOffset, size), 0);
  const { version, leases: count, dataLength } = immutableHeader(start, size, path);
  const end = immutableDataOffset + dataLength;
  if (count > leasesMax) throw new BadContainerError(path, `leases: ${count} are too many`);
  const leases = parseImmutableLeases(await readFully(file, size - end, end));
  const read: Read = ({ offset, length }) => {
    const left = Math.max(0, Math.min(length, dataLength - offset));
    return readFully(file, left, immutableDataOffset + Math.min(offset, dataLength));
  };
  return {
    container: {
      ...{ kind: 'immutable', version, dataOffset: immutableDataOffset, dataLength },
      leases: leasesIn(leases),
    },
    ...(await understood(() => immutableFields(read, storageIndex))),
  };
}

/** More are no reason to read on. */
const leasesMax = 65_536;

async function immutableFields(read: Read, storageIndex: Uint8Array | undefined) {
  const head = await read({ offset: 0, length: chkHeaderLengthMax });
  const { uebLength } = chkLayoutIn(head);
  const { offset, length: width } = uebLength;
  const block = uebIn(await read({ offset, length: width + uebLengthMax }), width);
  const cap = chkFieldsIn(block);
  const version = parseUeb(block, cap);
  const layout = parseChkLayout(head, cap);
  checkHashes(layout, version);
  const { size, required, total, uebHash } = cap;
  const { segmentSize, segmentCount, rootHash, crypttextRootHash } = version;
  const { uebLength: _, ...fields } = layout;
  const chain = nodesIn(await read(layout.shareHashChain));
  return {
    format: 'chk',
    says: {
      ...{ layout: viewOf(head).getUint32(0), size, required, total, segmentSize, segmentCount },
      ...{ rootHash: toBase32(rootHash), crypttextRootHash: toBase32(crypttextRootHash) },
      ...{ uebHash: toBase32(uebHash), chainNodes: chain },
    },
    fields: { ...fields, uriExtension: { offset: offset + width, length: block.length } },
    verifyCap:
      storageIndex &&
      formatImmutableCap({ kind: 'chk-verify', directory: false, ...cap, storageIndex }),
  };
}

/** What makes sense, or why it does not: a file that is broken is what people look into. */
async function understood(parse: () => Promise<ShareFields>) {
  try {
    return { share: await parse() };
  } catch (error) {
    if (error instanceof TahoeMutableError) return { problem: error.message };
    throw error;
  }
}

/** Numbers of the nodes of a chain, `2, 4, 8`. */
function nodesIn(chain: Uint8Array): string {
  const view = viewOf(chain);
  const count = Math.floor(chain.length / chainEntryLength);
  return Array.from({ length: count }, (_, i) => view.getUint16(i * chainEntryLength)).join(', ');
}

function leasesIn(leases: LeaseSlots) {
  return leases
    .filter((lease) => lease !== undefined)
    .map(({ owner, expires }) => ({ owner, expires: new Date(expires * 1000).toISOString() }));
}
