/**
 * @module operations: the operations on one file, each a run of one chart.
 *
 * `MutableFile` is the face, the charts decide; here a chart gets its IO and its input, and what it
 * ends with becomes a value or a typed error.
 */

import type { Mode, Servermap, Version } from '../../machines/servermap.ts';
import type { Verification } from '../../machines/verify-kernel.ts';
import type { Bytes } from '../bytes.ts';
import type { Encoding } from '../encoding.ts';
import type { VersionChoice } from '../version-name.ts';
import { readFileOn, updateOn, verifyFileOn } from './charts.ts';
import { keeper, type Taker } from './job.ts';
import type { OperationOptions, Range, RetryOptions } from './options.ts';
import {
  type FileStat,
  readOutcome,
  statOf,
  type VersionContents,
  verifyOutcome,
} from './outcome.ts';
import { unknownSize } from './progress.ts';
import { retriesOf } from './retries.ts';
import { remember } from './session.ts';
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

/** What every chart is told of the grid. */
export function gridOf(
  { servers, engine }: Workbench,
  { encoding, gridSize, losableServers }: FileOptions,
) {
  const { required, total, happy } = encoding;
  const membership = { servers: gridSize, happy, losable: losableServers };
  return { servers, required, total, membership, deadlines: engine.deadlines };
}

/** What was acknowledged is out there, however the operation ended. */
export function rememberIn({ desk }: Workbench) {
  const { sightings } = desk.session;
  return ({ newest }: { readonly newest: Version | null }): void => {
    if (newest !== null) remember(sightings, newest);
  };
}
