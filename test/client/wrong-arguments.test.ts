/** Every public method, with what is no argument of it: a typed error that names the argument. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { writeCapOf } from '../../src/caps.ts';
import { Directory } from '../../src/directory.ts';
import { BadArgumentError, TahoeMutableError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import { litCapOf } from '../../src/immutable/caps.ts';
import { ImmutableFile } from '../../src/immutable-file.ts';
import { MutableFile } from '../../src/mutable-file.ts';
import { DirectoryServer } from '../../src/storage/directory.ts';
import { FetchServer } from '../../src/storage/fetch.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { IndexedDbServer } from '../../src/storage/indexeddb.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import { bytesOf, testKey } from '../support/client-grid.ts';
import { countedGrid } from '../support/one-server.ts';

/** What is hardly ever an argument. */
const wrong: Record<string, unknown> = {
  null: null,
  number: 7.5,
  function: () => {},
  symbol: Symbol('secret'),
  bigint: 7n,
  true: true,
  object: { x: 'secret' },
  array: [[]],
  promise: Promise.resolve(),
  bare: Object.create(null),
};

/** The kinds of these that an argument, or an option, may be. */
type Taken = readonly (keyof typeof wrong)[];

/** Arguments by what errors call them, each with a good one. */
type Arguments = Readonly<Record<string, readonly [good: unknown, ...Taken]>>;

interface Method {
  readonly arguments: Arguments;
  /** Of the last argument. */
  readonly options?: Readonly<Record<string, Taken>>;
}

const { grid, sent } = countedGrid();
const directory = await grid.createDirectory({ key: testKey });
const file = grid.open(writeCapOf(testKey, 'mdmf'));
const immutable = grid.openImmutable(litCapOf(bytesOf(5)));
const cap = directory.writeCap;

const running = { signal: [], onProgress: ['function'] } as const;
const range = { offset: [], length: [] } as const;
const retrying = { retry: ['bare', 'promise'] } as const;
const version = { version: [], ...retrying } as const;
const writing = { ...running, force: ['true'], raw: ['true'] } as const;
const change = { ...writing, ...retrying, base: [] } as const;
const patience = { ...retrying, attempts: [], backoffMs: [] } as const;
const creating = { ...running, force: ['true'], key: [], isNewKey: ['true'], format: [] } as const;
const editing = { ...running, ...patience, force: ['true'], onAttempt: ['function'] } as const;
const replacing = { ...editing, replace: ['true'] } as const;
const walking = { ...running, concurrency: [], after: [] } as const;
const looking = { verify: ['true'], repair: ['true'], addLease: ['true'] } as const;
const names = (...all: readonly string[]): Arguments =>
  Object.fromEntries(all.map((name) => [name, ['a']]));

const methods: Record<string, Record<string, Method>> = {
  Grid: {
    open: { arguments: { cap: [cap] } },
    openImmutable: { arguments: { cap: ['URI:LIT:'] } },
    openDirectory: { arguments: { cap: [cap] } },
    create: { arguments: {}, options: { ...creating, raw: ['true'], contents: [] } },
    createDirectory: { arguments: {}, options: { ...creating, children: [] } },
    find: { arguments: { address: [`${cap}/a`] }, options: running },
    walk: { arguments: { cap: [cap] }, options: walking },
    deepCheck: { arguments: { cap: [cap] }, options: { ...walking, ...looking } },
    deepStats: { arguments: { cap: [cap] }, options: walking },
  },
  MutableFile: {
    stat: { arguments: {}, options: { ...running, ...version } },
    read: { arguments: {}, options: { ...running, ...version, ...range } },
    readVersion: { arguments: {}, options: { ...running, ...version, ...range } },
    stream: { arguments: {}, options: { ...running, ...version, ...range } },
    streamVersion: { arguments: {}, options: { ...running, ...version, ...range } },
    servermap: { arguments: {}, options: { ...running, mode: [] } },
    verify: { arguments: {}, options: running },
    repair: { arguments: {}, options: { ...running, force: ['true'] } },
    renewLeases: { arguments: {}, options: running },
    overwrite: { arguments: { contents: ['x'] }, options: change },
    update: { arguments: { contents: ['x'], offset: [0] }, options: change },
    append: { arguments: { contents: ['x'] }, options: change },
    modify: {
      arguments: { modifier: [() => 'x', 'function'] },
      options: { ...writing, ...patience },
    },
  },
  Directory: {
    list: { arguments: {}, options: running },
    listing: { arguments: {}, options: running },
    get: { arguments: names('name'), options: running },
    find: { arguments: names('path'), options: running },
    openDirectory: { arguments: names('path'), options: running },
    add: {
      arguments: { ...names('name'), child: [cap] },
      options: { ...replacing, metadata: ['object', 'bare', 'promise'] },
    },
    addAll: { arguments: { children: [[]] }, options: replacing },
    unlink: { arguments: names('name'), options: editing },
    rename: { arguments: names('from', 'to'), options: replacing },
    setMetadata: {
      arguments: { ...names('name'), metadata: [{}, 'object', 'bare', 'promise'] },
      options: editing,
    },
    move: {
      arguments: { ...names('from'), target: [directory], ...names('to') },
      options: replacing,
    },
  },
  ImmutableFile: {
    read: { arguments: {}, options: { ...running, ...range } },
    stream: { arguments: {}, options: { ...running, ...range } },
    check: { arguments: {}, options: running },
    verify: { arguments: {}, options: running },
    repair: { arguments: {}, options: running },
    renewLeases: { arguments: {}, options: running },
  },
};

const targets: Record<string, object> = {
  Grid: grid,
  MutableFile: file,
  Directory: directory,
  ImmutableFile: immutable,
};

/** What a call ends with: a promise only rejects, and nothing that it gives is left unread. */
async function endOf(kind: string, method: string, given: readonly unknown[]): Promise<unknown> {
  const target = targets[kind] as Record<string, (...given: readonly unknown[]) => unknown>;
  try {
    const value = await target[method]?.(...given);
    const [all] = [value as AsyncIterable<unknown>];
    if (typeof all === 'object' && Symbol.asyncIterator in all) for await (const _ of all);
    return value;
  } catch (error) {
    return error;
  }
}

/** The argument that an error names, or what there is instead of that. */
function namedBy(error: unknown): unknown {
  if (!(error instanceof TahoeMutableError)) return error;
  const { argument, where } = error.facts;
  expect(error.message).not.toContain('secret');
  return argument ?? where;
}

const cases = Object.entries(methods).flatMap(([kind, all]) =>
  Object.entries(all).map(([name, method]) => [kind, name, method] as const),
);

describe.each(cases)('%s.%s', (kind, name, method) => {
  const all = Object.entries(method.arguments);
  const good = all.map(([, [value]]) => value);
  // A new file or directory knows the names of its options.
  const isMaking = 'isNewKey' in (method.options ?? {});
  const none: Taken = isMaking ? ['bare', 'promise'] : ['object', 'bare', 'promise'];

  test('names the argument that is none', async () => {
    const before = sent();
    const wanted =
      method.options === undefined ? all : [...all, ['options', [{}, ...none]] as const];
    for (const [at, [argument, [, ...taken]]] of wanted.entries()) {
      for (const [what, value] of Object.entries(wrong)) {
        if (taken.includes(what)) continue;
        const given = [...good];
        given[at] = value;
        const named = namedBy(await endOf(kind, name, given));
        // What is wrong may be a part of it.
        expect({ what, named }).toEqual({ what, named: startingWith(argument) });
      }
    }
    expect(sent()).toBe(before);
  });

  test('names the option that is none', async () => {
    // No time is lost with a key for what will not be.
    const others = 'key' in (method.options ?? {}) ? { key: testKey } : {};
    const before = sent();
    for (const [option, taken] of Object.entries(method.options ?? {})) {
      for (const [what, value] of Object.entries(wrong)) {
        if (taken.includes(what)) continue;
        const named = namedBy(await endOf(kind, name, [...good, { ...others, [option]: value }]));
        expect({ what, named }).toEqual({ what, named: startingWith(option) });
      }
    }
    expect(sent()).toBe(before);
  });
});

const madeOnce = cases.filter(([, , { options = { retry: [] } }]) => !('retry' in options));

test.each(madeOnce)('%s.%s takes no retry, which would have no effect', async (...made) => {
  const [kind, name, method] = made;
  const good = Object.values(method.arguments).map(([value]) => value);
  const before = sent();
  const named = namedBy(await endOf(kind, name, [...good, { retry: false }]));
  expect({ named, sent: sent() }).toEqual({ named: 'retry', sent: before });
});

function startingWith(name: string) {
  return expect.stringMatching(new RegExp(`^(what the )?${name}`));
}

test('no public method is left out', () => {
  for (const [kind, { prototype }] of Object.entries({
    Grid,
    MutableFile,
    Directory,
    ImmutableFile,
  })) {
    const described = Object.entries(Object.getOwnPropertyDescriptors(prototype));
    const called = described.filter(
      ([name, { value, get }]) => name !== 'constructor' && value && !get,
    );
    // It takes nothing.
    const found = called.map(([name]) => name).filter((name) => name !== 'close');
    expect({ kind, found: found.sort() }).toEqual({
      kind,
      found: Object.keys(methods[kind] ?? {}).sort(),
    });
  }
});

const identity = { id: 's0', nickname: 's0', tubId: new Uint8Array(20) };
const announced = { ...identity, permutationSeed: new Uint8Array(20) };
const named = { id: [], nickname: [], tubId: [], permutationSeed: [] } as const;
const timed = { ...named, now: ['function'] } as const;
const waiting = { connectMs: ['number'], silenceMs: ['number'] } as const;
const nurl = parseNurl(`pb://${'A'.repeat(43)}@127.0.0.1:1/secret#v=1`);
const bare: Taken = ['object', 'bare', 'promise'];

/** Each with good options, and what else each of them may be. */
const constructors: readonly [
  new (options: never) => object,
  good: object,
  Readonly<Record<string, Taken>>,
][] = [
  [MemoryServer, { id: 's0' }, timed],
  [IndexedDbServer, { id: 's0' }, { ...timed, database: [] }],
  [DirectoryServer, { ...announced, directory: 'none' }, { ...timed, directory: [] }],
  [
    HttpServer,
    { ...announced, nurls: [nurl] },
    { ...named, ...waiting, nurls: [], socketsMax: [], onLatency: ['function'] },
  ],
  [
    FetchServer,
    { ...announced, url: 'https://a/' },
    { ...named, url: [], swissnum: [], headers: ['function', ...bare], fetch: ['function'] },
  ],
];

test.each(constructors)('new %o names the option that is none', (Server, good, options) => {
  const made = (given: unknown) => {
    try {
      return new Server(given as never);
    } catch (error) {
      return error;
    }
  };
  expect(made(good)).toBeInstanceOf(Server);
  expect(namedBy(made(undefined))).toBe('options');
  for (const [option, taken] of Object.entries(options)) {
    for (const [what, value] of Object.entries(wrong)) {
      if (taken.includes(what)) continue;
      const named = namedBy(made({ ...good, [option]: value }));
      expect({ what, named }).toEqual({ what, named: startingWith(option) });
    }
  }
});

test('an address in the place of a Nurl is named, and not quoted', () => {
  const nurls = [nurl.reveal()] as never;
  expect(() => new HttpServer({ ...announced, nurls })).toThrowError(
    new BadArgumentError('nurls[0]', 'is a string, not a Nurl, as parseNurl makes them'),
  );
});

test.each<[unknown, string]>([
  [[null], 'child'],
  [[7], 'child'],
  [[{ name: 'a' }], 'child'],
  [[{ name: 'a', child: { caps: null } }], 'child'],
  [[{ name: 'a', child: { write: 7 } }], 'child'],
  [[{ name: 7, child: cap }], 'name'],
  [[{ name: 'a', child: cap, metadata: 7 }], 'metadata'],
])('children %j: the error names %s', async (children, named) => {
  for (const error of [
    await endOf('Directory', 'addAll', [children]),
    await endOf('Grid', 'createDirectory', [{ children }]),
  ]) {
    expect(namedBy(error)).toEqual(startingWith(named));
  }
});

test.each<[string, () => unknown]>([
  ['bytes', () => new Uint8Array([1, 2, 3])],
  ['memory', () => new ArrayBuffer(3)],
  ['a DataView', () => new DataView(new ArrayBuffer(3))],
  ['text', () => 'abc'],
  ['a Blob', () => new Blob(['abc'])],
  ['a web stream', () => new Blob(['abc']).stream()],
  ['a Readable', () => Readable.from(['abc'])],
  ['an array', () => ['abc']],
  ['a generator', () => ['abc'].values()],
  ['a source', () => ({ size: 3, read: async () => new Uint8Array(3) })],
])('%s in the place of options: no empty file is made', async (_, make) => {
  const before = sent();
  await expect(grid.create(make() as never)).rejects.toThrowError(
    new BadArgumentError('options', 'are contents: say { contents }'),
  );
  expect(sent()).toBe(before);
});

test('an option that is unknown is refused by its name, and those that are known told', async () => {
  const before = sent();
  const names = 'signal, onProgress, deadlines, force, raw, format, key, isNewKey';
  await expect(grid.create({ content: 'abc' } as never)).rejects.toThrowError(
    new BadArgumentError('options.content', `is none of contents, ${names}`),
  );
  await expect(grid.createDirectory({ contents: 'abc' } as never)).rejects.toThrowError(
    new BadArgumentError('options.contents', `is none of children, ${names}`),
  );
  expect(sent()).toBe(before);
});
