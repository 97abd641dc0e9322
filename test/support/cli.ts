/**
 * @module cli: the command line, built and as a child process, or within the test's own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { main } from '../../src/cli/program.ts';
import { bundledProgram } from './bundled.ts';

export interface Ended {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The exit code, or the signal that ended it. */
  readonly exit: number | string | null;
}

export interface Surroundings {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Another `main.js` than the bundled one. */
  readonly program?: string;
}

/** Starts `tahoe-mutable …` with an open stdin, and with no grid in its environment. */
export async function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program?: string,
): Promise<{ readonly child: ChildProcess; readonly ended: Promise<Ended> }> {
  const main = program ?? (await bundledProgram());
  const { PATH = '', TMPDIR = '' } = process.env;
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH, ...(TMPDIR && { TMPDIR }), ...env },
    stdio: 'pipe',
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (piece) => stdout.push(piece));
  child.stderr.on('data', (piece) => stderr.push(piece));
  // A command that wants no input may end before it has got any.
  child.stdin.on('error', () => {});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
        exit: signal ?? code,
      }),
    );
  });
  return { child, ended };
}

/** Runs `tahoe-mutable …` to its end. */
export async function runCli(
  args: readonly string[],
  { stdin = '', env = {}, program }: Surroundings = {},
): Promise<Ended> {
  const { child, ended } = await startCli(args, env, program);
  child.stdin?.end(stdin);
  return ended;
}

/** The same within this process, which is quicker; it has no environment of its own. */
export async function runHere(
  args: readonly string[],
  stdin: string | Uint8Array | Readable = '',
): Promise<Ended> {
  const stdout = new Sink();
  const stderr = new Sink();
  const exit = await main(args, {
    stdin: stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]),
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
  });
  return { stdout: stdout.bytes(), stderr: stderr.bytes().toString(), exit };
}

/** Collects what is written to it; no terminal. */
class Sink extends Writable {
  readonly isTTY = false;
  readonly #pieces: Buffer[] = [];

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.#pieces.push(piece);
    done();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
