/**
 * @module publish-version: the IO of a publish: encode once, then test-and-set share by share.
 */
import { fromPromise } from 'xstate';
import {
  type ClaimInput,
  type ClaimResult,
  type Failure,
  failed,
  internalFailure,
  type JudgedShare,
  type PrepareInput,
  type PrepareResult,
  type RereadInput,
  type RereadResult,
  type SeenShare,
  type WriteInput,
  type WriteResult,
} from '../../machines/io.ts';
import { publishMachine } from '../../machines/publish.machine.ts';
import type { PublishPlanInput, PublishReport, WriteTest } from '../../machines/publish-kernel.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import { bytesToHex, hexToBytes } from '../bytes.ts';
import { deriveWriteEnabler } from '../crypto/keys.ts';
import { deriveLeaseSecrets } from '../crypto/leases.ts';
import { AnswerLostError, InsufficientCapError, NoSuchShareError } from '../errors.ts';
import type { EncodedVersion } from '../share/seal.ts';
import type {
  ReadTestWriteRequest,
  ShareTest,
  StorageServer,
  WritePart,
  WriteSecrets,
} from '../storage/server.ts';
import { toFailure } from './failure.ts';
import { judgeShare } from './map-servers.ts';
import { type StaleShare, staleShares } from './outcome.ts';
import { runMachine } from './run.ts';
import { acceptHeader, readRange, remember, type Session, serverOf } from './session.ts';

export interface PublishOptions extends PublishPlanInput {
  /** Encodes and signs the new version; when it rejects, nothing is written and so do we. */
  readonly encode: (seqnum: number) => Promise<EncodedVersion>;
  readonly signal?: AbortSignal | undefined;
  /** Gets how many different shares have been written so far, when another one has. */
  readonly onWritten?: ((shares: number) => void) | undefined;
}

/** How a publish ended. */
export interface Published {
  readonly report: PublishReport;
  /** Old shares that may have stayed. */
  readonly stale: readonly StaleShare[];
}

/**
 * Publishes over what `options.map` saw.
 * @throws what the source of the contents fails with, unless the version is published all the same
 */
export async function publishVersion(
  session: Session,
  options: PublishOptions,
): Promise<Published> {
  const { encode, signal, onWritten, ...plan } = options;
  let encoded: EncodedVersion | undefined;
  let encodeError: unknown;
  const source = new Source();
  const written = new Set<number>();
  const failures = new Map<string, Failure>();
  const machine = publishMachine.provide({
    actors: {
      prepareShares: fromPromise<PrepareResult, PrepareInput>(async ({ input: { seqnum } }) => {
        try {
          encoded = await encode(seqnum);
          return { ok: true, checkstring: bytesToHex(encoded.checkstring) };
        } catch (error) {
          encodeError = error;
          return { ok: false, failure: internalFailure(error) };
        }
      }),
      shareWrite: shareWriteMachine.provide({
        actors: {
          writeShare: writeShare(
            session,
            () => encoded as EncodedVersion,
            plan.wholeShares,
            source,
          ),
          rereadShare: rereadShare(session, () => encoded as EncodedVersion),
          verifyClaim: verifyClaim(session),
        },
      }),
    },
  });
  const report = await runMachine(session.engine, machine, {
    input: { ...plan, deadlines: session.engine.deadlines },
    signal,
    onEmitted: ({ report: { status, server, shnum, failure } }) => {
      if (failure !== null) failures.set(`${shnum}@${server}`, failure);
      if (status !== 'accepted' || written.has(shnum)) return;
      onWritten?.(written.add(shnum).size);
    },
  });
  // The caller's own source, or the encoding that it asked for: its error, not ours.
  if (report.kind === 'unprepared') throw encodeError;
  // What surely was not acknowledged may be lost; anything else is not to be forgotten.
  if (encoded !== undefined && (report.kind === 'published' || report.kind === 'indeterminate')) {
    remember(session.keyring, acceptHeader(session, encoded.header));
  }
  if (report.kind !== 'published') source.throwIfFailed();
  return { report, stale: staleShares(plan.map, report, failures) };
}

/** The contents as they are being sent, which is the second time that they are read. */
class Source {
  #failed: { readonly error: unknown } | undefined;

  /** Why nothing can be sent any more, as the chart has it. */
  get failure(): Failure | undefined {
    return this.#failed && internalFailure(this.#failed.error);
  }

  /** The same, if `error` is why. */
  failureBy(error: unknown): Failure | undefined {
    return this.#failed?.error === error ? this.failure : undefined;
  }

  throwIfFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  /** `part`, whose failure is noted: it is nobody's fault but the source's. */
  watched(part: WritePart): WritePart {
    const { offset, length } = part;
    const bytes = async () => {
      try {
        return await part.bytes();
      } catch (error) {
        this.#failed ??= { error };
        throw error;
      }
    };
    return { offset, length, bytes };
  }
}

function writeShare(
  session: Session,
  encodedVersion: () => EncodedVersion,
  isWhole: boolean,
  source: Source,
) {
  return fromPromise<WriteResult, WriteInput>(async ({ input, signal }) => {
    if (source.failure !== undefined) return { kind: 'notSent', failure: source.failure };
    const server = serverOf(session, input.server);
    const request = requestFor(session, server, input, encodedVersion(), isWhole, source);
    try {
      const { wrote, reads } = await session.paces.write.run(signal, (hurried) =>
        server.readTestWrite(session.storageIndex, request, { signal: hurried }),
      );
      const seen = [...reads].map(([shnum, [head]]) => ({
        shnum,
        checkstring: bytesToHex(head ?? new Uint8Array(0)),
      }));
      return { kind: 'answered', wrote, seen };
    } catch (error) {
      // A part that cannot be produced is not written, and neither are those before it.
      const failure = source.failureBy(error);
      if (failure !== undefined) return { kind: 'notSent', failure };
      return toWriteResult(error);
    }
  });
}

function requestFor(
  session: Session,
  server: StorageServer,
  { shnum, test }: WriteInput,
  encoded: EncodedVersion,
  isWhole: boolean,
  source: Source,
): ReadTestWriteRequest {
  const write = {
    tests: [toShareTest(test)],
    parts: encoded.shareParts(shnum).map((part) => source.watched(part)),
    // A shorter version leaves no bytes of the old one behind it.
    newLength: isWhole ? encoded.shareLength : null,
  };
  return {
    secrets: secretsFor(session, server),
    shares: new Map([[shnum, write]]),
    reads: [{ offset: 0, length: encoded.checkstring.length }],
  };
}

/** A request that was sent and not answered may have had its effect. */
function toWriteResult(error: unknown): WriteResult {
  if (error instanceof AnswerLostError) {
    return { kind: 'answerLost', failure: { kind: 'unreachable', detail: error.message } };
  }
  const failure = toFailure(error);
  switch (failure.kind) {
    case 'refused':
    case 'corrupt':
      return { kind: 'refused', failure };
    case 'timeout':
    case 'cancelled':
      return { kind: 'answerLost', failure };
    default:
      return { kind: 'notSent', failure };
  }
}

/** The checkstrings of all shares on this server, as an answer to the write would have told them. */
function rereadShare(session: Session, encodedVersion: () => EncodedVersion) {
  return fromPromise<RereadResult, RereadInput>(async ({ input: { server }, signal }) => {
    const range = { offset: 0, length: encodedVersion().checkstring.length };
    // At the pace of the writes: it is quicker than they are, and has few of its kind to go by.
    const headOf = async (shnum: number): Promise<readonly SeenShare[]> => {
      try {
        const head = await readRange(session, { server, shnum }, range, signal, 'write');
        return [{ shnum, checkstring: bytesToHex(head) }];
      } catch (error) {
        if (error instanceof NoSuchShareError) return [];
        throw error;
      }
    };
    try {
      const held = await session.paces.write.run(signal, (hurried) =>
        serverOf(session, server).listShares(session.storageIndex, { signal: hurried }),
      );
      const seen = await Promise.all(held.map(headOf));
      return { ok: true, seen: seen.flat() };
    } catch (error) {
      return { ok: false, failure: toFailure(error) };
    }
  });
}

/** Judges what a server shows as a map does: each share by its own key and signature. */
function verifyClaim(session: Session) {
  return fromPromise<ClaimResult, ClaimInput>(async ({ input: { server, shnums }, signal }) => {
    const seen: JudgedShare[] = [];
    // Two writes to one server may look at one share at the same time.
    const look = { ...session, heads: new Map() };
    const wants = { privateKey: false, numbers: false };
    const judged = shnums.map((shnum) => judgeShare(look, { server, shnum }, wants, signal));
    for (const { shnum, verdict, version } of await Promise.all(judged)) {
      if (verdict.kind === 'unverified') {
        const detail = `server ${server}: no proof of the share ${shnum} that it showed`;
        return failed('unreachable', `${detail}: ${verdict.reason}`);
      }
      // A version that is signed has a writer, also where the share itself is bad.
      const isProven = version !== undefined;
      const checkstring = version?.checkstring ?? (verdict.kind === 'bad' ? verdict.head : '');
      seen.push({ shnum, checkstring, isProven });
    }
    return { ok: true, seen };
  });
}

function toShareTest(test: WriteTest): ShareTest {
  if (test.kind === 'absent') return { offset: 0, length: 1, specimen: new Uint8Array(0) };
  const specimen = hexToBytes(test.head);
  return { offset: 0, length: specimen.length, specimen };
}

function secretsFor(session: Session, server: StorageServer): WriteSecrets {
  const { cap, leaseSecret, storageIndex } = session;
  if (cap.kind !== 'write') throw new InsufficientCapError('writing', 'write', cap.kind);
  return {
    writeEnabler: deriveWriteEnabler(cap.writekey, server.tubId),
    ...deriveLeaseSecrets(leaseSecret, storageIndex, server.tubId),
  };
}
