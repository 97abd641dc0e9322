/**
 * @module write-operations: the operations that write a file, each a run of one chart: the other half of
 * `operations.ts`, which who only reads does not load.
 */
import type { WriteFileReport } from '../../machines/write-file.machine.ts';
import type { Change } from '../../machines/write-kernel.ts';
import { geometryOf } from '../share/geometry.ts';
import { type Plaintext, plaintextOf } from '../share/plaintext.ts';
import { checkEncodable } from '../share/segments.ts';
import { nameOf, type VersionName } from '../version-name.ts';
import { keeper, type Modifier } from './job.ts';
import { type FileOptions, gridOf, rememberIn } from './operations.ts';
import {
  modifyOutcome,
  type RepairOutcome,
  repairOutcome,
  type WriteOutcome,
  writeOutcome,
} from './outcome.ts';
import { unknownSize, workOf } from './progress.ts';
import type { Retries } from './retries.ts';
import { headerOf, type LastWrite, recall } from './session.ts';
import { runOn, type Workbench } from './workbench.ts';
import { repairFileOn, writeFileOn } from './write-charts.ts';

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
  const { cap, keyring, sightings } = session;
  bench.job = { taker: keeper, contents, modifier };
  const work = workOf(options.encoding, contents.size);
  // What is kept of old contents is not known yet.
  bench.engine.progress?.plan(backoffsMs.length + 1, { ...work, read: unknownSize });
  const { deadlines, ...grid } = gridOf(bench, options);
  const { lastWrite } = keyring;
  // However this one ends, the servers may not be as they were.
  delete keyring.lastWrite;
  if (lastWrite !== undefined) recall(session, lastWrite);
  return runOn(bench, writeFileOn(bench.engine), {
    input: {
      task: { change, format: cap.format, ...grid, force, expected: base ? nameOf(base) : null },
      hasPrivateKey: keyring.writer !== undefined,
      newest: sightings.newest ?? null,
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

/** Places again what is missing or bad of the newest version. */
export async function repairFile(bench: Workbench, options: WriteOptions): Promise<RepairOutcome> {
  const { force = false } = options;
  const { cap, keyring, sightings } = bench.desk.session;
  bench.job = { taker: keeper, wantsAll: true, keepsSalts: true };
  bench.engine.progress?.plan(1, { read: unknownSize, encoded: 0 });
  const { deadlines, ...grid } = gridOf(bench, options);
  // Its own next write has to look.
  delete keyring.lastWrite;
  const report = await runOn(bench, repairFileOn(bench.engine), {
    input: {
      task: { format: cap.format, grid, force, newest: sightings.newest ?? null },
      hasPrivateKey: keyring.writer !== undefined,
      deadlines,
    },
    signal: options.signal,
    onOutput: rememberIn(bench),
  });
  return repairOutcome(report, bench.thrown);
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
