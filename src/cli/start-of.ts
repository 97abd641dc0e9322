/**
 * @module start-of: the beginning of what holds a cap or a key: a file, a pipe, stdin.
 *
 * Whatever it is, no more is read than such a thing can be long, so that it may have no end.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { unlessAborted } from '../abort.ts';
import { unreadable } from './complaint.ts';

export interface Start {
  /** For errors. */
  readonly name: string;
  /** Bytes. */
  readonly lengthMax: number;
  readonly signal: AbortSignal;
}

/** Also of what is no regular file: `@<(gpg -d …)` is a pipe. @throws UsageError */
export function startOfFile(path: string, start: Omit<Start, 'name'>): Promise<Uint8Array> {
  return startOf(createReadStream(path), { name: path, ...start });
}

/** @throws UsageError when it cannot be read */
export function startOf(stream: Readable, { name, lengthMax, signal }: Start): Promise<Uint8Array> {
  const reading = async () => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const piece of stream) {
        pieces.push(Buffer.from(piece));
        length += piece.length;
        if (length >= lengthMax) break;
      }
    } catch (error) {
      throw unreadable(name, error);
    }
    return new Uint8Array(Buffer.concat(pieces));
  };
  return unlessAborted(reading(), signal);
}
