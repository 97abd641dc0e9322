/**
 * @module spool: where contents that can be read only once are kept until they are written.
 *
 * Where that is, the grid says: in memory by default, in a file that has no name on Node
 * (`spool-file.ts`).
 */
import { unlessAborted } from '../abort.ts';
import { requireCount, requireFunction, requireObject, requireOptions } from '../arguments.ts';
import { concatBytes } from '../bytes.ts';
import { BadArgumentError, SpoolError } from '../errors.ts';
import type { Plaintext } from '../share/plaintext.ts';
import { Once } from './once.ts';

/** Contents that are kept. */
export interface Spooled extends Plaintext {
  /** Nothing is kept any more. That this fails changes nothing for the write. */
  close(): Promise<void>;
}

/**
 * Keeps all `pieces`; each is good until the next one is asked for. When `pieces` throws, nothing
 * is kept, and that error is thrown on.
 */
export type Spool = (pieces: AsyncIterable<Uint8Array>) => Promise<Spooled>;

/** Bytes. */
const memoryUsual = 64 * 2 ** 20;

/**
 * Keeps contents in memory.
 * @param options `maxBytes`: more is refused (`SpoolError`); 64 MiB by default
 * @throws BadArgumentError, OutOfRangeError
 */
export function spoolInMemory(options: { readonly maxBytes?: number | undefined } = {}): Spool {
  requireOptions(options);
  const { maxBytes = memoryUsual } = options;
  requireCount('maxBytes', maxBytes);
  return async (pieces) => {
    const kept: Uint8Array[] = [];
    let size = 0;
    for await (const piece of pieces) {
      size += piece.length;
      if (size > maxBytes) throw tooMuch(maxBytes);
      kept.push(piece.slice());
    }
    let bytes = concatBytes(...kept);
    return {
      size,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => {
        bytes = new Uint8Array(0);
      },
    };
  };
}

function tooMuch(limit: number): SpoolError {
  const way = 'give a Blob, bytes, or a source with `size` and `read`, or the grid another `spool`';
  return new SpoolError(
    'contents',
    `what can be read only once is kept in memory, of which there are ${limit} bytes: ${way}`,
    { limit },
  );
}

/** Told before the first piece is waited for, with 0, and then of each piece that is kept. */
export type Kept = (bytes: number) => void;

/** Reads a source to its end, into a spool; however that ends, the source is done with. */
export async function spooled(
  once: Once,
  spool: Spool,
  signal: AbortSignal,
  kept: Kept = () => {},
): Promise<Spooled> {
  let keeping: Promise<Spooled> | undefined;
  try {
    signal.throwIfAborted();
    keeping = keptIn(spool, once, told(once.pieces(signal), kept));
    return await unlessAborted(keeping, signal);
  } catch (error) {
    once.release(error);
    // A spool may take its time to notice an abort.
    keeping?.then(closeQuietly).catch(() => {});
    throw error;
  }
}

/** A part of the contents must never pass for all of them. */
async function keptIn(
  spool: Spool,
  once: Once,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Spooled> {
  const kept = await spool(pieces);
  const { size, read, close } = requireObject('what `spool` gave', kept, 'what it keeps');
  requireFunction('`read` of what `spool` gave', read);
  requireFunction('`close` of what `spool` gave', close);
  if (size === once.length) return kept;
  await closeQuietly(kept);
  throw new BadArgumentError('spool', `keeps ${size} bytes of ${once.length ?? 'more'}`);
}

async function* told(
  pieces: AsyncIterable<Uint8Array>,
  kept: Kept,
): AsyncGenerator<Uint8Array, void, undefined> {
  kept(0);
  for await (const piece of pieces) {
    yield piece;
    // The next one is asked for.
    kept(piece.length);
  }
}

/** Runs `work` with contents that can be read at any place; what is kept for it, is so no longer. */
export async function withPlaintext<T>(
  given: Plaintext | Once,
  keep: (once: Once) => Promise<Spooled>,
  work: (plaintext: Plaintext) => Promise<T>,
): Promise<T> {
  if (!(given instanceof Once)) return work(given);
  const kept = await keep(given);
  try {
    return await work(kept);
  } finally {
    await closeQuietly(kept);
  }
}

/** The outcome of the write is what counts. */
async function closeQuietly(kept: Spooled): Promise<void> {
  try {
    await kept.close();
  } catch {}
}
