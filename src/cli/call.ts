/**
 * @module call: what every command gets, and what it gives back.
 *
 * A command parses, calls the library, and returns a {@link Report}; nothing else prints, but for
 * what must be out before the work is done ({@link Call.say}).
 *
 * What only some commands need is loaded when they do: `--help` would wait for the whole engine.
 */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Cap } from '../caps.ts';
import type { FileSource } from '../file-source.ts';
import type { Grid } from '../grid.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Inspect } from '../runtime/run.ts';
import type { Address } from './cap-text.ts';
import { UsageError } from './complaint.ts';
import { print } from './output.ts';
import { oneLine } from './plain-text.ts';
import { isStdin } from './stdin.ts';

/** The options that every command has. */
export interface GlobalOptions {
  readonly grid?: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** What a command has to say, for people and for programs. */
export interface Report {
  readonly text: string;
  readonly json: unknown;
  /** For people, on stderr: what a script that reads stdout must not find there. */
  readonly note?: string;
  /** Set by commands that are there to print caps; every other report has its caps cut short. */
  readonly tellsCaps?: true;
  /** 0 by default. */
  readonly exitCode?: number;
}

export interface Streams {
  readonly stdin: Readable;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

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
  #grid: Grid | undefined;

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
  get gridPath(): string {
    const { grid = process.env.TAHOE_MUTABLE_GRID } = this.options;
    if (!grid) throw new UsageError('which grid? Say --grid DIR, or set TAHOE_MUTABLE_GRID');
    return grid;
  }

  /** Only who writes, or renews leases, leaves some, and needs the folder's lease secret. */
  async openGrid(purpose: 'read' | 'write'): Promise<Grid> {
    const { openGrid } = await import('../open-grid.ts');
    this.#grid = await openGrid(this.gridPath, {
      ...(purpose === 'read' && { leaseSecret: randomBytes(32) }),
      ...(this.#inspect && { inspect: this.#inspect }),
    });
    // The command goes on, also where nobody can be told.
    for (const notice of this.#grid.notices) await this.#note(oneLine(notice)).catch(() => {});
    return this.#grid;
  }

  /** Hangs up on the servers, so that the process can end. */
  close(): void {
    this.#grid?.close();
  }

  /** Prints on stdout now. @throws OutputError when it cannot go there */
  say(text: string): Promise<void> {
    return print(this.streams.stdout, text);
  }

  async cap(argument: string): Promise<Cap> {
    const { capFrom } = await import('./cap-argument.ts');
    return capFrom(argument, this.streams.stdin, this.signal);
  }

  /** A cap of any kind, and the path behind it. */
  async address(argument: string): Promise<Address> {
    const { addressFrom } = await import('./cap-argument.ts');
    return addressFrom(argument, this.streams.stdin, this.signal);
  }

  async withContents<T>(argument: string, work: (contents: FileSource) => Promise<T>): Promise<T> {
    const { withContents } = await import('./contents-argument.ts');
    return withContents(argument, { stdin: this.streams.stdin, signal: this.signal }, work);
  }

  /** Runs an operation with its progress on stderr. */
  async watch<T>(work: (options: OperationOptions) => Promise<T>): Promise<T> {
    const { stderr } = this.streams;
    const { isDrawnOn, ProgressBar } = await import('./progress.ts');
    const draw = isDrawnOn(stderr) ? (await import('./bar.ts')).newBar : undefined;
    const bar = new ProgressBar(stderr, this.#grid?.servers, draw);
    try {
      return await work({ signal: this.signal, onProgress: bar.show });
    } finally {
      bar.stop();
    }
  }
}

/** Makes a commander action of a command: its arguments, then its options. */
export type Perform = <Args extends unknown[]>(
  work: (call: Call, ...args: Args) => Promise<Report | undefined>,
) => (...args: [...Args, Command]) => Promise<void>;

/** A cap and contents that would both come from stdin. */
export function requireOneStdin(cap: string, contents: string): void {
  if (isCapStdin(cap) && isStdin(contents)) {
    throw new UsageError('CAP and FILE cannot both be "-"');
  }
}

/** Two caps that would. */
export function requireOneCapStdin(...caps: readonly string[]): void {
  if (caps.filter(isCapStdin).length > 1) throw new UsageError('two caps cannot both be "-"');
}

function isCapStdin(cap: string): boolean {
  return cap === '-' || (cap.startsWith('@') && isStdin(cap.slice(1)));
}
