/**
 * @module download: the chart of reading an immutable file, with its IO: find shares, check what they
 * say of the file, fetch blocks, lead them and what they decode to to the hash in the cap.
 */
import { fromPromise } from 'xstate';
import { blockReadMachine } from '../../machines/block-read.machine.ts';
import { downloadFileMachine } from '../../machines/download-file.machine.ts';
import { type ShareJudged, shareJudged } from '../../machines/events.ts';
import {
  type DecodeInput,
  type DecodeResult,
  failed,
  type QueryInput,
  type QueryResult,
  type ReadBlocksInput,
  type ReadBlocksResult,
} from '../../machines/io.ts';
import { readVersionMachine } from '../../machines/read-version.machine.ts';
import { retrieveMachine } from '../../machines/retrieve.machine.ts';
import type { Purpose } from '../../machines/retrieve-kernel.ts';
import { serverQueryMachine } from '../../machines/server-query.machine.ts';
import type { Place, Version } from '../../machines/servermap.ts';
import { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { unlessAborted } from '../abort.ts';
import { type Bytes, bytesToHex } from '../bytes.ts';
import { BadCiphertextHashError, CorruptShareError } from '../errors.ts';
import type { ChkCap } from '../immutable/caps.ts';
import { decodeChkSegment } from '../immutable/decode.ts';
import type { ChkReader } from '../immutable/reader.ts';
import type { ChkVersion } from '../immutable/ueb.ts';
import { VersionVerifier } from '../share/verify.ts';
import { type Download, downloads } from './download-session.ts';
import { isCorruption, toFailure } from './failure.ts';
import { keeper, type Taker } from './job.ts';
import { judging, unverified } from './map-servers.ts';
import type { OperationOptions, Range } from './options.ts';
import { downloadOutcome } from './outcome.ts';
import { placeName } from './place-name.ts';
import { paceOf } from './query-server.ts';
import { bytesOfBlocks, decodeWindow, entriesOf, hold } from './retrieve-segments.ts';

/** Reads a range of the file, in one piece. */
export async function downloadFile(
  download: Download,
  range: Range,
  options: OperationOptions,
): Promise<Bytes> {
  await run(download, range, keeper, options);
  return download.kept.whole();
}

/** Reads a range of the file into `sink`, in pieces, in order. */
export async function downloadStream(
  download: Download,
  range: Range,
  sink: (bytes: Bytes) => Promise<void>,
  options: OperationOptions,
): Promise<void> {
  await run(download, range, { take: (_kept, _range, _at, bytes) => sink(bytes) }, options);
}

async function run(
  download: Download,
  { offset = 0, length }: Range,
  taker: Taker,
  { signal }: OperationOptions,
): Promise<void> {
  download.job = { taker };
  const { deadlines, ...grid } = gridOf(download);
  const { size } = download.cap;
  download.engine.progress?.plan(1, { read: length ?? size });
  try {
    chart ??= downloading();
    const report = await downloads.run(download, chart, {
      input: { grid, wanted: { offset, length: length ?? null }, size, deadlines },
      signal,
    });
    downloadOutcome(report, download.thrown);
  } finally {
    download.ahead.dropAll();
  }
}

/** What every chart is told of the grid. */
export function gridOf({ engine, cap, servers: all }: Download) {
  const servers = [...all.keys()];
  const { required, total } = cap;
  // Nobody writes, so no quorum is asked for.
  const membership = { servers: servers.length, happy: 1 };
  return { servers, required, total, membership, deadlines: engine.deadlines };
}

const queryServer = fromPromise<QueryResult, QueryInput>(async ({ input, signal, system }) => {
  const download = downloads.of(system);
  const { server: id } = input;
  const shares = download.servers.get(id)?.immutable;
  if (shares === undefined) return failed('unreachable', `server ${id}: it has no immutable files`);
  try {
    const shnums = await paceOf(download, id, download.job).run(
      id,
      signal,
      (hurried) => shares.listShares(download.storageIndex, { signal: hurried }),
      ({ length }) => length > 0,
    );
    return { ok: true, shnums };
  } catch (error) {
    return { ok: false, failure: toFailure(error) };
  }
});

/** Reads what shares say of the file. */
export const verifyShares = judging((system) => {
  const download = downloads.of(system);
  return (place, signal) => judgeShare(download, place, signal);
});

/** Reads what a share says of the file, and holds it against the cap. */
async function judgeShare(
  download: Download,
  place: Place,
  signal: AbortSignal,
): Promise<ShareJudged> {
  const { shnum } = place;
  try {
    requireNumber(download, shnum);
    const reader = await download.open(place, signal);
    const header = await reader.header();
    await requireRoot(reader, header, shnum);
    const version = versionOf(header, download);
    return shareJudged(shnum, { kind: 'good', version: version.id }, { version });
  } catch (error) {
    if (!isCorruption(error)) return shareJudged(shnum, unverified(error));
    download.advise(place, error.message);
    return shareJudged(shnum, { kind: 'bad', reason: error.message, head: '' });
  }
}

function requireNumber({ cap: { total } }: Download, shnum: number): void {
  if (shnum >= total) throw new CorruptShareError('share number', `${shnum} of ${total} shares`);
}

/** Leads the root of its blocks to that of all shares, if its first bytes hold what that takes. */
async function requireRoot(reader: ChkReader, header: ChkVersion, shnum: number): Promise<void> {
  if (!(await reader.hasRootAtHand())) return;
  const [chain, [root]] = await Promise.all([reader.shareHashChain(), reader.blockHashes(0, 1)]);
  new VersionVerifier(header).acceptRoot(shnum, chain, root as Uint8Array);
}

/** The chart's view of the file. */
function versionOf(
  { segmentSize, rootHash }: Pick<ChkVersion, 'segmentSize' | 'rootHash'>,
  { cap }: Download,
): Version {
  const { required, total, size } = cap;
  return {
    id: bytesToHex(cap.uebHash),
    ...{ format: 'chk', required, total, segmentSize, dataLength: size },
    ...{ seqnum: 0, rootHash: bytesToHex(rootHash), checkstring: '', tag: '', parentTag: null },
  };
}

/** What is to be thought of a share of which nothing was read. */
export function claimed(
  download: Download,
  shnum: number,
): Pick<ShareJudged, 'verdict'> & {
  readonly version?: Version;
} {
  try {
    requireNumber(download, shnum);
  } catch (error) {
    return { verdict: { kind: 'bad', reason: (error as Error).message, head: '' } };
  }
  // How it is cut only a share could tell.
  const version = versionOf({ segmentSize: 0, rootHash: new Uint8Array(0) }, download);
  return { verdict: { kind: 'good', version: version.id }, version };
}

/** Reads and checks the blocks of one share for one window, and holds those that are for reading. */
export function readBlocks(purpose: Purpose) {
  return fromPromise<ReadBlocksResult, ReadBlocksInput>(async ({ input, signal, system }) => {
    const download = downloads.of(system);
    const { blocks, ahead } = download;
    const { firstSegment, segmentCount } = input;
    try {
      const reader = download.readerOf(input, signal, 'blocks');
      const checks = download.checksBy(await reader.header(), purpose);
      const fetched = () =>
        purpose === 'read'
          ? unlessAborted(ahead.entries(input), signal)
          : reader.blocks(firstSegment, segmentCount);
      const [entries] = await Promise.all([
        checks.blocks.checkedEntries(reader, input, fetched),
        checks.crypttext.lead(reader, placeName(input), firstSegment, segmentCount),
      ]);
      hold(blocks, input, entries);
      const { progress } = download.engine;
      if (purpose === 'verify') progress?.did('read', bytesOfBlocks(checks.version, input));
      return { ok: true };
    } catch (error) {
      ahead.drop(input);
      if (isCorruption(error)) download.advise(input, error.message);
      return { ok: false, failure: toFailure(error) };
    }
  });
}

const decodeSegments = fromPromise<DecodeResult, DecodeInput>(async ({ input, system }) => {
  const download = downloads.of(system);
  const { engine, blocks, ahead, job, thrown, kept } = download;
  const { version, crypttext } = download.checksFor('read');
  const { key } = download.cap as ChkCap;
  const decode = (segnum: number, room: Bytes | undefined) => {
    const entries = [...entriesOf(blocks, segnum, input.shnums)];
    const ofShares = new Map(entries.map(([shnum, { block }]) => [shnum, block]));
    const { primitives } = engine;
    return decodeChkSegment(version, key, segnum, ofShares, crypttext, primitives, room);
  };
  try {
    const { progress } = engine;
    const hand = { job, thrown, kept, blocks, ahead, geometry: version, progress };
    return await decodeWindow(input, hand, decode);
  } catch (error) {
    if (!(error instanceof BadCiphertextHashError)) throw error;
    return { ok: false, failure: thrown.failureOf(error) };
  } finally {
    crypttext.forget();
  }
});

/** Made once, when it is first needed. */
let chart: typeof downloadFileMachine | undefined;

function downloading(): typeof downloadFileMachine {
  const servermapUpdate = findingShares(verifyShares);
  const blockRead = blockReadMachine.provide({ actors: { readBlocks: readBlocks('read') } });
  const retrieve = retrieveMachine.provide({ actors: { blockRead, decodeSegments } });
  const readVersion = readVersionMachine.provide({ actors: { servermapUpdate, retrieve } });
  return downloadFileMachine.provide({ actors: { servermapUpdate, readVersion } });
}

/** An update with its IO, in which shares are judged by this. */
export function findingShares(verifyShares: ReturnType<typeof judging>) {
  const serverQuery = serverQueryMachine.provide({ actors: { queryServer, verifyShares } });
  return servermapUpdateMachine.provide({ actors: { serverQuery } });
}
