/**
 * @module trace-file: a run as JSON lines in a file, which must not be in the way of the run.
 *
 * What cannot be opened fails at once. What fails later, on a full disk say, ends the trace and is
 * told once; the run goes on.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { TraceError } from '../errors.ts';
import { systemProblem } from '../storage/atomic-file.ts';

/** Of a disk that is too slow, in bytes that wait to be written. */
const backlogMax = 64 * 1024 * 1024;

export class TraceFile {
  readonly #path: string;
  readonly #stream: ReturnType<FileHandle['createWriteStream']>;
  readonly #onProblem: (problem: TraceError) => void;
  #isOver = false;

  private constructor(path: string, handle: FileHandle, onProblem: (problem: TraceError) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#stream = handle.createWriteStream();
    this.#stream.on('error', (error) => this.#stop(systemProblem(error)));
  }

  /**
   * @param onProblem told once, when the trace ends before its time
   * @throws TraceError when the file cannot be opened
   */
  static async open(path: string, onProblem: (problem: TraceError) => void): Promise<TraceFile> {
    try {
      return new TraceFile(path, await open(path, 'w'), onProblem);
    } catch (error) {
      throw new TraceError(path, `cannot be written: ${systemProblem(error)}`);
    }
  }

  write(line: string): void {
    if (this.#isOver) return;
    this.#stream.write(`${line}\n`);
    if (this.#stream.writableLength > backlogMax) this.#stop('the disk is too slow');
  }

  /** Resolves when the file is complete, or as complete as it gets. */
  async close(): Promise<void> {
    if (!this.#isOver) this.#stream.end();
    if (this.#stream.closed) return;
    await new Promise<void>((resolve) => this.#stream.once('close', () => resolve()));
  }

  #stop(problem: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.destroy();
    try {
      this.#onProblem(new TraceError(this.#path, `the trace is incomplete: ${problem}`));
    } catch {
      // Who is told and throws must not end the run either.
    }
  }
}
