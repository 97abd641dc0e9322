/**
 * @module operations: the operations on one file, each a run of one chart.
 *
 * `MutableFile` is the face, the charts decide; here a chart gets its IO and its input, and what it
 * ends with becomes a value or a typed error.
 */

import type { Mode, Servermap, Version } from '../../machines/servermap.ts';
import type { Verification } from '../../machines/verify-kernel.ts';
import type { WriteFileReport } from '../../machines/write-file.machine.ts';
import type { Change } from '../../machines/write-kernel.ts';
import type { Bytes } from '../bytes.ts';
import type { Encoding } from '../encoding.ts';
import { geometryOf } from '../share/geometry.ts';
import { type Plaintext, plaintextOf } from '../share/plaintext.ts';
import { checkEncodable } from '../share/segments.ts';
import { nameOf, type VersionChoice, type VersionName } from '../version-name.ts';
import { readFileOn, repairFileOn, updateOn, verifyFileOn, writeFileOn } from './charts.ts';
import { keeper, type Modifier, type Taker } from './job.ts';
import type { OperationOptions, Range, RetryOptions } from './options.ts';
import {
  type FileStat,
  modifyOutcome,
  type RepairOutcome,
  readOutcome,
  repairOutcome,
  statOf,
  type VersionContents,
  verifyOutcome,
  type WriteOutcome,
  writeOutcome,
} from './outcome.ts';
import { unknownSize } from './progress.ts';
import { type Retries, retriesOf } from './retries.ts';
import { headerOf, type LastWrite, recall, remember } from './session.ts';
import { runOn, type Workbench } from './workbench.ts';

/** What every operation below is told. */
export interface FileOptions extends OperationOptions {
  /** The grid's defaults; an existing file keeps its own k and N. */
  readonly encoding: Encoding;
  /** S: the largest number of servers that any writer may know. */
  readonly gridSize: number;
  /** d: how many of them may lose what they hold. */
  readonly losableServers: number;
}

/** Maps the file; `write` and `repair` also look for the private key, if need be. */
export async function mapFile(
  bench: Workbench,
  mode: Mode,
  options: FileOptions,
): Promise<Servermap> {
  const { cap, keyring } = bench.desk.session;
  const isForWriting = mode === 'write' || mode === 'repair';
  const wantsPrivateKey = isForWriting && cap.kind === 'write' && keyring.writer === undefined;
  bench.job = { taker: keeper, wantsAll: mode === 'check' || mode === 'repair' };
  return runOn(bench, updateOn(bench.engine), {
    input: { mode, ...gridOf(bench, options), wantsPrivateKey },
    signal: options.signal,
  });
}

/** What is wanted of a file: a part of a version, the newest if none is named. */
export interface Wanted extends Range, RetryOptions {
  readonly version?: VersionChoice | undefined;
}

/** Reads a range of a version, in one piece. */
export async function readFile(
  bench: Workbench,
  wanted: Wanted,
  options: FileOptions,
): Promise<VersionContents<Bytes>> {
  const stat = await runRead(bench, wanted, keeper, true, options);
  return { ...stat, contents: bench.desk.kept.whole() };
}

/**
 * Reads a range of a version into `sink`, in pieces, in order.
 * @param begin is told, before the first piece, what it is of
 */
export async function streamFile(
  bench: Workbench,
  wanted: Wanted,
  sink: (bytes: Bytes) => Promise<void>,
  begin: (stat: FileStat) => void,
  options: FileOptions,
): Promise<void> {
  const take: Taker['take'] = (_kept, _range, _at, bytes, version) => {
    begin(statOf(version));
    return sink(bytes);
  };
  begin(await runRead(bench, wanted, { take }, false, options));
}

/** Nothing of the contents is read. */
export function statFile(
  bench: Workbench,
  { version, retry }: Pick<Wanted, 'version' | 'retry'>,
  options: FileOptions,
): Promise<FileStat> {
  return runRead(bench, { version, retry, length: 0 }, keeper, true, options);
}

/** A read begins again once: a writer may have replaced what it was reading. */
const readAttempts = 2;

/** @param canTakeBack whether a fresh session takes away what the taker was given */
async function runRead(
  bench: Workbench,
  { offset = 0, length, version, retry }: Wanted,
  taker: Taker,
  canTakeBack: boolean,
  options: FileOptions,
): Promise<FileStat> {
  bench.job = { taker };
  const { attempts: attemptsMax } = retriesOf(retry, readAttempts);
  bench.engine.progress?.plan(attemptsMax, { read: length ?? unknownSize });
  const { deadlines, ...grid } = gridOf(bench, options);
  const report = await runOn(bench, readFileOn(bench.engine), {
    input: {
      ...{ grid, canTakeBack, attemptsMax, deadlines, wanted: { offset, length: length ?? null } },
      version: version === undefined ? null : { rootHash: null, ...version },
    },
    signal: options.signal,
    onOutput: rememberIn(bench),
  });
  return readOutcome(report, bench.thrown);
}

/** Checks signatures, hashes and blocks of every share. */
export async function verifyFile(bench: Workbench, options: FileOptions): Promise<Verification> {
  bench.job = { taker: keeper, wantsAll: true };
  bench.engine.progress?.plan(1, { read: unknownSize });
  const { deadlines, ...grid } = gridOf(bench, options);
  const report = await runOn(bench, verifyFileOn(bench.engine), {
    input: { grid, deadlines },
    signal: options.signal,
    onOutput: rememberIn(bench),
  });
  return verifyOutcome(report, bench.thrown);
}

/** Places again what is missing or bad of the newest version. */
export async function repairFile(bench: Workbench, options: WriteOptions): Promise<RepairOutcome> {
  const { force = false } = options;
  const { cap, keyring } = bench.desk.session;
  bench.job = { taker: keeper, wantsAll: true, keepsSalts: true };
  bench.engine.progress?.plan(1, { read: unknownSize, encoded: 0 });
  const { deadlines, ...grid } = gridOf(bench, options);
  // Its own next write has to look.
  delete keyring.lastWrite;
  const report = await runOn(bench, repairFileOn(bench.engine), {
    input: {
      task: { format: cap.format, grid, force, newest: keyring.newest ?? null },
      hasPrivateKey: keyring.writer !== undefined,
      deadlines,
    },
    signal: options.signal,
    onOutput: rememberIn(bench),
  });
  return repairOutcome(report, bench.thrown);
}

export interface WriteOptions extends FileOptions {
  /** Write even over a newer version that cannot be read. */
  readonly force?: boolean | undefined;
  /** The only version that may be built on. */
  readonly base?: VersionName | undefined;
}

/** What is to be written, and when to try again. */
export interface Writing {
  readonly change: Change;
  /** The new bytes, unless a modifier gives them. */
  readonly contents: Plaintext;
  readonly modifier?: Modifier | undefined;
  /** How long to wait after each collision, in milliseconds; there is one more attempt. */
  readonly backoffsMs: readonly number[];
}

/** The first version of a file. @throws OutOfRangeError when it would be too large */
export async function createFile(
  bench: Workbench,
  contents: Plaintext,
  isNewKey: boolean,
  options: WriteOptions,
): Promise<WriteOutcome> {
  const { format } = bench.desk.session.cap;
  checkEncodable(geometryOf(format, options.encoding.required, contents.size));
  return writeContents(bench, { kind: 'create', isNewKey }, contents, once, options);
}

/** Creates, overwrites, updates or appends. */
export async function writeContents(
  bench: Workbench,
  change: Change,
  contents: Plaintext,
  retries: Retries,
  options: WriteOptions,
): Promise<WriteOutcome> {
  const backoffsMs = backoffsOf(retries, bench.engine.random);
  const report = await runWrite(bench, { change, contents, backoffsMs }, options);
  return writeOutcome(report, bench.thrown);
}

const once: Retries = { attempts: 1, backoffMs: 0 };

/** Reads, lets `modifier` change, and writes; undefined when it wanted no change. */
export async function modifyFile(
  bench: Workbench,
  modifier: Modifier,
  retries: Retries,
  options: WriteOptions,
): Promise<WriteOutcome | undefined> {
  const backoffsMs = backoffsOf(retries, bench.engine.random);
  const contents = plaintextOf(new Uint8Array(0));
  const writing = { change: { kind: 'modify' }, contents, modifier, backoffsMs } as const;
  return modifyOutcome(await runWrite(bench, writing, options), bench.thrown);
}

async function runWrite(
  bench: Workbench,
  { change, contents, modifier, backoffsMs }: Writing,
  options: WriteOptions,
): Promise<WriteFileReport> {
  const { force = false, base } = options;
  const { session } = bench.desk;
  const { cap, keyring } = session;
  bench.job = { taker: keeper, contents, modifier };
  bench.engine.progress?.plan(backoffsMs.length + 1, workOf(contents, options.encoding));
  const { deadlines, ...grid } = gridOf(bench, options);
  const { lastWrite } = keyring;
  // However this one ends, the servers may not be as they were.
  delete keyring.lastWrite;
  if (lastWrite !== undefined) recall(session, lastWrite);
  return runOn(bench, writeFileOn(bench.engine), {
    input: {
      task: { change, format: cap.format, ...grid, force, expected: base ? nameOf(base) : null },
      hasPrivateKey: keyring.writer !== undefined,
      newest: keyring.newest ?? null,
      remembered: lastWrite?.map ?? null,
      backoffsMs,
      deadlines,
    },
    signal: options.signal,
    onOutput: (report) => {
      rememberIn(bench)(report);
      rememberWrite(bench, report, lastWrite);
    },
  });
}

/** Longest wait after a collision, in milliseconds. */
const backoffMaxMs = 20_000;

/** Waits that grow by e, each jittered to 50–150 %, so that two writers do not stay in step. */
export function backoffsOf(
  { attempts, backoffMs: firstMs }: Retries,
  random: () => number,
): number[] {
  return Array.from({ length: attempts - 1 }, (_, i) =>
    Math.round(Math.min(backoffMaxMs, firstMs * Math.E ** i) * (0.5 + random())),
  );
}

/** What every chart is told of the grid. */
function gridOf(
  { servers, engine }: Workbench,
  { encoding, gridSize, losableServers }: FileOptions,
) {
  const { required, total, happy } = encoding;
  const membership = { servers: gridSize, happy, losable: losableServers };
  return { servers, required, total, membership, deadlines: engine.deadlines };
}

/** What new contents take in any case, about: what is kept of old ones is not known yet. */
function workOf({ size }: Plaintext, { required, total }: Encoding) {
  const ofShares = Math.ceil(size / required) * total;
  return { read: unknownSize, encoded: size, sent: ofShares, stored: ofShares };
}

/**
 * So that the next write need not ask who holds what.
 * @param before what was remembered before this one
 */
function rememberWrite(
  { desk }: Workbench,
  { remembered, isAsBefore }: WriteFileReport,
  before: LastWrite | undefined,
): void {
  const { session, sending } = desk;
  if (isAsBefore && before !== undefined) session.keyring.lastWrite = before;
  if (remembered === null) return;
  const [id = ''] = Object.keys(remembered.versions);
  // Of shares that were written as a whole nothing is noted.
  const isKnown = sending?.isWhole === false && session.shares?.isWorthIt === true;
  const shares = isKnown ? session.shares : undefined;
  session.keyring.lastWrite = { map: remembered, header: headerOf(session, id), shares };
}

/** What was acknowledged is out there, however the operation ended. */
function rememberIn({ desk }: Workbench) {
  const { keyring } = desk.session;
  return ({ newest }: { readonly newest: Version | null }): void => {
    if (newest !== null) remember(keyring, newest);
  };
}
