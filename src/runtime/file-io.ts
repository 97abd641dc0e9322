/**
 * @module file-io: the operations on one file, each a run of one chart or of a few in a row.
 *
 * `MutableFile` is the face; this is what it does. Every function works within one
 * {@link Session} and rejects with typed errors only.
 */
import { primitives } from '#crypto';
import { newerEvidence } from '../../machines/publish-kernel.ts';
import {
  bestVersion,
  highestSeqnum,
  type Mode,
  type Servermap,
  type Version,
  withMarked,
} from '../../machines/servermap.ts';
import { requireCount } from '../arguments.ts';
import { readkeyOf } from '../caps.ts';
import type { Encoding } from '../encoding.ts';
import {
  type NotEnoughSharesError,
  OutOfRangeError,
  UncoordinatedWriteError,
  WrongFormatError,
} from '../errors.ts';
import { encodeVersion } from '../share/encode.ts';
import { encodeUpdate } from '../share/encode-update.ts';
import { geometryOf, saltLength } from '../share/geometry.ts';
import { requireInMemory, requireReadable } from '../share/limits.ts';
import { joinPlaintexts, type Plaintext, plaintextOf } from '../share/plaintext.ts';
import { checkEncodable } from '../share/segments.ts';
import { Gathered } from './gathered.ts';
import { mapServers } from './map-servers.ts';
import type { OperationOptions } from './options.ts';
import {
  fileExists,
  missingPrivateKey,
  notEnoughShares,
  nothingWritten,
  type Placement,
  toWriteOutcome,
  unrecoverable,
  versionLost,
  type WriteOutcome,
} from './outcome.ts';
import { publishVersion } from './publish-version.ts';
import { corruptShares, retrieveSegments, type SegmentSink } from './retrieve-segments.ts';
import { headerOf, type Keyring, type Session, type WriterKeys } from './session.ts';
import { type Rewrite, readTrees, rewriteOf, uniformBase } from './update-in-place.ts';

/** What every operation below is told. */
export interface FileOptions extends OperationOptions {
  /** The grid's defaults; an existing file keeps its own k and N. */
  readonly encoding: Encoding;
}

/** Maps the file. */
export function mapFile(
  session: Session,
  mode: Mode,
  { encoding, rule, signal, onProgress }: FileOptions,
  marked: Parameters<typeof mapServers>[1]['marked'] = [],
): Promise<Servermap> {
  let settled = 0;
  const total = session.servers.size;
  return mapServers(session, {
    mode,
    required: encoding.required,
    total: encoding.total,
    marked,
    rule,
    signal,
    onSettled: () => onProgress?.({ phase: 'mapping', done: ++settled, total }),
  });
}

/** A map for a writer, which also knows the private key; it begins with `mode`. */
export async function mapForWriting(
  session: Session,
  options: WriteOptions,
  mode: 'write' | 'check' = 'write',
): Promise<Servermap> {
  const { keyring } = session;
  const { force = false, encoding } = options;
  const map = await mapFile(session, mode, options);
  const isClear =
    bestVersion(map) !== undefined &&
    newerEvidence({ map, happy: encoding.happy, force: false }).length === 0 &&
    unseen(keyring, map) === undefined;
  // What stands in the way of a write may only be a matter of asking everybody.
  const full = isClear || mode === 'check' ? map : await mapFile(session, 'repair', options);
  // What was seen or made is out there, also when its servers have fallen silent since.
  const lost = unseen(keyring, full);
  if (lost !== undefined && !force) {
    throw full.servers.every(({ status }) => status === 'failed')
      ? unrecoverable(full)
      : versionLost(lost, full);
  }
  // Forced, the new version is at least above it.
  const known = lost === undefined ? full : withVersion(full, lost);
  // Only `create` may write where nothing is seen.
  if (Object.keys(known.versions).length === 0) throw unrecoverable(full);
  if (keyring.writer === undefined) throw missingPrivateKey(full);
  requireFormat(session, full);
  return known;
}

/** The newest version that this writer knows of, when `map` shows nothing as new. */
function unseen({ newest }: Keyring, map: Servermap): Version | undefined {
  return newest !== undefined && newest.seqnum > highestSeqnum(map) ? newest : undefined;
}

function withVersion(map: Servermap, version: Version): Servermap {
  return { ...map, versions: { ...map.versions, [version.id]: version } };
}

/** Tahoe would break such a file: each format has its own writer. */
export function requireFormat(session: Session, map: Servermap): void {
  const best = bestVersion(map);
  const { format } = session.cap;
  if (best !== undefined && best.format !== format) {
    const facts = { cap: format, file: best.format };
    throw new WrongFormatError(`this is an ${format} cap, and the file is ${best.format}`, facts);
  }
}

/** Part of a file, in bytes. */
export interface Range {
  readonly offset?: number | undefined;
  /** Up to the end by default. */
  readonly length?: number | undefined;
}

/** @throws OutOfRangeError unless the range lies within `size` */
function resolveRange({ offset = 0, length }: Range, size: number) {
  requireCount('offset', offset);
  if (offset > size) throw new OutOfRangeError('offset', offset, `the file has ${size} bytes`);
  const resolved = length ?? size - offset;
  requireCount('length', resolved);
  if (offset + resolved > size) {
    throw new OutOfRangeError('length', resolved, `only ${size - offset} bytes follow the offset`);
  }
  return { offset, length: resolved };
}

/** The newest version within reach, and the map that shows it. */
async function newestVersion(session: Session, options: FileOptions) {
  let map = await mapFile(session, 'read', options);
  // Before giving up, ask everybody once: slow servers, or shares that moved.
  if (bestVersion(map) === undefined) map = await mapFile(session, 'check', options);
  const version = bestVersion(map);
  if (version === undefined) throw unrecoverable(map);
  return { map, version };
}

/**
 * Reads a range of the newest version into `sink`, in pieces, in order. A version of which the
 * shares turn out to be too few good ones before a byte of it is given out is not one that can be
 * read: the newest of what is left then is.
 */
export async function readRange(
  session: Session,
  range: Range,
  sink: (bytes: Uint8Array) => Promise<void>,
  options: FileOptions,
): Promise<Version> {
  readkeyOf(session.cap);
  let { map, version } = await newestVersion(session, options);
  const tried = new Set<string>();
  for (;;) {
    tried.add(version.id);
    const { offset, length } = resolveRange(range, version.dataLength);
    const left = await retrieveRange(session, map, version, offset, length, sink, options);
    if (left.kind === 'delivered') return version;
    const next = bestVersion(left.map);
    if (left.hasDelivered || next === undefined || tried.has(next.id)) throw left.error;
    map = left.map;
    version = next;
  }
}

/** How a range was read; if not to its end, the map then shows what was found. */
type RangeReport =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'lost';
      readonly map: Servermap;
      readonly hasDelivered: boolean;
      readonly error: NotEnoughSharesError;
    };

/** Reads a range of `version`; out of good shares, it maps everybody and goes on where it was. */
async function retrieveRange(
  session: Session,
  map: Servermap,
  version: Version,
  offset: number,
  length: number,
  sink: (bytes: Uint8Array) => Promise<void>,
  options: FileOptions,
): Promise<RangeReport> {
  if (length === 0) return { kind: 'delivered' };
  requireReadable(version);
  const { segmentSize } = version;
  const end = offset + length;
  let firstSegment = Math.floor(offset / segmentSize);
  const endSegment = Math.ceil(end / segmentSize);
  let delivered = 0;
  const trim: SegmentSink = async (segnum, plaintext) => {
    const start = segnum * segmentSize;
    const wanted = plaintext.subarray(Math.max(0, offset - start), end - start);
    await sink(wanted);
    delivered += wanted.length;
    firstSegment = segnum + 1;
    options.onProgress?.({ phase: 'reading', done: delivered, total: length });
  };
  const { signal } = options;
  const wanted = { version, endSegment, signal, sink: trim };
  const report = await retrieveSegments(session, { ...wanted, map, firstSegment });
  if (report.kind === 'delivered') return { kind: 'delivered' };
  if (report.kind !== 'notEnoughShares') throw new Error(report.failure?.detail ?? report.kind);
  const marked = corruptShares(report, version);
  const everybody = withMarked(await mapFile(session, 'check', options, marked), marked);
  const again = await retrieveSegments(session, { ...wanted, map: everybody, firstSegment });
  if (again.kind === 'delivered') return { kind: 'delivered' };
  return {
    kind: 'lost',
    map: withMarked(everybody, corruptShares(again, version)),
    hasDelivered: delivered > 0,
    error: notEnoughShares(again, version),
  };
}

/** The whole of `version`, or a part of it. */
export async function readVersion(
  session: Session,
  map: Servermap,
  version: Version,
  [from, to]: readonly [number, number],
  options: FileOptions,
): Promise<Uint8Array> {
  const length = to - from;
  requireReadable(version);
  requireInMemory(length);
  return collected(async (sink) => {
    const report = await retrieveRange(session, map, version, from, length, sink, options);
    if (report.kind === 'lost') throw report.error;
  });
}

/** What `read` gives piece by piece, in one: no memory is taken for bytes that do not come. */
export async function collected(
  read: (sink: (bytes: Uint8Array) => Promise<void>) => Promise<unknown>,
): Promise<Uint8Array> {
  const gathered = new Gathered();
  await read(async (bytes) => gathered.add(bytes));
  return gathered.whole();
}

export interface WriteOptions extends FileOptions {
  /** Write even over a newer version that cannot be read. */
  readonly force?: boolean | undefined;
}

/**
 * The first version of a new file: no slot may exist. A key that was just made has none; of any
 * other one everybody is asked first.
 * @throws FileExistsError
 */
export async function createFile(
  session: Session,
  contents: Plaintext,
  isNewKey: boolean,
  options: WriteOptions,
): Promise<WriteOutcome> {
  checkEncodable(geometryOf(session.cap.format, options.encoding.required, contents.size));
  if (isNewKey) return publishWhole(session, emptyMap(session), contents, options);
  const map = await mapFile(session, 'check', options);
  if (map.slots.length > 0) throw fileExists(map.slots);
  try {
    return await publishWhole(session, map, contents, options);
  } catch (error) {
    // Somebody has made it in between.
    if (!(error instanceof UncoordinatedWriteError)) throw error;
    throw fileExists(error.facts.surprises as readonly Placement[], error.facts);
  }
}

/** Of a file that nobody can have. */
function emptyMap(session: Session): Servermap {
  const unasked = { status: 'unasked', failure: null } as const;
  return {
    mode: 'write',
    outcome: 'enough',
    servers: [...session.servers.keys()].map((id) => ({ id, ...unasked })),
    slots: [],
    versions: {},
    privateKey: 'unneeded',
  };
}

/** Replaces the contents. */
export async function overwriteFile(
  session: Session,
  contents: Plaintext,
  options: WriteOptions,
): Promise<WriteOutcome> {
  return publishWhole(session, await mapForWriting(session, options), contents, options);
}

/** Writes whole shares of a new version over what `map` saw. */
export async function publishWhole(
  session: Session,
  map: Servermap,
  contents: Plaintext,
  options: WriteOptions,
): Promise<WriteOutcome> {
  // An existing file keeps its encoding, whatever the grid's default: a writer that has never
  // read it must not make shares that do not fit together.
  const { required, total } = bestVersion(map) ?? options.encoding;
  const { signal, onProgress, force = false, encoding } = options;
  const { happy } = encoding;
  const published = await publishVersion(session, {
    map,
    required,
    total,
    happy,
    wholeShares: true,
    force,
    encode: (seqnum) =>
      encodeVersion({
        ...versionInput(session, seqnum, options),
        format: session.cap.format,
        plaintext: contents,
        required,
        total,
      }),
    signal,
    onWritten: (done) => onProgress?.({ phase: 'writing', done, total }),
  });
  return toWriteOutcome(published, false);
}

/** What both encoders are told. */
function versionInput(session: Session, seqnum: number, { signal, onProgress }: FileOptions) {
  const { signing, encryptedPrivateKey } = session.keyring.writer as WriterKeys;
  return {
    seqnum,
    readkey: readkeyOf(session.cap),
    encryptedPrivateKey,
    verificationKey: signing.spki,
    sign: (prefix: Uint8Array) => signing.sign(prefix),
    primitives: session.engine.primitives,
    newSalt: () => (session.engine.primitives ?? primitives).randomBytes(saltLength),
    signal,
    onSegment: (done: number, total: number) => onProgress?.({ phase: 'encoding', done, total }),
  };
}

/** Where new bytes go: at an offset, or behind the last byte. */
export type UpdatePlace = { readonly offset: number } | 'end';

/**
 * Writes `data` over the file at a place, extending it if need be; in place where that is possible,
 * else by writing the whole file again.
 */
export async function updateFile(
  session: Session,
  data: Plaintext,
  place: UpdatePlace,
  options: WriteOptions,
): Promise<WriteOutcome> {
  const map = await mapForWriting(session, options);
  const base = bestVersion(map);
  if (base === undefined) throw unrecoverable(map);
  const offset = place === 'end' ? base.dataLength : place.offset;
  requireCount('offset', offset);
  if (offset > base.dataLength) {
    throw new OutOfRangeError('offset', offset, `the file has ${base.dataLength} bytes`);
  }
  if (data.size === 0) return nothingWritten(base);
  requireReadable(base);
  const size = Math.max(base.dataLength, offset + data.size);
  checkEncodable(geometryOf(base.format, base.required, size));
  const inPlace = await updateInPlace(session, map, data, offset, options);
  if (inPlace !== undefined) return inPlace;
  const before = await readVersion(session, map, base, [0, offset], options);
  const rest = Math.min(base.dataLength, offset + data.size);
  const after = await readVersion(session, map, base, [rest, base.dataLength], options);
  const contents = joinPlaintexts(plaintextOf(before), data, plaintextOf(after));
  return publishWhole(session, map, contents, options);
}

/** Sends only what changes; undefined when the shares on the grid do not allow it. */
async function updateInPlace(
  session: Session,
  map: Servermap,
  data: Plaintext,
  offset: number,
  options: WriteOptions,
): Promise<WriteOutcome | undefined> {
  const base = uniformBase(map);
  if (base === undefined || base.segmentSize === 0) return undefined;
  const { signal, onProgress, force = false, encoding } = options;
  const trees = await readTrees(session, map, base, signal);
  if (trees === undefined) return undefined;
  const rewrite = rewriteOf(base, offset, data.size);
  const plaintext = await rewrittenRun(session, map, base, rewrite, data, options);
  const published = await publishVersion(session, {
    map,
    required: base.required,
    total: base.total,
    happy: encoding.happy,
    wholeShares: false,
    force,
    encode: (seqnum) =>
      encodeUpdate({
        ...versionInput(session, seqnum, options),
        base: headerOf(session, base),
        trees,
        firstSegment: rewrite.firstSegment,
        plaintext,
        newDataLength: rewrite.newDataLength,
      }),
    signal,
    onWritten: (done) => onProgress?.({ phase: 'writing', done, total: base.total }),
  });
  // Nothing was sent: these servers are too few, and only whole shares can go to further ones.
  const { report } = published;
  const isUnsent = report.writes.every(({ status }) => status === 'planned');
  if (report.kind === 'notEnoughServers' && isUnsent) return undefined;
  return toWriteOutcome(published, true);
}

/** The plaintext of the rewritten segments: old bytes around the new ones. */
async function rewrittenRun(
  session: Session,
  map: Servermap,
  base: Version,
  { keepBefore, keepAfter }: Rewrite,
  data: Plaintext,
  options: FileOptions,
): Promise<Plaintext> {
  const [start, offset] = keepBefore;
  const [end, stop] = keepAfter;
  const read = (range: readonly [number, number]) =>
    readVersion(session, map, base, range, options);
  if (stop - start <= base.segmentSize && offset > start && stop > end) {
    // Both lie in one segment, which is then read once.
    const kept = await read([start, stop]);
    const after = kept.subarray(end - start);
    return joinPlaintexts(plaintextOf(kept.subarray(0, offset - start)), data, plaintextOf(after));
  }
  const [before, after] = [await read(keepBefore), await read(keepAfter)];
  return joinPlaintexts(plaintextOf(before), data, plaintextOf(after));
}
