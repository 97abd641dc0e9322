/**
 * @module read-stream: a read as a stream: what was not taken yet is not fetched.
 */
import type { Bytes } from './bytes.ts';

/** Reads into `sink`, and ends when `gone` is aborted, for nobody wants more. */
export type StreamedRead = (
  sink: (bytes: Bytes) => Promise<void>,
  gone: AbortSignal,
) => Promise<unknown>;

/** The stream fails as `read` does. */
export function streamOf(read: StreamedRead): ReadableStream<Bytes> {
  const { readable, writable } = new TransformStream<Bytes, Bytes>();
  const writer = writable.getWriter();
  const gone = new AbortController();
  writer.closed.catch((reason) => gone.abort(reason));
  read((bytes) => writer.write(bytes), gone.signal)
    .then(
      () => writer.close(),
      (error) => writer.abort(error),
    )
    .catch(() => {
      // The consumer has gone away: nobody is left to tell.
    });
  return readable;
}

/** Aborted with either of the two. */
export function eitherOf(
  signal: AbortSignal | undefined,
  gone: AbortSignal | undefined,
): AbortSignal | undefined {
  return signal && gone ? AbortSignal.any([signal, gone]) : (signal ?? gone);
}
