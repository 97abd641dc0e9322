/** Whatever may be contents, and whatever may not. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Contents, contentsFrom } from '../../src/contents/contents.ts';
import type { Once } from '../../src/contents/once.ts';
import { spooled, spoolInMemory, withPlaintext } from '../../src/contents/spool.ts';
import {
  BadArgumentError,
  BadSourceError,
  SourceChangedError,
  TahoeMutableError,
} from '../../src/errors.ts';
import { expectBytes, testKey } from '../support/client-grid.ts';
import { countedGrid } from '../support/one-server.ts';

const text = 'né 😀 end';
const bytes = new TextEncoder().encode(text);

/** `bytes`, as words of two bytes: they lie in the middle of their memory. */
function within(memory: ArrayBuffer | SharedArrayBuffer) {
  new Uint8Array(memory).set(bytes, 2);
  return new Uint16Array(memory, 2, bytes.length / 2);
}

function webStream(...pieces: readonly unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

async function* generated() {
  yield 'né ';
  yield new TextEncoder().encode('😀 ');
  yield 'end';
}

/** Every kind, as often as it is asked for. */
const kinds: Record<string, () => Contents> = {
  'a string': () => text,
  'a Uint8Array': () => bytes,
  'a Buffer': () => Buffer.from(text),
  'an ArrayBuffer': () => bytes.slice().buffer,
  'a view of words': () => within(new ArrayBuffer(32)),
  'a DataView': () => new DataView(bytes.slice().buffer),
  'shared memory': () => {
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    return shared;
  },
  'a view of shared memory': () => within(new SharedArrayBuffer(32)),
  'a Blob': () => new Blob([text]),
  'a File': () => new File([text], 'name'),
  'a source': () => ({
    size: bytes.length,
    read: async (at: number, n: number) => bytes.slice(at, at + n),
  }),
  'a web stream of bytes': () => webStream(bytes.subarray(0, 2), bytes.subarray(2)),
  'a web stream of text': () => webStream('né ', '😀 end'),
  'what a Blob streams': () => new Blob([text]).stream(),
  'the body of a Response': () => new Response(text).body as ReadableStream<Uint8Array>,
  'a Readable of bytes': () => Readable.from([bytes.subarray(0, 2), bytes.subarray(2)]),
  'a Readable of text': () => Readable.from(['né ', '', '😀 ', 'end']),
  'a Readable that gives text': () => Readable.from([Buffer.from(text)]).setEncoding('utf8'),
  'a PassThrough': () => new PassThrough().end(text),
  'an array': () => ['né ', bytes.subarray(4, 8), ' end'],
  'a Set': () => new Set(['né ', '😀 end']),
  'a generator': () => ['né ', '😀 end'].values(),
  'an async generator': generated,
  'halves of a character': () => ['n', 'é ', '\ud83d', '\ude00 e', 'nd'],
  'pieces that reuse their memory': function* () {
    const piece = new Uint8Array(1);
    for (const byte of bytes) yield piece.fill(byte);
  },
};

/** What is written of `contents`: it is read twice, and at any place. */
async function written(contents: unknown): Promise<Uint8Array> {
  const { signal } = new AbortController();
  const keep = (once: Once) => spooled(once, spoolInMemory(), signal);
  return withPlaintext(contentsFrom(contents), keep, async ({ size, read }) => {
    const whole = await read(0, size);
    const [first, last] = [await read(0, size >> 1), await read(size >> 1, size - (size >> 1))];
    expectBytes(Buffer.concat([first, last]), whole);
    return whole;
  });
}

test.each(Object.entries(kinds))('contents may be %s', async (_, make) => {
  expectBytes(await written(make()), bytes);
});

test.each(['a string', 'a Blob', 'a view of words', 'a web stream of bytes', 'a Readable of text'])(
  '%s is created, overwritten, appended, put in the middle',
  async (kind) => {
    const make = kinds[kind] as () => Contents;
    const { grid } = countedGrid();
    const file = await grid.create({ key: testKey, contents: () => make() });
    await file.append(make());
    await file.update(make(), 1);
    const [first, last] = [bytes.subarray(0, 1), bytes.subarray(1)];
    expectBytes(await file.read(), Buffer.concat([first, bytes, last]));
    await file.overwrite(make());
    expectBytes(await file.read(), bytes);
  },
);

test('a file on disk is streamed', async () => {
  const path = new URL(import.meta.url);
  expectBytes(await written(createReadStream(path)), await readFile(path));
});

test.each<[string, unknown]>([
  ['text', ''],
  ['pieces', []],
  ['a piece', ['']],
  ['a Blob', new Blob([])],
  ['a web stream', webStream()],
  ['a Readable', Readable.from([])],
])('%s with nothing in it is nothing', async (_, nothing) => {
  expectBytes(await written(nothing), new Uint8Array(0));
});

test('shared memory is copied when the call begins', async () => {
  const { grid } = countedGrid();
  const shared = new Uint8Array(new SharedArrayBuffer(3000)).fill(7);
  const creating = grid.create({ key: testKey, contents: shared });
  shared.fill(9);
  expectBytes(await (await creating).read(), new Uint8Array(3000).fill(7));
});

test.each<[string, unknown]>([
  ['a string', 'new'],
  ['an ArrayBuffer', new TextEncoder().encode('new').buffer],
  ['a Uint8Array', new TextEncoder().encode('new')],
])('a modifier may give %s', async (_, given) => {
  const { grid } = countedGrid();
  const file = await grid.create({ key: testKey, contents: 'old' });
  await file.modify(() => given as string);
  expect(Buffer.from(await file.read()).toString()).toBe('new');
});

function detached(): ArrayBuffer {
  const memory = new ArrayBuffer(8);
  structuredClone(memory, { transfer: [memory] });
  return memory;
}

/** A view that begins beyond the end of its memory, since that was made shorter. */
function cutOff<View>(make: (memory: ArrayBuffer) => View): View {
  // The library of types does not know of it yet.
  const Resizable = ArrayBuffer as unknown as new (
    size: number,
    options: { readonly maxByteLength: number },
  ) => ArrayBuffer & { resize(size: number): void };
  const memory = new Resizable(8, { maxByteLength: 16 });
  const view = make(memory);
  memory.resize(2);
  return view;
}

const gone = 'is no more: its memory was given away, or cut off';

const wanted =
  'bytes, a string, a Blob, a stream, an iterable of bytes or strings, ' +
  'or a source of `size` bytes with a method `read(offset, length)`';
const noIterator = 'is an iterable whose iterator is none: it has no method `next`';
const argument = (problem: string) => new BadArgumentError('contents', problem);
const source = (problem: string) => new BadSourceError('contents', problem);

describe('what can be no contents is refused by name, and nothing is sent', async () => {
  const { grid, sent } = countedGrid();
  const file = await grid.create({ key: testKey, contents: 'before' });
  test.each<[string, unknown, TahoeMutableError]>([
    ['nothing', undefined, argument(`is undefined, not ${wanted}`)],
    ['null', null, argument(`is null, not ${wanted}`)],
    ['a number', 7, argument(`is a number, not ${wanted}`)],
    ['a bigint', 7n, argument(`is a bigint, not ${wanted}`)],
    ['a symbol', Symbol('x'), argument(`is a symbol, not ${wanted}`)],
    ['a class', Blob, argument(`is a function, not ${wanted}`)],
    ['an object', {}, argument(`is an Object, not ${wanted}`)],
    ['a promise', Promise.resolve('x'), argument(`is a Promise, not ${wanted}`)],
    ['a source without a size', { read: () => bytes }, argument(`is an Object, not ${wanted}`)],
    ['a Response', new Response('x'), argument(`is a Response, not ${wanted}`)],
    ['half a character', 'half \ud83d', argument('has half a character')],
    ['memory that was given away', detached(), argument(gone)],
    ['what was cut off', cutOff((memory) => new Uint8Array(memory, 4, 4)), argument(gone)],
    ['words that were cut off', cutOff((memory) => new Uint16Array(memory, 4)), argument(gone)],
    ['a DataView that was cut off', cutOff((memory) => new DataView(memory, 4)), argument(gone)],
    [
      'a piece that was cut off',
      ['x', cutOff((memory) => new Uint8Array(memory, 4, 4))],
      source(`piece 1 ${gone}`),
    ],
    ['an iterator that is none', { [Symbol.iterator]: () => 7 }, source(noIterator)],
    ['an iterator that is null', { [Symbol.asyncIterator]: () => null }, source(noIterator)],
    [
      'an iterator that gives null',
      { [Symbol.iterator]: () => ({ next: () => null }) },
      source('is an iterator that gave null, not a result'),
    ],
    [
      'an iterator that gives a number',
      { [Symbol.asyncIterator]: () => ({ next: async () => 7 }) },
      source('is an iterator that gave a number, not a result'),
    ],
    ['numbers', [1, 2], source('piece 0 is a number, not bytes or a string')],
    ['a list of lists', [bytes, []], source('piece 1 is an array, not bytes or a string')],
    ['a Map', new Map([[1, 2]]), source('piece 0 is an array, not bytes or a string')],
    ['a stream of objects', webStream({}), source('piece 0 is an Object, not bytes or a string')],
    ['objects', Readable.from([{ a: 1 }]), source('piece 0 is an Object, not bytes or a string')],
    ['a half at the end', ['x', '\ud83d'], source('piece 2 should go on with a character')],
    ['a half before bytes', ['\ud83d', bytes], source('piece 1 should go on with a character')],
    ['a second half alone', ['x', '\ude00'], source('piece 1 has half a character')],
    ['a piece that was given away', [detached()], source(`piece 0 ${gone}`)],
  ])('%s', async (_, value, error) => {
    const before = sent();
    const once = value instanceof ReadableStream || value instanceof Readable || value === Blob;
    const writes = [
      () => file.overwrite(value as never),
      () => file.append(value as never),
      () => file.update(value as never, 0),
      () => grid.create({ key: testKey, contents: value as never }),
    ];
    for (const write of once ? writes.slice(0, 1) : writes) {
      if (value === undefined && write === writes[3]) continue;
      const thrown = await write().catch((e) => e);
      expect(thrown).toBeInstanceOf(TahoeMutableError);
      expect([thrown.code, thrown.message, thrown.facts]).toEqual([
        error.code,
        error.message,
        error.facts,
      ]);
    }
    expect(sent()).toBe(before);
  });
});

test('memory that is given away while it is written is a source that changed', async () => {
  const { grid } = countedGrid();
  const file = await grid.create({ key: testKey, contents: 'before' });
  for (const write of [
    (contents: Contents) => file.overwrite(contents),
    (contents: Contents) => file.append(contents),
  ]) {
    const memory = new ArrayBuffer(3000);
    const writing = write(memory);
    structuredClone(memory, { transfer: [memory] });
    const error = await writing.catch((e) => e);
    expect(error).toBeInstanceOf(SourceChangedError);
    expect(error.facts).toEqual({ offset: 0, wanted: expect.any(Number), got: 0 });
  }
  expect(Buffer.from(await file.read()).toString()).toBe('before');
});
