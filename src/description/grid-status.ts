/**
 * @module grid-status: which servers of a grid answer, and what keeps the others from it.
 *
 * Nothing of a file is asked for, so it needs no cap. Holds no secret: addresses without swissnums.
 */

import { access, constants, lstat, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isMajority, quorumOf } from '../../machines/quorum.ts';
import { requireOptions, requirePath } from '../arguments.ts';
import { quorumNotices } from '../encoding.ts';
import { ServerUnavailableError } from '../errors.ts';
import { Pace } from '../runtime/pace.ts';
import { defaultDeadlines, platformClock } from '../runtime/run.ts';
import { ignoreMissing, systemProblem } from '../storage/atomic-file.ts';
import { HttpServer } from '../storage/http.ts';
import { type Nurl, tcpNurls } from '../storage/nurl.ts';
import type { CallOptions } from '../storage/server.ts';
import type { GridEntry, UnusableEntry } from './announcement.ts';
import { loadGridFile } from './grid-file.ts';
import { gridSizeOf } from './grid-size.ts';

/** One server, as it is now. */
export interface ServerState {
  /** As in `Grid.servers`. */
  readonly id: string;
  /** For people; not unique. */
  readonly nickname: string;
  /** `host:port` of each of its addresses, or its folder; none when the grid does not say. */
  readonly places: readonly string[];
  /** Whether it answered. */
  readonly reachable: boolean;
  /** Whether it takes what is written, as far as that can be told without writing. */
  readonly writable: boolean;
  /** What it says it is; null for a folder, and when it cannot be reached. */
  readonly version: string | null;
  /** Bytes that it has left for shares; null when it cannot tell. */
  readonly availableSpace: number | null;
  /** Why it cannot be used, reached or written; null when it can. For people. */
  readonly problem: string | null;
}

/** What is known of a grid without a file of it. */
export interface GridStatus {
  /** The absolute path of what describes the grid. */
  readonly path: string;
  /** All that the description names. */
  readonly servers: readonly ServerState[];
  /** How many of them answered. */
  readonly reachable: number;
  /** How many of these can be written. */
  readonly writable: number;
  /** S: the largest number of servers that the grid ever had, or what its owner says. */
  readonly gridSize: number;
  /** d: how many of them may lose what they hold, and no change is lost; as their owner says. */
  readonly losableServers: number;
  /** W, the distinct servers that a new file has to reach: min(happy, N, S). */
  readonly quorum: number;
  /** 2W > S: without that nothing can be promised to several writers. */
  readonly isMajority: boolean;
  /** What the owner of the grid should know of it, for people. */
  readonly notices: readonly string[];
  /** Why nobody can make a new file here, whoever answers: a setting; null when one can. */
  readonly problem: string | null;
}

/** What a server states that cannot tell its free space. */
const SPACE_UNKNOWN = 2n ** 64n;

/**
 * Asks every server of a grid, all at once. One that hangs is given up as in any other operation.
 * @param path as for `openGrid`
 * @throws BadGridError as `openGrid`
 */
export async function gridStatus(path: string, options: CallOptions = {}): Promise<GridStatus> {
  requirePath('path', path);
  requireOptions(options);
  const {
    path: file,
    entries,
    unusable,
    size,
    encoding,
    unusableSettings,
  } = await loadGridFile(path);
  const { notices, ...numbers } = await gridSizeOf(size);
  const quorum = quorumOf({ servers: numbers.gridSize, happy: encoding.happy }, encoding.total);
  const pace = new Pace({ clock: platformClock, now: () => performance.now() });
  const { signal } = options;
  const deadline = AbortSignal.timeout(defaultDeadlines.queryMs);
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const asked = entries.map((entry) =>
    pace
      .run(entry.id, either, (hurried) => ask(entry, hurried))
      .catch((error) => {
        signal?.throwIfAborted();
        return failed(entry, problemOf(error, entry.directory));
      }),
  );
  const servers = await Promise.all(asked);
  return {
    path: file,
    servers: [...servers, ...unusable.map(leftOut)],
    reachable: servers.filter(({ reachable }) => reachable).length,
    writable: servers.filter(({ writable }) => writable).length,
    ...numbers,
    quorum: quorum.size,
    isMajority: isMajority(quorum),
    notices: [...notices, ...quorumNotices(encoding, numbers)],
    problem: unusableSettings.encoding?.message ?? unusableSettings.format?.message ?? null,
  };
}

function leftOut({ problem, ...names }: UnusableEntry): ServerState {
  return { ...names, places: [], ...silent, problem };
}

/** Of who does not answer. */
const silent = { reachable: false, writable: false, version: null, availableSpace: null } as const;

type Answer = Pick<ServerState, 'version' | 'availableSpace' | 'problem'>;

async function ask(entry: GridEntry, signal: AbortSignal): Promise<ServerState> {
  const { directory } = entry;
  const answer =
    directory === undefined ? await askServer(entry, signal) : await askFolder(directory);
  return { ...nameOf(entry), reachable: true, writable: answer.problem === null, ...answer };
}

async function askServer({ nurls, ...identity }: GridEntry, signal: AbortSignal): Promise<Answer> {
  const server = new HttpServer({ ...identity, nurls: tcpNurls(nurls), socketsMax: 1 });
  try {
    const { application, availableSpace } = await server.version({ signal });
    const isKnown = availableSpace < SPACE_UNKNOWN;
    const space = isKnown ? Number(availableSpace) : null;
    return { version: application, availableSpace: space, problem: null };
  } finally {
    server.close();
  }
}

/** Whether shares could be read there, now, by us, and written; and where they are there is room. */
async function askFolder(directory: string): Promise<Answer> {
  await requireFolder(directory, READ);
  const inside = ['shares', 'tahoe-mutable'].map((name) => join(directory, name));
  const [shares, ours] = await Promise.all(inside.map(ifThere));
  if (shares !== undefined) await requireFolder(shares, READ);
  // Another disk may be mounted there, or linked.
  const { bavail, bsize } = await statfs(shares ?? directory);
  const answer = { version: null, availableSpace: bavail * bsize };
  try {
    for (const folder of [directory, shares, ours]) {
      if (folder !== undefined) await requireFolder(folder, READ | constants.W_OK);
    }
  } catch (error) {
    return { ...answer, problem: `can be read, not written: ${problemOf(error, directory)}` };
  }
  return { ...answer, problem: null };
}

const READ = constants.R_OK | constants.X_OK;

async function requireFolder(folder: string, mode: number): Promise<void> {
  if (!(await stat(folder)).isDirectory()) throw new Error(`${basename(folder)} is not a folder`);
  await access(folder, mode);
}

/** `path`, if anything is there, be it a link that leads nowhere. */
async function ifThere(path: string): Promise<string | undefined> {
  return (await lstat(path).catch(ignoreMissing)) && path;
}

type Named = Pick<GridEntry, 'id' | 'nickname' | 'directory' | 'nurls'>;

function failed(entry: Named, problem: string): ServerState {
  return { ...nameOf(entry), ...silent, problem };
}

function nameOf({ id, nickname, directory, nurls }: Named) {
  const places = directory === undefined ? tcpNurls(nurls).map(placeOf) : [directory];
  return { id, nickname, places };
}

function placeOf({ host, port }: Nurl): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function problemOf(error: unknown, directory = ''): string {
  if (error instanceof ServerUnavailableError) return String(error.facts.problem);
  const problem = systemProblem(error);
  const inside = basename((error as NodeJS.ErrnoException).path ?? directory);
  return inside === basename(directory) ? problem : `${inside}: ${problem}`;
}
