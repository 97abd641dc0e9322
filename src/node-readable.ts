/**
 * @module node-readable: a read as a stream of Node's own.
 */
import { Readable, type ReadableOptions } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { refuse, requireCount, requireOptions } from './arguments.ts';
import { BadArgumentError } from './errors.ts';

/**
 * What `stream` of a file gives, as a Node stream: what was not read yet is not fetched, `destroy()`
 * ends the download, and where it fails, so does this.
 *
 * @throws BadArgumentError for what is no web stream, or one that somebody else reads;
 * OutOfRangeError
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { toNodeReadable } from 'tahoe-mutable/node';
 *
 * await pipeline(toNodeReadable(file.stream()), createWriteStream('copy'));
 * ```
 */
export function toNodeReadable(
  stream: ReadableStream<Uint8Array>,
  options: Pick<ReadableOptions, 'highWaterMark' | 'signal'> = {},
): Readable {
  if (Object.prototype.toString.call(stream) !== '[object ReadableStream]') {
    throw new BadArgumentError('stream', 'is no web stream');
  }
  if (stream.locked) throw new BadArgumentError('stream', 'is read by somebody else');
  requireOptions(options);
  const { signal, highWaterMark } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    refuse('signal', signal, 'an AbortSignal');
  }
  if (highWaterMark !== undefined) requireCount('highWaterMark', highWaterMark);
  return Readable.fromWeb(stream as NodeStream<Uint8Array>, options);
}
