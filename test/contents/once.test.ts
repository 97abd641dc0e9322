/** Contents that can be read only once: how they end, and that whoever gave them is told. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Contents } from '../../src/contents/contents.ts';
import { BadSourceError, GridClosedError, InsufficientCapError } from '../../src/errors.ts';
import { manyTurns, testKey } from '../support/client-grid.ts';
import { countedGrid } from '../support/one-server.ts';

const disk = new Error('EIO: disk');
const reason = new Error('enough');
const never = new Promise<never>(() => {});

/** A source that gives one piece, and then what `then` says; and what became of it. */
interface Watched {
  readonly contents: Contents;
  /** Of a source that was released: what it was told, if it is told anything. */
  readonly released: () => unknown;
}

const sources: Record<string, (then: () => Promise<unknown>) => Watched> = {
  'a web stream': (then) => {
    let released: unknown;
    const contents = new ReadableStream({
      start: (controller) => controller.enqueue('first'),
      pull: async () => {
        await then();
      },
      cancel: (why) => {
        released = why;
      },
    });
    return { contents, released: () => released };
  },
  'a Readable': (then) => {
    let calls = 0;
    const contents = new Readable({
      read() {
        if (calls++ === 0) this.push('first');
        else then().catch((error) => this.destroy(error));
      },
    });
    return { contents, released: () => contents.destroyed };
  },
  'an async iterable': (then) => {
    let released = false;
    let calls = 0;
    const iterator: AsyncIterableIterator<string> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        if (calls++ > 0) await then();
        return { done: false, value: 'first' };
      },
      return: async () => {
        released = true;
        return { done: true, value: undefined };
      },
    };
    return { contents: iterator, released: () => released };
  },
};

describe.each(Object.entries(sources))('%s', async (kind, sourceThat) => {
  const { grid, sent } = countedGrid();
  const file = await grid.create({ key: testKey, contents: 'before' });
  const wasTold = kind === 'a web stream' ? reason : true;

  test('that fails ends the write with its own error, and nothing is sent', async () => {
    const before = sent();
    const failing = () => sourceThat(() => Promise.reject(disk)).contents;
    await expect(file.overwrite(failing())).rejects.toBe(disk);
    await expect(file.append(failing())).rejects.toBe(disk);
    await expect(file.update(failing(), 3)).rejects.toBe(disk);
    await expect(grid.create({ key: testKey, contents: failing() })).rejects.toBe(disk);
    await expect(grid.create({ key: testKey, contents: failing })).rejects.toBe(disk);
    expect(sent()).toBe(before);
  });

  test('that is waited for is released when that is given up', async () => {
    const before = sent();
    const writes: ((contents: Contents, signal: AbortSignal) => Promise<unknown>)[] = [
      (contents, signal) => file.overwrite(contents, { signal }),
      (contents, signal) => grid.create({ key: testKey, contents, signal }),
    ];
    for (const write of writes) {
      const giving = new AbortController();
      const source = sourceThat(() => {
        giving.abort(reason);
        return never;
      });
      await expect(write(source.contents, giving.signal)).rejects.toBe(reason);
      expect(source.released()).toBe(wasTold);
    }
    expect(sent()).toBe(before);
  });

  test('that nobody will read is released, too', async () => {
    const before = sent();
    const signal = AbortSignal.abort(reason);
    const [first, second] = [sourceThat(() => never), sourceThat(() => never)];
    await expect(file.append(first.contents, { signal })).rejects.toBe(reason);
    const creating = grid.create({ key: testKey, contents: second.contents, signal });
    await expect(creating).rejects.toBe(reason);
    expect([first.released(), second.released()]).toEqual([wasTold, wasTold]);
    expect(sent()).toBe(before);
  });

  test('that is made too late is released', async () => {
    const { contents, released } = sourceThat(() => never);
    const giving = new AbortController();
    let make = () => {};
    const late = () =>
      new Promise<Contents>((resolve) => {
        make = () => resolve(contents);
        giving.abort(reason);
      });
    const creating = grid.create({ key: testKey, contents: late, signal: giving.signal });
    await expect(creating).rejects.toBe(reason);
    make();
    await manyTurns();
    expect(released()).toBe(wasTold);
  });

  test('is released when the grid is closed', async () => {
    const { contents, released } = sourceThat(() => {
      grid.close();
      return never;
    });
    await expect(file.append(contents)).rejects.toThrowError(new GridClosedError());
    expect(released()).toEqual(kind === 'a web stream' ? new GridClosedError() : true);
  });

  test('is released when what is called meanwhile throws', async () => {
    const { contents, released } = sourceThat(() => never);
    const other = countedGrid({ spool: () => Promise.reject(disk) });
    const writing = other.grid.create({ key: testKey, contents });
    await expect(writing).rejects.toBe(disk);
    expect(released()).toBe(kind === 'a web stream' ? disk : true);
  });

  test('of a call that is refused is left as it was', async () => {
    const source = sourceThat(() => Promise.reject(disk));
    const reader = grid.open(file.readCap);
    await expect(reader.overwrite(source.contents)).rejects.toThrowError(InsufficientCapError);
    await expect(file.update(source.contents, -1)).rejects.toThrowError('offset');
    await expect(file.append(source.contents, { force: 1 as never })).rejects.toThrowError('force');
    const bad = { format: 'x' as never, contents: source.contents };
    await expect(grid.create(bad)).rejects.toThrowError('format');
    expect(source.released()).toBe(kind === 'a web stream' ? undefined : false);
    await expect(file.overwrite(source.contents)).rejects.toBe(disk);
  });

  test('that can be read no more is refused by name', async () => {
    const { contents } = sourceThat(() => Promise.reject(disk));
    await expect(file.overwrite(contents)).rejects.toBe(disk);
    // A stream that has failed says so again.
    const again = await file.overwrite(contents).catch((e) => e);
    if (again !== disk) expect(again).toBeInstanceOf(BadSourceError);
    const both = sourceThat(() => never).contents;
    const signal = new AbortController();
    const first = file.append(both, { signal: signal.signal });
    const second = await file.append(both).catch((e) => e);
    expect(second).toBeInstanceOf(BadSourceError);
    expect(second.message).toMatch(/^contents: (is a stream that|was given as contents before)/);
    signal.abort(reason);
    await expect(first).rejects.toBe(reason);
  });
});

describe('a stream that somebody else has', async () => {
  const { grid, sent } = countedGrid();
  const file = await grid.create({ key: testKey, contents: 'before' });
  const theirs = 'is a stream that somebody else reads';
  const gone = 'is a stream that was read already';

  const locked = new Blob(['x']).stream();
  const reader = locked.getReader();
  const readOnce = new Blob(['x']).stream();
  const drained = readOnce.getReader();
  while (!(await drained.read()).done);
  drained.releaseLock();
  const begun = new Blob(['x']).stream();
  const beginner = begun.getReader();
  await beginner.read();
  beginner.releaseLock();
  const flowing = new PassThrough().resume();
  const ended = Readable.from(['x']);
  await ended.toArray();
  const destroyed = new PassThrough().destroy();

  test.each<[string, Contents, string]>([
    ['a web stream that is locked', locked, theirs],
    ['a web stream that was read', readOnce, gone],
    ['a web stream of which a part was read', begun, gone],
    ['a Readable that flows', flowing, theirs],
    ['a Readable that was read', ended, `${gone}, or destroyed`],
    ['a Readable that was destroyed', destroyed, `${gone}, or destroyed`],
  ])('%s', async (_, contents, problem) => {
    const before = sent();
    await expect(file.overwrite(contents)).rejects.toEqual(new BadSourceError('contents', problem));
    expect(sent()).toBe(before);
    expect(reader.closed).toBeInstanceOf(Promise);
  });

  test('a Readable that ends too early: its own error', async () => {
    const stream = new PassThrough();
    stream.write('half');
    const writing = file.overwrite(stream);
    await manyTurns();
    stream.destroy();
    await expect(writing).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test('a Readable that fails while a key is made: its own error, and no other end', async () => {
    const stream = new PassThrough();
    const writing = grid.create({ key: testKey, contents: stream });
    stream.destroy(disk);
    await expect(writing).rejects.toBe(disk);
  });
});

test('a stream that is slow holds no other write back; its turn comes when it is read', async () => {
  const { grid } = countedGrid();
  const file = await grid.create({ key: testKey });
  const slow = new PassThrough();
  const appending = file.append(slow);
  await file.append('fast ');
  slow.end('slow');
  await appending;
  expect(Buffer.from(await file.read()).toString()).toBe('fast slow');
});

test('a stream is let go of when it is read to its end', async () => {
  const { grid } = countedGrid();
  const [web, node] = [new Blob(['web']).stream(), Readable.from(['node'])];
  const file = await grid.create({ key: testKey, contents: web });
  await file.append(node);
  await manyTurns();
  expect([web.locked, node.destroyed]).toEqual([false, true]);
  expect(Buffer.from(await file.read()).toString()).toBe('webnode');
});

test.each<[string, () => Contents]>([
  ['a source', () => ({ size: 10, read: () => never })],
  ['a Blob', () => Object.assign(new Blob(['x']), { slice: () => ({ arrayBuffer: () => never }) })],
])('%s that never answers is not waited for when the write is given up', async (_, make) => {
  const { grid, sent } = countedGrid();
  const file = await grid.create({ key: testKey, contents: 'before' });
  const giving = new AbortController();
  const writing = file.overwrite(make(), { signal: giving.signal });
  await manyTurns();
  const before = sent();
  giving.abort(reason);
  await expect(writing).rejects.toBe(reason);
  await manyTurns();
  expect(sent()).toBe(before);
});
