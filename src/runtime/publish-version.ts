/**
 * @module publish-version: the IO of a publish: encode once, then test-and-set share by share.
 */
import { fromPromise } from 'xstate';
import { primitives } from '#crypto';
import {
  type ClaimInput,
  type ClaimResult,
  failed,
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
import type { WriteTest } from '../../machines/reports.ts';
import type { Version } from '../../machines/servermap.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import { bytesToHex, hexToBytes } from '../bytes.ts';
import { readkeyOf } from '../caps.ts';
import { AnswerLostError, BadKeyError, CorruptShareError, NoSuchShareError } from '../errors.ts';
import { encodeVersion } from '../share/encode.ts';
import { encodeUpdate } from '../share/encode-update.ts';
import { saltLength } from '../share/geometry.ts';
import { parentTagOf } from '../share/parent.ts';
import { joinPlaintexts, plaintextOf } from '../share/plaintext.ts';
import type { EncodedVersion } from '../share/seal.ts';
import type {
  ReadTestWriteRequest,
  ShareTest,
  ShareWrite,
  StorageServer,
} from '../storage/server.ts';
import { toFailure } from './failure.ts';
import type { Job } from './job.ts';
import { judgeShare } from './map-servers.ts';
import { Sending } from './sending.ts';
import {
  acceptHeader,
  headerOf,
  readRange,
  type Session,
  serverOf,
  type WriterKeys,
} from './session.ts';
import { benchOf, type Desk } from './workbench.ts';

/** The chart with its IO. */
export function publishing(): typeof publishMachine {
  const actors = { writeShare, rereadShare, verifyClaim };
  return publishMachine.provide({
    actors: { prepareShares, shareWrite: shareWriteMachine.provide({ actors }) },
  });
}

/** A failure here is of the caller's making: the source of the contents, or what it asked for. */
const prepareShares = fromPromise<PrepareResult, PrepareInput>(
  async ({ input, signal, system }) => {
    const { desk, job, thrown } = benchOf(system);
    try {
      const encoded = await encode(desk, input, job, signal);
      const salt = await saltOf(desk, encoded);
      desk.sending = new Sending(encoded, input.recipe.kind === 'whole', thrown);
      return { ok: true, version: acceptHeader(desk.session, encoded.header, salt) };
    } catch (error) {
      return { ok: false, failure: thrown.failureOf(error) };
    }
  },
);

/** As a reader comes to it: not every signer takes the salt that it is given. */
async function saltOf(
  { session: { keyring, signatures } }: Desk,
  { header, signature }: EncodedVersion,
): Promise<Uint8Array> {
  const { spki } = (keyring.writer as WriterKeys).signing;
  try {
    return await signatures.verify(header, spki, signature);
  } catch (error) {
    if (!(error instanceof CorruptShareError)) throw error;
    throw new BadKeyError('its signature does not verify');
  }
}

const nothing = plaintextOf(new Uint8Array(0));

function encode(
  desk: Desk,
  { seqnum, base, recipe }: PrepareInput,
  { contents = nothing, onProgress }: Job,
  signal: AbortSignal,
): Promise<EncodedVersion> {
  const { session, kept, changed = contents, trees } = desk;
  const { signing, encryptedPrivateKey } = session.keyring.writer as WriterKeys;
  const plaintexts = recipe.parts.map((part) =>
    part.kind === 'new' ? changed : plaintextOf(kept.cut(part)),
  );
  const input = {
    seqnum,
    plaintext: joinPlaintexts(...plaintexts),
    readkey: readkeyOf(session.cap),
    encryptedPrivateKey,
    verificationKey: signing.spki,
    sign: (prefix: Uint8Array) => signing.sign(prefix, parentTagOf(hexToBytes(base ?? ''))),
    primitives: session.engine.primitives,
    newSalt: () => (session.engine.primitives ?? primitives).randomBytes(saltLength),
    signal,
    onSegment: (done: number, total: number) => onProgress?.({ phase: 'encoding', done, total }),
  };
  if (recipe.kind === 'inPlace') {
    const { firstSegment, newDataLength } = recipe;
    const base = headerOf(session, recipe.base);
    return encodeUpdate({ ...input, base, trees, firstSegment, newDataLength });
  }
  const { required, total } = recipe;
  return encodeVersion({ ...input, format: session.cap.format, required, total });
}

const writeShare = fromPromise<WriteResult, WriteInput>(async ({ input, signal, system }) => {
  const { desk } = benchOf(system);
  const { session } = desk;
  const sending = desk.sending as Sending;
  if (sending.failure !== undefined) return { kind: 'notSent', failure: sending.failure };
  const server = serverOf(session, input.server);
  const request = requestFor(session, server, input, sending);
  try {
    const { wrote, reads } = await session.paces.write.run(
      input.server,
      signal,
      (hurried) => server.readTestWrite(session.storageIndex, request, { signal: hurried }),
      ({ wrote }) => wrote,
    );
    const seen = [...reads].map(([shnum, [head]]) => ({
      shnum,
      checkstring: bytesToHex(head ?? new Uint8Array(0)),
    }));
    return { kind: 'answered', wrote, seen };
  } catch (error) {
    // A part that cannot be produced is not written, and neither are those before it.
    const failure = sending.failureBy(error);
    if (failure !== undefined) return { kind: 'notSent', failure };
    return toWriteResult(error);
  }
});

function requestFor(
  session: Session,
  server: StorageServer,
  { shnums, tests }: WriteInput,
  sending: Sending,
): ReadTestWriteRequest {
  const { encoded, isWhole } = sending;
  const shares = tests.map((test, shnum): readonly [number, ShareWrite] => {
    const isWritten = shnums.includes(shnum);
    const write = {
      tests: [toShareTest(test)],
      parts: isWritten ? sending.parts(shnum) : [],
      newLength: null,
    };
    // A shorter version leaves no bytes of the old one behind it.
    if (isWritten) return [shnum, isWhole ? { ...write, newLength: encoded.shareLength } : write];
    // A mere test of an absent share would make an empty one; its deletion does nothing.
    return [shnum, test.kind === 'absent' ? { ...write, newLength: 0 } : write];
  });
  return {
    secrets: session.secretsFor(server),
    shares: new Map(shares),
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

/**
 * The checkstrings of all shares on this server, as an answer to the write would have told them.
 */
const rereadShare = fromPromise<RereadResult, RereadInput>(
  async ({ input: { server }, signal, system }) => {
    const { session, sending } = benchOf(system).desk;
    const range = { offset: 0, length: (sending as Sending).encoded.checkstring.length };
    // Under the pace of the writes: there are too few re-reads to judge one by another.
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
      const held = await session.paces.write.run(
        server,
        signal,
        (hurried) =>
          serverOf(session, server).listShares(session.storageIndex, { signal: hurried }),
        () => false,
      );
      const seen = await Promise.all(held.map(headOf));
      return { ok: true, seen: seen.flat() };
    } catch (error) {
      return { ok: false, failure: toFailure(error) };
    }
  },
);

/** Judges what a server shows as a map does: each share by its own key and signature. */
const verifyClaim = fromPromise<ClaimResult, ClaimInput>(
  async ({ input: { server, shnums }, signal, system }) => {
    const { session } = benchOf(system).desk;
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
      const good = verdict.kind === 'good' ? (version as Version) : null;
      const head = verdict.kind === 'bad' ? verdict.head : '';
      const checkstring = verdict.kind === 'good' ? (version as Version).checkstring : head;
      seen.push({ shnum, checkstring, version: good });
    }
    return { ok: true, seen };
  },
);

function toShareTest(test: WriteTest): ShareTest {
  if (test.kind === 'absent') return { offset: 0, length: 1, specimen: new Uint8Array(0) };
  const specimen = hexToBytes(test.head);
  return { offset: 0, length: specimen.length, specimen };
}
