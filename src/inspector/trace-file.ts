/**
 * @module trace-file: a run as JSON lines in a file, which must not be in the way of the run.
 *
 * What is there already stays as it is: it may be the trace of the crash before. What cannot be
 * opened fails at once. What fails later, on a full disk say, ends the trace and is told once; the
 * run goes on.
 */
import { constants, createWriteStream, close as fsClose, open as fsOpen, fstat } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { TraceError } from '../errors.ts';
import { errnoOf, systemProblem } from '../storage/atomic-file.ts';

/** Of a disk that is too slow, in bytes that wait to be written. */
const backlogMax = 64 * 1024 * 1024;
/** Bytes that are handed over at a time: each that is taken shows that the other side lives. */
const batchMax = 1024 * 1024;
/**
 * How long `close` waits after the last batch was taken: a pipe that nobody reads, or a disk that
 * hangs, must not keep the program from ending.
 */
const stallMs = 5000;

const exists = 'exists already: name another file, or remove it';

/** What {@link openSink} has opened. */
interface Sink {
  readonly stream: Writable;
  /** Whether the file was made by us. */
  readonly isNew: boolean;
}

export class TraceFile {
  readonly #path: string;
  readonly #sink: Sink;
  readonly #onProblem: (problem: TraceError) => void;
  #waiting: Buffer[] = [];
  #backlog = 0;
  #lines = 0;
  #isBusy = false;
  #isClosing = false;
  #isOver = false;
  #onTaken = () => {};

  private constructor(path: string, sink: Sink, onProblem: (problem: TraceError) => void) {
    this.#path = path;
    this.#sink = sink;
    this.#onProblem = onProblem;
    sink.stream.on('error', (error) => this.#stop(systemProblem(error)));
  }

  /**
   * @param onProblem told once, when the trace ends before its time
   * @throws TraceError when the file is there, or cannot be opened
   */
  static async open(path: string, onProblem: (problem: TraceError) => void): Promise<TraceFile> {
    try {
      return new TraceFile(path, await openSink(path), onProblem);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EEXIST') throw new TraceError(path, exists, { isTaken: true });
      const why = errno === 'ENXIO' ? 'nobody reads it' : systemProblem(error);
      throw new TraceError(path, `cannot be written: ${why}`);
    }
  }

  write(line: string): void {
    if (this.#isOver || this.#isClosing) return;
    const bytes = Buffer.from(`${line}\n`);
    this.#lines++;
    this.#waiting.push(bytes);
    this.#backlog += bytes.length;
    if (this.#backlog > backlogMax) this.#stop('the disk is too slow');
    else this.#flush();
  }

  /**
   * Resolves when the file is complete, or as complete as it gets. One with nothing in it but its
   * header is removed: nothing was run.
   */
  async close(): Promise<void> {
    const { stream, isNew } = this.#sink;
    this.#isClosing = true;
    this.#flush();
    if (!stream.closed) {
      await new Promise<void>((resolve) => {
        const stall = setTimeout(() => {
          this.#stop(`nothing was taken for ${stallMs / 1000} s`);
          // A write that hangs keeps the stream from closing.
          resolve();
        }, stallMs);
        this.#onTaken = () => stall.refresh();
        stream.once('close', () => {
          clearTimeout(stall);
          resolve();
        });
      });
    }
    if (isNew && this.#lines <= 1) await rm(this.#path, { force: true }).catch(() => {});
  }

  #flush(): void {
    if (this.#isBusy || this.#isOver) return;
    const batch: Buffer[] = [];
    let size = 0;
    while (size < batchMax && batch.length < this.#waiting.length) {
      const bytes = this.#waiting[batch.length] as Buffer;
      batch.push(bytes);
      size += bytes.length;
    }
    if (size === 0) {
      if (this.#isClosing) this.#sink.stream.end();
      return;
    }
    this.#waiting.splice(0, batch.length);
    this.#isBusy = true;
    this.#sink.stream.write(Buffer.concat(batch, size), (error) => {
      this.#isBusy = false;
      this.#backlog -= size;
      // The stream tells it as an event, too.
      if (error) return;
      this.#onTaken();
      this.#flush();
    });
  }

  #stop(problem: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    this.#sink.stream.destroy();
    try {
      this.#onProblem(new TraceError(this.#path, `the trace is incomplete: ${problem}`));
    } catch {
      // Who is told and throws must not end the run either.
    }
  }
}

/**
 * A file that is new; or what is there and is no file (a pipe, `/dev/full`), which cannot be lost.
 * @throws what the system says: `EEXIST`; `ENXIO` for a pipe that nobody reads
 */
async function openSink(path: string): Promise<Sink> {
  try {
    const fd = await promisify(fsOpen)(path, 'wx');
    return { stream: createWriteStream(path, { fd }), isNew: true };
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    const { O_WRONLY, O_NONBLOCK } = constants;
    const fd = await promisify(fsOpen)(path, O_WRONLY | (O_NONBLOCK ?? 0));
    const status = await promisify(fstat)(fd);
    if (status.isFile()) {
      await promisify(fsClose)(fd);
      throw error;
    }
    // A pipe that nobody empties would block a thread, and so the end of the process.
    const stream = status.isFIFO()
      ? new Socket({ fd, readable: false, writable: true })
      : createWriteStream(path, { fd });
    return { stream, isNew: false };
  }
}
