/**
 * @module walk-log: the file of `--resume`: what a walk is through with, a line for each object, so
 * that a walk that was killed goes on behind the last one.
 *
 * It begins whole or not at all, and then only grows: to write it anew for each object would take the
 * square of their number. A line is there when its end is: one that was cut short is dropped. In it
 * are names and verify caps, and nothing that lets anybody read or write.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { BadResumeFileError } from '../errors.ts';
import { ignoreMissing, replaceFile } from '../storage/atomic-file.ts';
import { isRecord, type WalkRecord } from '../walk/record.ts';
import { unreadable } from './complaint.ts';
import { outputProblem } from './output.ts';

/** What a walk is about: a file is of one, and of no other. */
export interface WalkTask {
  readonly command: string;
  /** A verify cap; empty of a literal directory. */
  readonly root: string;
  /** What is done besides, such as `--verify`. */
  readonly options: readonly string[];
}

const version = 1;
const finished = '{"finished":true}';
/** Longer than any record: names have an end, though Tahoe sets none. */
const lineMax = 2 ** 20;

export class WalkLog {
  readonly #path: string;
  readonly #file: FileHandle;
  #size: number;
  #isFinished: boolean;

  private constructor(path: string, file: FileHandle, size: number, isFinished: boolean) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#isFinished = isFinished;
  }

  /**
   * Opens what is there, or begins it.
   * @param onRecord told what the walk is through with
   * @throws BadResumeFileError; UsageError, OutputError for what the system refuses
   */
  static async open(
    path: string,
    task: WalkTask,
    onRecord: (record: WalkRecord) => void,
  ): Promise<WalkLog> {
    const header = JSON.stringify({ 'tahoe-mutable': 'walk', version, ...task });
    const file = await opened(path, header);
    try {
      let isFinished = false;
      let size = 0;
      let number = 0;
      for await (const { text, end } of linesOf(file, path)) {
        number++;
        if (number === 1) requireHeader(path, text, header);
        else if (isFinished) throw new BadResumeFileError(path, `line ${number}: follows the end`);
        else if (text === finished) isFinished = true;
        else onRecord(recordIn(path, text, number));
        size = end;
      }
      if (number === 0) throw foreign(path);
      // What was cut short by a death would run into the next line.
      await file.truncate(size).catch((error) => Promise.reject(outputProblem(path, error)));
      return new WalkLog(path, file, size, isFinished);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Whether there is nothing left to walk. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** What the walk is through with, once more. */
  async *records(): AsyncGenerator<WalkRecord, void, undefined> {
    let number = 0;
    for await (const { text } of linesOf(this.#file, this.#path)) {
      if (++number > 1) yield recordIn(this.#path, text, number);
    }
  }

  async add(record: WalkRecord): Promise<void> {
    await this.#append(JSON.stringify(record));
  }

  async finish(): Promise<void> {
    await this.#append(finished);
    this.#isFinished = true;
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #append(line: string): Promise<void> {
    const bytes = Buffer.from(`${line}\n`);
    try {
      if ((await this.#file.stat()).size !== this.#size) {
        throw new BadResumeFileError(this.#path, 'somebody else writes to it');
      }
      await this.#file.appendFile(bytes);
    } catch (error) {
      throw outputProblem(this.#path, error);
    }
    this.#size += bytes.length;
  }
}

async function opened(path: string, header: string): Promise<FileHandle> {
  const mode = 'a+';
  try {
    const old = await open(path, 'r').catch(ignoreMissing);
    const size = old && (await old.stat()).size;
    await old?.close();
    if (size) return await open(path, mode);
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    await replaceFile(path, [Buffer.from(`${header}\n`)], { mode: 0o600 });
    return await open(path, mode);
  } catch (error) {
    throw outputProblem(path, error);
  }
}

/** The lines that have an end, and where that is. */
async function* linesOf(file: FileHandle, path: string) {
  const buffer = Buffer.alloc(2 ** 16);
  let rest = Buffer.alloc(0);
  let start = 0;
  for (;;) {
    const { bytesRead } = await file
      .read(buffer, 0, buffer.length, start + rest.length)
      .catch((error: unknown) => Promise.reject(unreadable(path, error)));
    if (bytesRead === 0) return;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    let from = 0;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10, from)) {
      const text = rest.toString('utf8', from, at);
      from = at + 1;
      yield { text, end: start + from };
    }
    start += from;
    rest = rest.subarray(from);
    if (rest.length > lineMax) throw foreign(path);
  }
}

function foreign(path: string): BadResumeFileError {
  return new BadResumeFileError(path, 'is not the file of a walk');
}

function requireHeader(path: string, text: string, wanted: string): void {
  if (text === wanted) return;
  const header = parsed(text);
  if (header?.['tahoe-mutable'] !== 'walk') throw foreign(path);
  if (header.version !== version) {
    throw new BadResumeFileError(path, 'is of another version of this program');
  }
  const { command, options, root } = header;
  const what = [command, ...(Array.isArray(options) ? options : [])].join(' ');
  const where = root === parsed(wanted)?.root ? 'this directory' : 'another directory';
  throw new BadResumeFileError(path, `is of another walk: ${what} of ${where}`);
}

function recordIn(path: string, text: string, number: number): WalkRecord {
  const record = parsed(text);
  if (record !== undefined && isRecord(record)) return record;
  throw new BadResumeFileError(path, `line ${number}: is no record of a walk`);
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
