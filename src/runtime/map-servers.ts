/**
 * @module map-servers: the IO of a servermap update: ask servers, judge shares.
 *
 * Every share is judged by itself: its own verification key against the fingerprint in the cap,
 * its own signature over its own header (Tahoe checks one signature per version, and so calls
 * shares healthy whose signature is damaged).
 */
import { fromCallback } from 'xstate';
import { type ShareJudged, shareJudged } from '../../machines/events.ts';
import type { VerifyInput } from '../../machines/io.ts';
import { reasonOf } from '../../machines/reason.ts';
import { serverQueryMachine } from '../../machines/server-query.machine.ts';
import type { Place, Verdict, Version } from '../../machines/servermap.ts';
import type { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { cancelled } from '../abort.ts';
import { bytesToHex } from '../bytes.ts';
import type { ShareHeader } from '../share/header.ts';
import type { ShareReader } from '../share/reader.ts';
import { verifyNumber } from '../share/verify.ts';
import { isCorruption, toFailure } from './failure.ts';
import { findPrivateKey } from './private-key.ts';
import { queryServer } from './query-server.ts';
import type { System } from './run-chart.ts';
import {
  acceptHeader,
  excuseFor,
  headOf,
  openShare,
  readerOf,
  type Session,
  serverOf,
} from './session.ts';
import { benchOf } from './workbench.ts';

type Judge = (place: Place, signal: AbortSignal) => Promise<ShareJudged>;

/** The actor that judges shares, each by itself. */
export function judging(judgeOf: (system: System, input: VerifyInput) => Judge) {
  return fromCallback<ShareJudged, VerifyInput>(({ input, sendBack, system }) => {
    const judge = judgeOf(system, input);
    const controller = new AbortController();
    const { server, shnums } = input;
    for (const shnum of shnums) {
      // A rejection is a bug; the share is then unverified, and says why.
      void judge({ server, shnum }, controller.signal)
        .catch((bug) => shareJudged(shnum, { kind: 'unverified', reason: reasonOf(bug) }))
        .then(sendBack);
    }
    return () => controller.abort(cancelled);
  });
}

const verifyShares = judging((system, { wantsPrivateKey, wantsNumbers }) => {
  const { session } = benchOf(system).desk;
  const wants = { privateKey: wantsPrivateKey, numbers: wantsNumbers };
  return (place, signal) => judgeShare(session, place, wants, signal);
});

/** `update` with its IO. */
export function mapping(update: typeof servermapUpdateMachine): typeof servermapUpdateMachine {
  const serverQuery = serverQueryMachine.provide({ actors: { queryServer, verifyShares } });
  return update.provide({ actors: { serverQuery } });
}

/** What is read of a share with a further request, if its first bytes do not hold it. */
interface Wants {
  readonly privateKey: boolean;
  /** The hashes that prove its share number. */
  readonly numbers: boolean;
}

/** Reads one share and judges it. */
export async function judgeShare(
  session: Session,
  place: Place,
  wants: Wants,
  signal: AbortSignal,
): Promise<ShareJudged> {
  const { shnum } = place;
  let version: Version | undefined;
  try {
    await openShare(session, place, signal);
    const reader = readerOf(session, place, signal);
    const header = await reader.header();
    version = acceptHeader(session, header, await judgeSignature(session, reader, header));
    await judgeNumber(reader, header, shnum, wants);
    const privateKeyFound = wants.privateKey && (await findPrivateKey(session, reader));
    return shareJudged(shnum, { kind: 'good', version: version.id }, { version, privateKeyFound });
  } catch (error) {
    if (!isCorruption(error)) return shareJudged(shnum, unverified(error));
    const excuse = await excuseFor(session, place, signal);
    if (excuse !== undefined) {
      return shareJudged(shnum, { kind: 'unverified', reason: excuse.detail });
    }
    adviseCorrupt(session, place, error.message);
    const head = bytesToHex((headOf(session, place) ?? new Uint8Array(0)).subarray(0, headMax));
    // The header is signed, so its version exists even if this share of it is bad. Writers have to
    // know of it.
    return shareJudged(shnum, { kind: 'bad', reason: error.message, head }, { version });
  }
}

/** The salt of the signature. */
async function judgeSignature(
  { signatures }: Session,
  reader: ShareReader,
  header: ShareHeader,
): Promise<Uint8Array> {
  const [spki, signature] = await Promise.all([reader.verificationKey(), reader.signature()]);
  return signatures.verify(header, spki, signature);
}

/** Checks the share number if the first bytes hold its hashes, or `wants` says to read them. */
async function judgeNumber(
  reader: ShareReader,
  header: ShareHeader,
  shnum: number,
  { numbers }: Wants,
): Promise<void> {
  const [hasRoot, hasChain] = [await reader.hasRootAtHand(), await reader.hasChainAtHand()];
  if (!numbers && !hasChain) return;
  const [chain, [root]] = await Promise.all([
    reader.shareHashChain(),
    numbers || hasRoot ? reader.blockHashes(0, 1) : [],
  ]);
  verifyNumber(header, shnum, chain, root);
}

/** The bytes that are recorded of a bad share: the longer of the two signed prefixes. */
const headMax = 75;

/** Of a share that could not be read. @throws what is no expected failure */
export function unverified(error: unknown): Verdict {
  return { kind: 'unverified', reason: toFailure(error).detail };
}

/** Tells the server's operator; nobody waits for it and nothing depends on it. */
export function adviseCorrupt(session: Session, place: Place, reason: string): void {
  const { server, shnum } = place;
  session.advisories.tell(serverOf(session, server), session.storageIndex, shnum, reason);
}
