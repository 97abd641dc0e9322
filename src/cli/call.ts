/**
 * @module call: what every command gets, and what it gives back.
 *
 * A command parses, calls the library, and returns a {@link Report}; nothing else prints, but for
 * what must be out before the work is done ({@link Call.say}).
 *
 * What only some commands need is loaded when they do: `--help` would wait for the whole engine.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Cap } from '../caps.ts';
import type { Spooled } from '../contents/spool.ts';
import { MalformedCapError, UncoordinatedWriteError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Inspect } from '../runtime/run.ts';
import { addressBehind, aliasPathIn, isBarePath } from './alias.ts';
import type { AnyCap } from './any-cap.ts';
import type { Address } from './cap-text.ts';
import { errorAt, UsageError } from './complaint.ts';
import { print } from './output.ts';
import { oneLine } from './plain-text.ts';
import type { Shown } from './progress.ts';
import { isSecret } from './redaction.ts';
import { isStdin, stdinName } from './stdin.ts';
import { type ChosenGrid, whichGrid } from './which-grid.ts';

/** The options that every command has. */
export interface GlobalOptions {
  readonly grid?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** What a command has to say, for people and for programs. */
export interface Report {
  readonly text: string;
  /** The fields of the document; undefined where all was said already. */
  readonly json: object | undefined;
  /** For people, on stderr: what a script that reads stdout must not find there. */
  readonly note?: string;
  /** The text tells that all went well, as the exit code does: nobody needs it with --quiet. */
  readonly isOutcome?: true;
  /** Set by commands that are there to print caps; every other report has its caps cut short. */
  readonly tellsCaps?: true;
  /** 0 by default. */
  readonly exitCode?: number;
}

export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Shows how far something is. */
type Show = (progress: Shown) => void;

type Work<T> = (options: OperationOptions, show: Show) => Promise<T>;

/** What a grid is opened for. */
export type Purpose = 'read' | 'write';

/** Tells people something on stderr, without the caps in it. */
export type Note = (text: string) => Promise<void>;

/** One call of one command. */
export class Call {
  readonly options: GlobalOptions;
  readonly streams: Streams;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly #inspect: Inspect | undefined;
  readonly #note: Note;
  readonly #grids = new Map<Purpose, Grid>();
  #chosen: Promise<ChosenGrid | undefined> | undefined;

  constructor(
    options: GlobalOptions,
    streams: Streams,
    signal: AbortSignal,
    inspect: Inspect | undefined,
    note: Note,
  ) {
    this.#inspect = inspect;
    this.#note = note;
    this.options = options;
    this.streams = streams;
    this.signal = signal;
  }

  /** Whether to paint what goes to stdout; heeds NO_COLOR. */
  get hasColours(): boolean {
    const { stdout } = this.streams;
    return stdout.isTTY && stdout.hasColors();
  }

  /** Where the grid is described. @throws UsageError */
  async gridPath(): Promise<string> {
    const chosen = await this.#chosenGrid();
    if (chosen !== undefined) return chosen.path;
    throw new UsageError(
      'which grid? Say --grid DIR, or set TAHOE_MUTABLE_GRID; there is no folder ~/.tahoe',
    );
  }

  #chosenGrid(): Promise<ChosenGrid | undefined> {
    this.#chosen ??= this.#chooseGrid();
    return this.#chosen;
  }

  async #chooseGrid(): Promise<ChosenGrid | undefined> {
    const chosen = await whichGrid(this.options.grid);
    if (chosen?.isDefault) await this.detail(`grid: ${oneLine(chosen.path)}, for none was named`);
    return chosen;
  }

  /**
   * Only who writes, or renews leases, leaves some, and needs the folder's lease secret. A grid that
   * is open for the purpose is given again.
   */
  async openGrid(purpose: Purpose): Promise<Grid> {
    const open = this.#grids.get(purpose);
    if (open !== undefined) return open;
    const { openGrid } = await import('../open-grid.ts');
    const grid = await openGrid(await this.gridPath(), {
      ...(purpose === 'read' && { leaseSecret: randomBytes(32) }),
      ...(this.#inspect && { inspect: this.#inspect }),
      ...(this.options.verbose && { log: await this.#log(purpose) }),
    });
    const isFirst = this.#grids.size === 0;
    this.#grids.set(purpose, grid);
    if (purpose === 'write') await this.#warnOf('secret');
    // The command goes on, also where nobody can be told.
    const notices = isFirst ? grid.notices : [];
    for (const notice of notices) await this.tell(oneLine(notice));
    return grid;
  }

  async #log(purpose: Purpose) {
    const { logLines } = await import('./log-lines.ts');
    const say = (line: string) => void this.tell(line);
    return logLines(say, () => this.#grids.get(purpose)?.servers ?? []);
  }

  /** Hangs up on the servers, so that the process can end. */
  close(): void {
    for (const grid of this.#grids.values()) grid.close();
  }

  /** Prints on stdout now. @throws OutputError when it cannot go there */
  say(text: string): Promise<void> {
    return print(this.streams.stdout, text);
  }

  /**
   * The cap of a mutable file or directory, given, or found at the end of a path.
   * @param purpose what the grid will be used for, where one must be opened to find it
   */
  async cap(argument: string, purpose: Purpose = 'read'): Promise<Cap> {
    const { capIn } = await import('./cap-text.ts');
    return naming(argument, async () => capIn(await this.#found(argument, purpose)));
  }

  /** The same of a file or directory of any kind. */
  async anyCap(argument: string, purpose: Purpose = 'read'): Promise<AnyCap> {
    const { anyCapIn } = await import('./any-cap.ts');
    return naming(argument, async () => anyCapIn(await this.#found(argument, purpose)));
  }

  async #found(argument: string, purpose: Purpose): Promise<string> {
    const { addressIn, isPathOfDirectory } = await import('./cap-text.ts');
    const text = await this.#text(argument);
    const alias = await this.#aliased(argument);
    if (alias === undefined && !isPathOfDirectory(text)) return text;
    return this.#capAt(alias ?? addressIn(text), purpose);
  }

  /** The text of a cap of any kind, likewise. */
  async capText(argument: string): Promise<string> {
    return this.#capAt(await this.address(argument), 'read');
  }

  async #capAt(address: Address, purpose: Purpose): Promise<string> {
    if (address.names.length === 0) return address.cap;
    const { capAt } = await import('./readable.ts');
    const grid = await this.openGrid(purpose);
    return this.watch((options) => capAt(grid, address, options));
  }

  /**
   * A cap of any kind, and the path behind it.
   * @param isUnknownTaken a cap of a kind that nobody here knows, too
   */
  async address(argument: string, isUnknownTaken = false): Promise<Address> {
    const { addressIn } = await import('./cap-text.ts');
    const { requireAnyCap } = await import('./any-cap.ts');
    return naming(argument, async () => {
      const address = (await this.#aliased(argument)) ?? addressIn(await this.#text(argument));
      requireAnyCap(address.cap, isUnknownTaken);
      return address;
    });
  }

  /** The folder that this client's aliases and its lease secret are in. */
  async clientFolder(): Promise<string> {
    const { clientFolderOf } = await import('../description/grid-file.ts');
    return clientFolderOf(await this.gridPath());
  }

  /** Of the client: its names for directories, and their caps. */
  async aliases(): Promise<ReadonlyMap<string, string>> {
    const { readAliases } = await import('../description/aliases.ts');
    const aliases = await readAliases(await this.clientFolder());
    await this.#warnOf('aliases');
    return aliases;
  }

  async #warnOf(name: string): Promise<void> {
    await this.warnIfExposed(join(await this.clientFolder(), 'private', name));
  }

  /** Tells people that others can read a file that holds caps or keys. */
  async warnIfExposed(path: string): Promise<void> {
    const { isExposed } = await import('./exposure.ts');
    if (await isExposed(path)) {
      await this.tell(
        `${oneLine(path)}: other users can open it, and it holds a secret: chmod 600`,
      );
    }
  }

  /** Undefined for what is no path behind an alias. @throws UnknownAliasError */
  async #aliased(argument: string): Promise<Address | undefined> {
    const named = aliasPathIn(argument);
    if (named === undefined) {
      if (!isBarePath(argument) || (await this.#chosenGrid()) === undefined) return undefined;
    }
    const { defaultAlias } = await import('../description/aliases.ts');
    const aliases = await this.aliases();
    if (named === undefined && !aliases.has(defaultAlias)) return undefined;
    return addressBehind(named ?? { alias: defaultAlias, path: argument }, aliases);
  }

  async #text(argument: string): Promise<string> {
    const { textFrom } = await import('./cap-argument.ts');
    if (isCapStdin(argument)) await this.#hint('a cap is read from this terminal, unseen');
    const text = await textFrom(argument, this.streams.stdin, this.signal);
    if (argument.startsWith('@') && isSecret(text)) await this.warnIfExposed(argument.slice(1));
    return text;
  }

  /** Who sits at a terminal may not know that something is waited for. */
  async #hint(text: string): Promise<void> {
    if (this.streams.stdin.isTTY) await this.tell(text);
  }

  /** @param argument a file; stdin by default */
  async withContents<T>(
    argument: string | undefined = stdinName,
    work: (contents: Spooled) => Promise<T>,
  ): Promise<T> {
    const { openContents, workingWith } = await import('./contents-argument.ts');
    if (isStdin(argument)) {
      await this.#hint(
        'what to write is read from this terminal; Ctrl-D at the start of a line ends it',
      );
    }
    const { signal, streams } = this;
    const { stdin } = streams;
    const isTyped = isStdin(argument) && stdin.isTTY;
    const contents = await this.watch((_, show) => {
      let done = 0;
      return openContents(argument, { stdin, signal }, (bytes) => {
        done += bytes;
        // Who types is not written over.
        if (!isTyped) show({ phase: 'spooling', done, total: undefined });
      });
    });
    return workingWith(contents, work);
  }

  /** Tells people something on stderr now; nothing happens where that cannot go. */
  async tell(text: string): Promise<void> {
    if (!this.options.quiet) await this.#note(text).catch(() => {});
  }

  /** The same of what only some want to know. */
  async detail(text: string): Promise<void> {
    if (this.options.verbose) await this.tell(text);
  }

  /**
   * Runs an operation with its progress on stderr.
   * @param work `show` is for what consists of many operations, and has phases of its own
   * @param more what may help where others write again and again, after a comma
   */
  async watch<T>(work: Work<T>, more = ''): Promise<T> {
    try {
      return await this.#watched(work);
    } catch (error) {
      if (!(error instanceof UncoordinatedWriteError)) throw error;
      const { collisionIn } = await import('./collision.ts');
      throw collisionIn(error, this.#servers ?? [], more);
    }
  }

  /** Of the grid that was opened first. */
  get #servers() {
    return [...this.#grids.values()][0]?.servers;
  }

  async #watched<T>(work: Work<T>): Promise<T> {
    if (this.options.quiet) return work({ signal: this.signal }, () => {});
    const { stderr } = this.streams;
    const { isDrawnOn, ProgressBar } = await import('./progress.ts');
    const draw = isDrawnOn(stderr) ? (await import('./bar.ts')).newBar : undefined;
    const bar = new ProgressBar(stderr, this.#servers, draw);
    try {
      return await work({ signal: this.signal, onProgress: bar.show }, bar.show);
    } finally {
      bar.stop();
    }
  }
}

/** Of several caps a malformed one is told by its file or alias, and never by itself. */
async function naming<T>(argument: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isName = argument.startsWith('@') || aliasPathIn(argument) !== undefined;
    throw isName && error instanceof MalformedCapError ? errorAt(argument, error) : error;
  }
}

/** Makes a commander action of a command: its arguments, then its options. */
export type Perform = <Args extends unknown[]>(
  work: (call: Call, ...args: Args) => Promise<Report | undefined>,
) => (...args: [...Args, Command]) => Promise<void>;

/** A cap and contents that would both come from stdin. */
export function requireOneStdin(cap: string, contents: string = stdinName): void {
  if (isCapStdin(cap) && isStdin(contents)) {
    throw new UsageError('CAP and FILE cannot both come from stdin');
  }
}

/** Two caps that would. */
export function requireOneCapStdin(...caps: readonly string[]): void {
  if (caps.filter(isCapStdin).length > 1) throw new UsageError('two caps cannot both be "-"');
}

/** Whether a cap is to come from stdin. */
export function isCapStdin(cap: string): boolean {
  return cap === '-' || (cap.startsWith('@') && isStdin(cap.slice(1)));
}
