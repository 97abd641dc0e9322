/**
 * @module disk: the shares of the simulated file as bytes: making them, planting them, damaging
 * them, and telling in a word what a server holds.
 */
import { primitives } from '#crypto';
import { bytesToHex, equalBytes, toBase32, viewOf } from '../bytes.ts';
import type { WriteCap } from '../caps.ts';
import { deriveWriteEnabler, encryptPrivateKey } from '../crypto/keys.ts';
import type { SigningKey } from '../crypto/primitives.ts';
import { versionName } from '../runtime/trace.ts';
import { encodeVersion } from '../share/encode.ts';
import { fields, headerIn, shortNames } from '../share/field-at.ts';
import type { ShareHeader } from '../share/header.ts';
import type { ShareField } from '../share/layout.ts';
import { plaintextOf } from '../share/plaintext.ts';
import { ShareReader } from '../share/reader.ts';
import { VersionVerifier } from '../share/verify.ts';
import { diskOf, type MemoryServer } from '../storage/memory.ts';
import { importVerifyingKey, Memory } from './platform.ts';

/** The file, as its writers know it. */
export interface SimulatedFile {
  readonly cap: WriteCap;
  readonly storageIndex: Uint8Array;
  readonly signing: SigningKey;
  readonly readkey: Uint8Array;
}

export interface VersionSpec {
  readonly seqnum: number;
  readonly required: number;
  readonly total: number;
  readonly contents: Uint8Array;
  /** Tells versions of one seqnum apart. */
  readonly series: number;
}

const made = new Map<string, Promise<readonly Uint8Array[]>>();

/** The shares of a version, the same for the same spec but for the signature. */
export function sharesOf(file: SimulatedFile, spec: VersionSpec): Promise<readonly Uint8Array[]> {
  const { seqnum, required, total, contents, series } = spec;
  const digests = [file.storageIndex, primitives.sha256().update(contents).digest()];
  const about = [file.cap.format, seqnum, required, total, series];
  const name = [...about, ...digests.map(bytesToHex)].join();
  const shares = made.get(name) ?? makeShares(file, spec);
  made.set(name, shares);
  return shares;
}

async function makeShares(file: SimulatedFile, spec: VersionSpec): Promise<readonly Uint8Array[]> {
  const { seqnum, required, total, contents, series } = spec;
  const { cap, signing, readkey } = file;
  let salts = 0;
  const version = await encodeVersion({
    format: cap.format,
    plaintext: plaintextOf(contents),
    required,
    total,
    seqnum,
    readkey,
    encryptedPrivateKey: await encryptPrivateKey(cap.writekey, signing.pkcs8),
    verificationKey: signing.spki,
    sign: (prefix) => signing.sign(prefix),
    newSalt: () => {
      const salt = new Uint8Array(16);
      viewOf(salt).setUint32(0, seqnum);
      viewOf(salt).setUint32(4, series);
      viewOf(salt).setUint32(8, ++salts);
      return salt;
    },
  });
  return Promise.all(
    Array.from({ length: total }, async (_, shnum) => {
      const share = new Uint8Array(version.shareLength);
      for (const part of version.shareParts(shnum)) share.set(await part.bytes(), part.offset);
      return share;
    }),
  );
}

/** Puts a share on a server, whatever was there; by default it is whose the others there are. */
export async function plant(
  file: SimulatedFile,
  server: MemoryServer,
  shnum: number,
  bytes: Uint8Array,
  given?: Uint8Array,
): Promise<void> {
  diskOf(server).deleteShare(file.storageIndex, shnum);
  const [there] = diskOf(server).slot(toBase32(file.storageIndex)).values();
  const own = there?.writeEnabler ?? deriveWriteEnabler(file.cap.writekey, server.tubId);
  const writeEnabler = given ?? own;
  const part = { offset: 0, length: bytes.length, bytes: async () => bytes };
  const secret = new Uint8Array(32);
  await server.readTestWrite(file.storageIndex, {
    secrets: { writeEnabler, renewSecret: secret, cancelSecret: secret },
    shares: new Map([[shnum, { tests: [], parts: [part], newLength: null }]]),
    reads: [],
  });
}

/** The part of a share that bit rot hits. */
export type RotField =
  | 'prefix'
  | 'offsets'
  | 'key'
  | 'signature'
  | 'privkey'
  | 'chain'
  | 'tree'
  | 'blocks';

export const rotFields: readonly RotField[] = [
  'prefix',
  'offsets',
  'key',
  'signature',
  'privkey',
  'chain',
  'tree',
  'blocks',
];

/**
 * Adds one to a byte of a field, so that a second time does not undo the first; does nothing where
 * the share has no such field.
 */
export function rot(file: SimulatedFile, server: MemoryServer, shnum: number, field: RotField) {
  const bytes = diskOf(server).shareBytes(file.storageIndex, shnum);
  if (bytes === undefined) return;
  const offset = offsetIn(bytes, field);
  if (offset === undefined) return;
  const changed = Uint8Array.of((bytes[offset] as number) + 1);
  diskOf(server).overwriteShare(file.storageIndex, shnum, offset, changed);
}

/** A byte of the field: in the prefix one of the root hash (that names the version). */
function offsetIn(bytes: Uint8Array, field: RotField): number | undefined {
  const header = headerIn(bytes);
  if (header === undefined) return undefined;
  if (field === 'prefix') return 10;
  if (field === 'offsets') return header.prefix.length + (header.format === 'sdmf' ? 3 : 7);
  const range = header.layout[fields.find((name) => shortNames[name] === field) as ShareField];
  return range.length === 0 ? undefined : range.offset + Math.floor(range.length / 2);
}

/** The version that a share says it is of. */
export function nameOf(bytes: Uint8Array): string {
  const header = headerIn(bytes);
  return header === undefined ? 'unreadable' : versionName(bytesToHex(header.prefix));
}

/**
 * What a server holds in a place: `v2-1a2b3c4d` when every byte of it is right, `… damaged` when
 * not, `unreadable` when not even the header is.
 */
export async function describeShare(
  file: SimulatedFile,
  shnum: number,
  bytes: Uint8Array,
): Promise<string> {
  const header = headerIn(bytes);
  const name = nameOf(bytes);
  if (header === undefined) return name;
  const digest = bytesToHex(primitives.sha256().update(bytes).digest());
  const about = [bytesToHex(file.storageIndex), shnum, digest].join();
  const isRight = await sound.of(about, () => isSound(file, shnum, header, bytes));
  return isRight ? name : `${name} damaged`;
}

/** Worlds of one file come to hold the same shares again and again. */
const sound = new Memory<boolean>();

async function isSound(
  { signing }: SimulatedFile,
  shnum: number,
  header: ShareHeader,
  bytes: Uint8Array,
): Promise<boolean> {
  const read = async (range: { offset: number; length: number }) =>
    bytes.subarray(range.offset, range.offset + range.length);
  const reader = new ShareReader(read, bytes.subarray(0, 123));
  try {
    const key = await reader.verificationKey();
    if (!equalBytes(key, signing.spki)) return false;
    // Not by the engine's own check, which may be the one that is wrong.
    const verifying = await importVerifyingKey(signing.spki);
    if (!(await verifying.verify(header.prefix, await reader.signature()))) return false;
    const verifier = new VersionVerifier(header);
    if (shnum >= header.total) return false;
    verifier.acceptTree(shnum, await reader.shareHashChain(), await reader.blockHashTree());
    const entries = await reader.blocks(0, header.segmentCount);
    entries.forEach(({ block, salt }, i) => {
      verifier.acceptBlock(shnum, i, block, salt);
    });
    return true;
  } catch {
    return false;
  }
}
