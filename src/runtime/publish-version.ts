/**
 * @module publish-version: the IO of a publish: encode once, then test-and-set share by share.
 */
import { fromPromise } from 'xstate';
import {
  internalFailure,
  type PrepareInput,
  type PrepareResult,
  type RereadInput,
  type RereadResult,
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
import type { ShareTest, StorageServer, WriteSecrets } from '../storage/server.ts';
import { toFailure } from './failure.ts';
import { runMachine } from './run.ts';
import { type Session, serverOf } from './session.ts';

export interface PublishOptions extends PublishPlanInput {
  /** Encodes and signs the new version; when it rejects, nothing is written and so do we. */
  readonly encode: (seqnum: number) => Promise<EncodedVersion>;
  readonly signal?: AbortSignal | undefined;
  /** Gets how many different shares have been written so far, when another one has. */
  readonly onWritten?: ((shares: number) => void) | undefined;
}

/** Publishes over what `options.map` saw. */
export async function publishVersion(
  session: Session,
  options: PublishOptions,
): Promise<PublishReport> {
  const { encode, signal, onWritten, ...plan } = options;
  let encoded: EncodedVersion | undefined;
  let encodeError: unknown;
  const written = new Set<number>();
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
          writeShare: writeShare(session, () => encoded as EncodedVersion, plan.wholeShares),
          rereadShare: rereadShare(session, () => encoded as EncodedVersion),
        },
      }),
    },
  });
  const report = await runMachine(session.engine, machine, {
    input: { ...plan, deadlines: session.engine.deadlines },
    signal,
    onEmitted: ({ report: { status, shnum } }) => {
      if (status !== 'accepted' || written.has(shnum)) return;
      onWritten?.(written.add(shnum).size);
    },
  });
  // The caller's own source, or the encoding that it asked for: its error, not ours.
  if (report.kind === 'unprepared') throw encodeError;
  return report;
}

function writeShare(session: Session, encodedVersion: () => EncodedVersion, isWhole: boolean) {
  return fromPromise<WriteResult, WriteInput>(async ({ input, signal }) => {
    const { shnum, test } = input;
    const server = serverOf(session, input.server);
    const encoded = encodedVersion();
    try {
      const answer = await server.readTestWrite(
        session.storageIndex,
        {
          secrets: secretsFor(session, server),
          shares: new Map([
            [
              shnum,
              {
                tests: [toShareTest(test)],
                parts: encoded.shareParts(shnum),
                // A shorter version leaves no bytes of the old one behind it.
                newLength: isWhole ? encoded.shareLength : null,
              },
            ],
          ]),
          reads: [{ offset: 0, length: encoded.checkstring.length }],
        },
        { signal },
      );
      const seen = [...answer.reads].map(([n, [head]]) => ({
        shnum: n,
        checkstring: bytesToHex(head ?? new Uint8Array(0)),
      }));
      return { kind: 'answered', wrote: answer.wrote, seen };
    } catch (error) {
      if (error instanceof AnswerLostError) {
        return { kind: 'answerLost', failure: { kind: 'unreachable', detail: error.message } };
      }
      const failure = toFailure(error);
      const isRefusal = failure.kind === 'refused' || failure.kind === 'corrupt';
      return { kind: isRefusal ? 'refused' : 'notSent', failure };
    }
  });
}

/** What the slot holds now, as far as the checkstring goes. */
function rereadShare(session: Session, encodedVersion: () => EncodedVersion) {
  return fromPromise<RereadResult, RereadInput>(async ({ input: { server, shnum }, signal }) => {
    const range = { offset: 0, length: encodedVersion().checkstring.length };
    try {
      const head = await serverOf(session, server).readShare(session.storageIndex, shnum, range, {
        signal,
      });
      return { ok: true, checkstring: bytesToHex(head) };
    } catch (error) {
      if (error instanceof NoSuchShareError) return { ok: true, checkstring: null };
      return { ok: false, failure: toFailure(error) };
    }
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
