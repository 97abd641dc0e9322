/** A read as a stream of Node's own. */
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { BadArgumentError, OutOfRangeError } from '../../src/errors.ts';
import { toNodeReadable } from '../../src/node.ts';
import type { StorageServer } from '../../src/storage/server.ts';
import { encodeChk } from '../support/chk.ts';
import {
  altered,
  bytesOf,
  expectBytes,
  manyTurns,
  testGrid,
  testKey,
} from '../support/client-grid.ts';
import { immutableGrid } from '../support/immutable-grid.ts';

const encoding = { required: 1, happy: 1, total: 1 };
/** More than is read ahead. */
const long = 16 * 2 ** 20;

interface Streamed {
  stream(options?: { readonly offset?: number }): ReadableStream<Uint8Array>;
}

/** A file, and how many bytes of it were asked for. */
type Made = (contents: Uint8Array) => Promise<{ file: Streamed; asked: () => number }>;

const kinds: Record<string, Made> = {
  'a mutable file': async (contents) => {
    let asked = 0;
    const wrap = (server: StorageServer) =>
      altered(server, {
        readShare: (index, shnum, range, options) => {
          asked += range.length;
          return server.readShare(index, shnum, range, options);
        },
      });
    const { grid } = testGrid({ count: 1, encoding, wrap });
    const file = await grid.create({ format: 'mdmf', contents, key: testKey });
    return { file, asked: () => asked };
  },
  'an immutable file': async (contents) => {
    const made = await encodeChk(contents, { required: 1, total: 1 });
    const { file, calls } = immutableGrid(made, { count: 1 });
    const lengths = () => calls.map((call) => Number(/read 0 \d+\+(\d+)$/.exec(call)?.[1] ?? 0));
    return { file, asked: () => lengths().reduce((sum, length) => sum + length, 0) };
  },
};

describe.each(Object.entries(kinds))('%s', (_, made) => {
  test('is piped, whole and in part', async () => {
    const contents = bytesOf(300_000);
    const { file } = await made(contents);
    for (const offset of [0, 299_990]) {
      const pieces: Buffer[] = [];
      const sink = new Writable({
        write: (piece, _, done) => {
          pieces.push(piece);
          done();
        },
      });
      await pipeline(toNodeReadable(file.stream({ offset })), sink);
      expectBytes(Buffer.concat(pieces), contents.subarray(offset));
    }
  });

  test('is fetched as it is taken, and no more when it is destroyed', async () => {
    const { file, asked } = await made(new Uint8Array(long));
    const stream = toNodeReadable(file.stream());
    await new Promise((resolve) => stream.once('readable', resolve));
    await manyTurns();
    const ahead = asked();
    expect(ahead).toBeLessThan(long / 2);
    await manyTurns();
    expect(asked()).toBe(ahead);
    for await (const piece of stream) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await manyTurns();
    const then = asked();
    expect(then).toBeLessThan(long / 2);
    await manyTurns();
    expect([asked(), stream.destroyed]).toEqual([then, true]);
  });

  test('fails as the read does', async () => {
    const { file } = await made(bytesOf(100));
    const failing = toNodeReadable(file.stream({ offset: 101 }));
    await expect(failing.toArray()).rejects.toThrowError(
      new OutOfRangeError('offset', 101, 'the file has 100 bytes'),
    );
  });
});

test('only a web stream that nobody reads can be made one', async () => {
  const stream = new Blob(['x']).stream();
  stream.getReader();
  expect(() => toNodeReadable(stream)).toThrowError(
    new BadArgumentError('stream', 'is read by somebody else'),
  );
  for (const wrong of [null, 7, Readable.from([]), Symbol('x'), () => {}]) {
    expect(() => toNodeReadable(wrong as never)).toThrowError(
      new BadArgumentError('stream', 'is no web stream'),
    );
  }
});

test.each<[unknown, string]>([
  [null, 'options: is null, not an object'],
  [{ signal: 7 }, 'signal: is a number, not an AbortSignal'],
  [{ highWaterMark: 'x' }, 'highWaterMark: is a string, not a number'],
  [{ highWaterMark: -1 }, 'highWaterMark -1: must be a whole number from 0 to 2^53-1'],
])('options %j are refused', (options, message) => {
  const stream = new Blob(['x']).stream();
  expect(() => toNodeReadable(stream, options as never)).toThrowError(message);
  expect(stream.locked).toBe(false);
});
