/**
 * @module walk-run: one walk of the command line: each object is printed, then kept in the file of
 * `--resume`, and counted.
 */
import type { Grid } from '../grid.ts';
import { verdictOf } from '../walk/examine.ts';
import { recordOf, type WalkRecord } from '../walk/record.ts';
import { rootOf } from '../walk/root.ts';
import { StatsCounter } from '../walk/stats.ts';
import { Tally } from '../walk/tally.ts';
import type { DeepCheckOptions, WalkOptions } from '../walk/walk-options.ts';
import type { Call, Report } from './call.ts';
import type { Address } from './cap-text.ts';
import { documentOf } from './document.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY } from './exit-codes.ts';
import { table } from './plain-text.ts';
import {
  examinedJson,
  examinedText,
  metJson,
  metText,
  tallyText,
  unreadText,
} from './walk-lines.ts';
import { WalkLog } from './walk-log.ts';

export type WalkCommand = 'deep-check' | 'manifest' | 'stats';

export interface WalkCallOptions {
  readonly resume?: string;
  readonly concurrency?: number;
  readonly caps?: true;
  readonly verify?: true;
  readonly repair?: true;
  readonly addLease?: true;
}

/** One object. */
interface Line {
  readonly json: object;
  readonly text: string;
  readonly record: WalkRecord;
}

export async function runWalk(
  call: Call,
  { cap, names }: Address,
  command: WalkCommand,
  options: WalkCallOptions,
): Promise<Report> {
  const { resume, repair, addLease, concurrency } = options;
  const grid = await call.openGrid(repair || addLease ? 'write' : 'read');
  const { signal } = call;
  const directory = await grid.openDirectory(cap).openDirectory(names, { signal });
  const { write, read = '', verify = '' } = rootOf(directory).caps;
  const count = new Count();
  const task = { command, root: verify, options: doings(options) };
  const log = resume === undefined ? undefined : await WalkLog.open(resume, task, count.add);
  const wasFinished = log?.isFinished === true;
  try {
    if (!wasFinished) {
      await watched(call, async (walking) => {
        const all = { ...walking, concurrency, after: log?.records() };
        for await (const line of linesOf(grid, write ?? read, command, options, all)) {
          count.add(line.record);
          await say(call, command, line);
          await log?.add(line.record);
        }
      });
      await log?.finish();
    }
  } finally {
    await log?.close();
  }
  await sayEnd(call, command, options, count);
  const notes = [
    ...(wasFinished ? [`${resume}: this walk was finished before`] : []),
    ...(count.unread > 0 ? [unreadNote(count.unread)] : []),
  ];
  const note = notes.length === 0 ? {} : { note: notes.join('\n') };
  return { text: '', json: undefined, exitCode: exitCodeOf(command, count), ...note };
}

/** What of the options makes it another walk. */
function doings({ verify, repair, addLease }: WalkCallOptions): readonly string[] {
  return [
    ...(verify ? ['--verify'] : []),
    ...(repair ? ['--repair'] : []),
    ...(addLease ? ['--add-lease'] : []),
  ];
}

/** Runs a walk with its progress on stderr, unless its lines go to the same terminal. */
function watched(call: Call, work: (options: WalkOptions) => Promise<void>): Promise<void> {
  const isShown = !call.streams.stdout.isTTY;
  return call.watch(({ signal, onProgress }) => {
    const show = onProgress as ((shown: object) => void) | undefined;
    const tell: WalkOptions['onProgress'] = ({ met, done }) =>
      show?.({ phase: 'walking', done, total: met });
    return work({ signal, ...(isShown && { onProgress: tell }) });
  });
}

async function* linesOf(
  grid: Grid,
  root: string,
  command: WalkCommand,
  { verify, repair, addLease, caps }: WalkCallOptions,
  options: WalkOptions,
): AsyncGenerator<Line, void, undefined> {
  if (command !== 'deep-check') {
    const isManifest = command === 'manifest';
    for await (const met of grid.walk(root, options)) {
      const text = isManifest ? metText(met) : unreadText(met);
      yield { json: metJson(met, isManifest), text, record: recordOf(met) };
    }
    return;
  }
  const all: DeepCheckOptions = { ...options, verify, repair, addLease };
  for await (const examined of grid.deepCheck(root, all)) {
    const { met, examination } = examined;
    yield {
      json: examinedJson(examined, repair === true, caps === true),
      text: examinedText(examined),
      record: recordOf(met, verdictOf(met, examination)),
    };
  }
}

/** Who counts is told of each object only if something is wrong with it. */
async function say(call: Call, command: WalkCommand, { json, text, record }: Line): Promise<void> {
  if (command === 'stats' && record.isUnread === undefined) return;
  const isHealthy = record.verdict?.isHealthy === true && record.isUnread === undefined;
  if (call.options.quiet && !call.options.json && isHealthy) return;
  await call.say(call.options.json ? documentOf(json) : `${text}\n`);
}

async function sayEnd(
  call: Call,
  command: WalkCommand,
  { repair }: WalkCallOptions,
  { stats, tally, unread }: Count,
): Promise<void> {
  if (call.options.json) {
    const fields = command === 'deep-check' ? tally.fields(repair === true) : {};
    const all = {
      type: 'stats',
      stats: stats.stats,
      ...fields,
      'count-unread-directories': unread,
    };
    await call.say(documentOf(all));
  } else if (command === 'stats' || (command === 'deep-check' && !call.options.quiet)) {
    await call.say(`${command === 'stats' ? statsText(stats) : tallyText(tally)}\n`);
  }
}

function unreadNote(count: number): string {
  const which = count === 1 ? 'one directory' : `${count} directories`;
  return `${which} could not be read: what is below is not known`;
}

function statsText({ stats }: StatsCounter): string {
  const { 'size-files-histogram': histogram, 'api-version': _, ...numbers } = stats;
  const rows = Object.entries(numbers).map(([name, value]) => [name, String(value)]);
  const sizes = histogram.map(([min, max, count]) => [`files of ${min}-${max} bytes`, `${count}`]);
  return table([...rows, ...sizes], '');
}

function exitCodeOf(command: WalkCommand, { tally, unread, isRootUnread }: Count): number {
  if (command !== 'deep-check') return unread > 0 ? EXIT_FAILED : 0;
  if (isRootUnread || tally.failed > 0) return EXIT_FAILED;
  return tally.unhealthy + tally.lapsing > 0 ? EXIT_UNHEALTHY : 0;
}

/** Of a whole walk, what was before it was cut off too. */
class Count {
  readonly stats = new StatsCounter();
  readonly tally = new Tally();
  unread = 0;
  isRootUnread = false;

  readonly add = (record: WalkRecord): void => {
    this.stats.add(record);
    if (record.verdict !== undefined) this.tally.add(record.verdict);
    if (record.isUnread !== true) return;
    this.unread++;
    this.isRootUnread ||= record.path.length === 0;
  };
}
