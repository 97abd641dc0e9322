/**
 * @module private-key: finds what a writer needs in the shares: the private key, which all of them
 * carry, encrypted by the write key of the cap.
 */
import { primitives } from '#crypto';
import { bytesToHex, equalBytes } from '../bytes.ts';
import type { WriteCap } from '../caps.ts';
import { decryptPrivateKey, deriveFingerprint } from '../crypto/keys.ts';
import type { Primitives } from '../crypto/primitives.ts';
import { ShareReader } from '../share/reader.ts';
import { isCorruption } from './failure.ts';
import type { Session, WriterKeys } from './session.ts';

/** A key that does not decrypt is not held against its share; another share may have a good one. */
export async function findPrivateKey(session: Session, reader: ShareReader): Promise<boolean> {
  await session.keyAhead;
  return openedFrom(session, reader);
}

/** Has the private key looked for in the shares that `heads` are of, before anybody asks for it. */
export function expectKey(session: Session, heads: Promise<Iterable<Uint8Array>>): void {
  session.keyAhead = heads
    .then(async (all) => {
      // What is not there was not asked for.
      const nothing = async () => new Uint8Array(0);
      for (const head of all) await openedFrom(session, new ShareReader(nothing, head));
    })
    .catch(() => {});
}

async function openedFrom(session: Session, reader: ShareReader): Promise<boolean> {
  const { cap, keyring } = session;
  if (cap.kind !== 'write') return false;
  if (keyring.writer !== undefined) return true;
  try {
    const writer = await writerIn(session, cap, await reader.encryptedPrivateKey());
    if (writer !== undefined) keyring.writer = writer;
    return keyring.writer !== undefined;
  } catch {
    return false;
  }
}

/** All shares have the same bytes there, and are looked at together. */
function writerIn(
  { engine, privateKeys }: Session,
  cap: WriteCap,
  encryptedPrivateKey: Uint8Array,
): Promise<WriterKeys | undefined> {
  return privateKeys.of(bytesToHex(encryptedPrivateKey), () =>
    openPrivateKey(cap, encryptedPrivateKey, engine.primitives ?? primitives),
  );
}

/**
 * Why a share does not hold the private key; undefined: it does, as far as the cap can tell: only a
 * write cap can. That nothing else of the share is wrong is for the caller to know.
 */
export async function keyLackOf(
  session: Session,
  reader: ShareReader,
): Promise<string | undefined> {
  const { cap } = session;
  if (cap.kind !== 'write') return undefined;
  try {
    const field = await reader.encryptedPrivateKey();
    const writer = await writerIn(session, cap, field).catch(() => undefined);
    return writer === undefined ? notOfCap : undefined;
  } catch (error) {
    // In SDMF it is the last field: a share that was cut short may lack nothing else.
    if (isCorruption(error)) return error.message;
    throw error;
  }
}

const notOfCap = 'corrupt share: encrypted private key: not that of the cap';

/** What a writer needs, if the field holds the private key of the cap. */
async function openPrivateKey(
  { writekey, fingerprint }: WriteCap,
  encryptedPrivateKey: Uint8Array,
  crypto: Primitives,
): Promise<WriterKeys | undefined> {
  const pkcs8 = await decryptPrivateKey(writekey, encryptedPrivateKey, crypto);
  if (pkcs8 === undefined) return undefined;
  const signing = await crypto.importSigningKey(pkcs8);
  if (!equalBytes(deriveFingerprint(signing.spki), fingerprint)) return undefined;
  return { signing, encryptedPrivateKey };
}
