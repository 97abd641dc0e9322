/**
 * @module session: one operation's access to the shares of one file.
 *
 * The charts know shares by (server, shnum); the session knows where their bytes are. It belongs
 * to one operation, so nothing that was read before another writer came is used after.
 */

import type { Failure } from '../../machines/io.ts';
import type { Hex, Place, ServerId, Servermap, Version } from '../../machines/servermap.ts';
import { unlessAborted } from '../abort.ts';
import { bytesToHex, equalBytes } from '../bytes.ts';
import type { Cap } from '../caps.ts';
import { deriveWriteEnabler } from '../crypto/keys.ts';
import { deriveLeaseSecrets } from '../crypto/leases.ts';
import type { SigningKey } from '../crypto/primitives.ts';
import { InsufficientCapError } from '../errors.ts';
import type { Recent } from '../recent.ts';
import { checkstringOf, headerLengthMax, packHeader, type ShareHeader } from '../share/header.ts';
import { parentTagLength, parentTagOf } from '../share/parent.ts';
import { ShareReader } from '../share/reader.ts';
import type { FileSignatures } from '../share/signatures.ts';
import type {
  ByteRange,
  ReadTestWriteAnswer,
  StorageServer,
  WriteSecrets,
} from '../storage/server.ts';
import type { Advisories } from './advisories.ts';
import { BatchedReads } from './batched-reads.ts';
import { isCorruption, toFailure } from './failure.ts';
import type { Pace } from './pace.ts';
import { placeName } from './place-name.ts';
import type { RememberedShares } from './remembered-shares.ts';
import type { Engine } from './run.ts';

/** What a writer needs beside the cap; found in a share, or made with the file. */
export interface WriterKeys {
  readonly signing: SigningKey;
  /** As the shares carry it: republished verbatim. */
  readonly encryptedPrivateKey: Uint8Array;
}

/** What is remembered of a file between operations, and handles of it may share. */
export interface Keyring {
  writer?: WriterKeys;
  /** How the servers stood after the last write, if nothing disturbed it, and how its shares begin. */
  lastWrite?: LastWrite;
}

export interface LastWrite {
  readonly map: Servermap;
  readonly header: ShareHeader;
  /** What is known of the shares after a change in place. */
  readonly shares: RememberedShares | undefined;
}

/** What one handle of a file knows of it: a new one takes the file as it is. */
export interface Sightings {
  /** The newest version that is acknowledged, or that was seen and may be. */
  newest?: Version;
}

/** Remembers `version` unless a newer one, or one as new, is remembered. */
export function remember(sightings: Sightings, version: Version): void {
  if (version.seqnum > (sightings.newest?.seqnum ?? 0)) sightings.newest = version;
}

/** What is asked for: calls of one kind take about as long as each other. */
type Call = 'query' | 'queryAll' | 'field' | 'blocks' | 'write';

export interface Session {
  readonly engine: Engine;
  readonly cap: Cap;
  readonly storageIndex: Uint8Array;
  readonly keyring: Keyring;
  readonly sightings: Sightings;
  readonly signatures: FileSignatures;
  /** By the field of a share that they were in. */
  readonly privateKeys: Recent<string, Promise<WriterKeys | undefined>>;
  /** Settled when the private key has been looked for where it is likely to be, if that was done. */
  keyAhead: Promise<unknown> | undefined;
  /** In permuted order. */
  readonly servers: ReadonlyMap<ServerId, StorageServer>;
  /** The first bytes of every share that was looked at, by {@link placeName}. */
  readonly heads: Map<string, Uint8Array>;
  /** What is known of the shares of the base, during a change in place. */
  shares: RememberedShares | undefined;
  /** First bytes that were asked for with the list, until their share is opened. */
  readonly early: Map<string, Promise<Uint8Array>>;
  /** Headers with a valid signature, by version. */
  readonly headers: Map<Hex, ShareHeader>;
  /** Like calls of this operation, which show each other what "slow" is. */
  readonly paces: Readonly<Record<Call, Pace>>;
  /** Who was asked which shares it holds. */
  readonly asked: Set<ServerId>;
  /** Bytes that the first read of a share asks for. */
  readonly headLength: number;
  readonly batches: BatchedReads;
  /** N of most files here. */
  readonly usualTotal: number;
  /** What a server asks of whoever writes to it. @throws InsufficientCapError without a write cap */
  readonly secretsFor: (server: StorageServer) => WriteSecrets;
  readonly advisories: Advisories;
}

export function serverOf(session: Session, id: ServerId): StorageServer {
  const server = session.servers.get(id);
  if (server === undefined) throw new Error(`no server ${id} in this session`);
  return server;
}

/** The first bytes of a share as they were read; none when they did not arrive. */
export function headOf(session: Session, place: Place): Uint8Array | undefined {
  return session.heads.get(placeName(place));
}

/** Notes that the first bytes of a share are here, or on their way, before it is opened. */
export function expectHead({ early }: Session, place: Place, head: Promise<Uint8Array>): void {
  early.set(placeName(place), head);
}

/** Reads the first bytes of a share and keeps them for the rest of the operation. */
export async function openShare(
  session: Session,
  place: Place,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const key = placeName(place);
  const early = session.early.get(key);
  // Whoever opens a share wants to see what it is now.
  session.early.delete(key);
  session.shares = undefined;
  const read = () => readRange(session, place, { offset: 0, length: session.headLength }, signal);
  const head = await (early === undefined ? read() : unlessAborted(early.catch(read), signal));
  session.heads.set(key, head);
  return head;
}

/** Takes it for granted that the shares are still as that write left them. */
export function recall(session: Session, { map, header, shares }: LastWrite): void {
  session.shares = shares;
  session.headers.set(bytesToHex(header.prefix), header);
  const head = packHeader(header, header.layout);
  for (const holding of map.holdings) session.heads.set(placeName(holding), head);
}

/** The fields of a share, served from its head, and from what is known of it, as far as that goes. */
export function readerOf(
  session: Session,
  place: Place,
  signal: AbortSignal,
  pace: 'field' | 'blocks' = 'field',
): ShareReader {
  const read = async (range: ByteRange, into?: Uint8Array) => {
    const known = session.shares?.cut(place, range);
    if (known !== undefined) return known;
    const bytes = await readRange(session, place, range, signal, pace, into);
    // A copy: where they are, the next ones may be put.
    if (session.shares?.isWorthIt) session.shares.add(place, range.offset, bytes.slice());
    return bytes;
  };
  return new ShareReader(read, headOf(session, place));
}

/**
 * Why a share that does not fit together is not proven corrupt: another writer has replaced it
 * since its head was read, or it could not be read again. Undefined if it is corrupt.
 */
export async function excuseFor(
  session: Session,
  place: Place,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const head = headOf(session, place);
  if (head === undefined) return undefined;
  const range = { offset: 0, length: Math.min(head.length, headerLengthMax) };
  try {
    const now = await readRange(session, place, range, signal);
    if (equalBytes(now, head.subarray(0, range.length))) return undefined;
    return { kind: 'replaced', detail: 'replaced while it was read' };
  } catch (error) {
    return isCorruption(error) ? undefined : toFailure(error);
  }
}

/** Reads a part of a share; gives up when that takes far longer than it does on other servers. */
export function readRange(
  session: Session,
  { server, shnum }: Place,
  range: ByteRange,
  signal: AbortSignal,
  pace: 'field' | 'blocks' | 'write' = 'field',
  into?: Uint8Array,
): Promise<Uint8Array> {
  const storageServer = serverOf(session, server);
  const { cap, paces, storageIndex, batches } = session;
  return paces[pace].run(
    server,
    signal,
    (hurried) =>
      storageServer.isFar === true && cap.kind === 'write' && BatchedReads.suits(range)
        ? batches.read(storageServer, shnum, range, hurried)
        : storageServer.readShare(storageIndex, shnum, range, { signal: hurried, into }),
    // No write has succeeded by it.
    () => false,
  );
}

/** The read-test-write that reads of every share on the server, and writes nothing. */
export function readAllShares(
  session: Pick<Session, 'secretsFor' | 'storageIndex'>,
  server: StorageServer,
  reads: readonly ByteRange[],
  signal: AbortSignal,
): Promise<ReadTestWriteAnswer> {
  const request = { secrets: session.secretsFor(server), shares: new Map(), reads };
  return server.readTestWrite(session.storageIndex, request, { signal });
}

/** For {@link Session.batches}. */
export function batchesFor(session: Pick<Session, 'secretsFor' | 'storageIndex'>): BatchedReads {
  return new BatchedReads({
    one: (server, { shnum, range }, signal) =>
      server.readShare(session.storageIndex, shnum, range, { signal }),
    all: (server, reads, signal) => readAllShares(session, server, reads, signal),
  });
}

/**
 * Registers a header whose signature, with this salt, has been verified, and gives the chart's view
 * of it.
 */
export function acceptHeader(session: Session, header: ShareHeader, salt: Uint8Array): Version {
  const id = bytesToHex(header.prefix);
  if (!session.headers.has(id)) session.headers.set(id, header);
  const { format, seqnum, required, total, segmentSize, dataLength } = header;
  return {
    id,
    format,
    seqnum,
    rootHash: bytesToHex(header.rootHash),
    required,
    total,
    segmentSize,
    dataLength,
    checkstring: bytesToHex(checkstringOf(header)),
    tag: bytesToHex(parentTagOf(header.prefix)),
    parentTag: bytesToHex(salt.subarray(0, parentTagLength)),
  };
}

/** The verified header of a version in the map; its layout is that of the first share seen. */
export function headerOf(session: Session, id: Hex): ShareHeader {
  const header = session.headers.get(id);
  if (header === undefined) throw new Error(`version ${id} is not in this session`);
  return header;
}

/** For {@link Session.secretsFor}: what a server asks for is derived once. */
export function secretsOf(
  cap: Cap,
  leaseSecret: Uint8Array,
  storageIndex: Uint8Array,
): Session['secretsFor'] {
  const known = new Map<StorageServer, WriteSecrets>();
  return (server) => {
    if (cap.kind !== 'write') throw new InsufficientCapError('writing', 'write', cap.kind);
    const secrets = known.get(server) ?? {
      writeEnabler: deriveWriteEnabler(cap.writekey, server.tubId),
      ...deriveLeaseSecrets(leaseSecret, storageIndex, server.tubId),
    };
    known.set(server, secrets);
    return secrets;
  };
}
