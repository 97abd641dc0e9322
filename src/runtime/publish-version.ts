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
import type { PlannedRequest, WriteTest } from '../../machines/reports.ts';
import type { Recipe } from '../../machines/rewrite.ts';
import type { Version } from '../../machines/servermap.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import { bytesToHex, hexToBytes } from '../bytes.ts';
import { readkeyOf } from '../caps.ts';
import { AnswerLostError, BadKeyError, CorruptShareError, NoSuchShareError } from '../errors.ts';
import { type Along, encodeVersion, type UnsealedVersion } from '../share/encode.ts';
import { encodeUpdate } from '../share/encode-update.ts';
import type { Lockstep } from '../share/lockstep.ts';
import { parentTagOf } from '../share/parent.ts';
import { joinPlaintexts, plaintextOf } from '../share/plaintext.ts';
import type { EncodedVersion, SendableVersion } from '../share/seal.ts';
import type {
  ReadTestWriteRequest,
  ShareTest,
  ShareWrite,
  StorageServer,
  WritePart,
} from '../storage/server.ts';
import { encodeAgain } from './encode-again.ts';
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
      const sending = new Sending(input.recipe.kind !== 'inPlace', thrown, desk.session.shares);
      desk.sending = sending;
      const encoded = await encode(desk, input, job, signal, alongOf(desk, input, sending));
      const salt = await saltOf(desk, encoded);
      sending.version = encoded;
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
  { seqnum, base, recipe, requests }: PrepareInput,
  { contents = nothing }: Job,
  signal: AbortSignal,
  along: Along,
): Promise<EncodedVersion> {
  const { session, kept, changed = contents, trees } = desk;
  const { signing, encryptedPrivateKey } = session.keyring.writer as WriterKeys;
  const plaintexts = recipe.parts.map((part) =>
    part.kind === 'new' ? changed : plaintextOf(kept.cut(part)),
  );
  const plaintext = joinPlaintexts(...plaintexts);
  const { progress } = session.engine;
  progress?.encodes(plaintext.size, requests, requiredBy(desk, recipe));
  const input = {
    seqnum,
    plaintext,
    readkey: readkeyOf(session.cap),
    encryptedPrivateKey,
    verificationKey: signing.spki,
    sign: (prefix: Uint8Array) => signing.sign(prefix, parentTagOf(hexToBytes(base ?? ''))),
    primitives: session.engine.primitives,
    newSalt: () => (session.engine.primitives ?? primitives).newSalt(),
    signal,
    onSegment: (bytes: number) => progress?.did('encoded', bytes),
  };
  if (recipe.kind === 'again') return encodeAgain(desk, recipe, input);
  if (recipe.kind === 'inPlace') {
    const { firstSegment, newDataLength } = recipe;
    const base = headerOf(session, recipe.base);
    return encodeUpdate({ ...input, base, trees, firstSegment, newDataLength });
  }
  const { required, total } = recipe;
  return encodeVersion({ ...input, format: session.cap.format, required, total, along });
}

/** k */
function requiredBy({ session }: Desk, recipe: Recipe): number {
  if (recipe.kind === 'whole') return recipe.required;
  const id = recipe.kind === 'inPlace' ? recipe.base : recipe.version;
  return headerOf(session, id).required;
}

/** Begins the first requests, if the file is so long that it would else be encoded twice. */
function alongOf(desk: Desk, { requests }: PrepareInput, sending: Sending): Along {
  const { session, early } = desk;
  const { clock, now } = session.engine;
  const wait = (ms: number, sooner: Promise<unknown>) =>
    new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, ms);
      void sooner.then(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
  const begin = (version: UnsealedVersion, lockstep: Lockstep) => {
    for (const request of requests) {
      early.begin(request, async (decided, signal) => {
        const server = serverOf(session, request.server);
        const { entry, leave } = lockstep.join();
        signal.addEventListener('abort', leave, { once: true });
        const partsOf = (shnum: number) =>
          heldBack(sending.watched(version.shareParts(shnum, entry)), decided);
        try {
          const all = requestFor(session, server, request, { ...version, isWhole: true }, partsOf);
          return await sending.within(() =>
            server.readTestWrite(session.storageIndex, all, { signal }),
          );
        } finally {
          leave();
        }
      });
    }
  };
  return { patience: { now, wait }, begin };
}

const writeShare = fromPromise<WriteResult, WriteInput>(async ({ input, signal, system }) => {
  const { desk } = benchOf(system);
  const { session } = desk;
  const sending = desk.sending as Sending;
  if (sending.failure !== undefined) return { kind: 'notSent', failure: sending.failure };
  const server = serverOf(session, input.server);
  const send = desk.early.decide(input) ?? sender(session, server, input, sending);
  try {
    const { wrote, reads } = await session.paces.write.run(
      input.server,
      signal,
      send,
      ({ wrote }) => wrote,
    );
    if (wrote) sending.landed(input);
    else session.shares = undefined;
    const seen = [...reads].map(([shnum, [head]]) => ({
      shnum,
      checkstring: bytesToHex(head ?? new Uint8Array(0)),
    }));
    return { kind: 'answered', wrote, seen };
  } catch (error) {
    // Whether it has landed, a re-read may tell, but not what is there now, byte for byte.
    session.shares = undefined;
    // A part that cannot be produced is not written, and neither are those before it.
    const failure = sending.failureBy(error);
    if (failure !== undefined) return { kind: 'notSent', failure };
    return toWriteResult(error);
  }
});

/** Sends a request that was not begun before. */
function sender(session: Session, server: StorageServer, input: WriteInput, sending: Sending) {
  const { version, isWhole } = sending;
  const partsOf = (shnum: number) => sending.parts({ server: server.id, shnum });
  const request = requestFor(session, server, input, { ...version, isWhole }, partsOf);
  return (signal: AbortSignal) =>
    sending.within(() => server.readTestWrite(session.storageIndex, request, { signal }));
}

/** The last part waits for `decided`. */
function heldBack(parts: readonly WritePart[], decided: Promise<void>): readonly WritePart[] {
  const head = parts.at(-1) as WritePart;
  return [...parts.slice(0, -1), { ...head, bytes: () => decided.then(head.bytes) }];
}

interface Lengths extends Pick<SendableVersion, 'shareLength' | 'checkstringLength'> {
  /** Whether whole shares are written, and not parts of them. */
  readonly isWhole: boolean;
}

function requestFor(
  session: Session,
  server: StorageServer,
  { shnums, tests }: PlannedRequest,
  { shareLength, checkstringLength, isWhole }: Lengths,
  partsOf: (shnum: number) => readonly WritePart[],
): ReadTestWriteRequest {
  const { progress } = session.engine;
  const written = shnums.map(partsOf);
  const parts = progress?.requests(server.id, written) ?? written;
  const shares = tests.map((test, shnum): readonly [number, ShareWrite] => {
    const isWritten = shnums.includes(shnum);
    const write = {
      tests: [toShareTest(test)],
      parts: parts[shnums.indexOf(shnum)] ?? [],
      newLength: null,
    };
    // A shorter version leaves no bytes of the old one behind it.
    if (isWritten) return [shnum, isWhole ? { ...write, newLength: shareLength } : write];
    // A mere test of an absent share would make an empty one; its deletion does nothing.
    return [shnum, test.kind === 'absent' ? { ...write, newLength: 0 } : write];
  });
  return {
    secrets: session.secretsFor(server),
    shares: new Map(shares),
    reads: [{ offset: 0, length: checkstringLength }],
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
    const range = { offset: 0, length: (sending as Sending).version.checkstringLength };
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
    const look = { ...session, heads: new Map(), shares: undefined };
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
