/** What callers without types hand to functions that ask no server: a typed error that names it. */
import { describe, expect, test } from 'vitest';
import {
  type Cap,
  formatCap,
  parseCap,
  toReadCap,
  toVerifyCap,
  writeCapOf,
} from '../../src/caps.ts';
import { signingKeyFromPem } from '../../src/crypto/pem.ts';
import { createGridFolder } from '../../src/description/grid-folder.ts';
import { BadArgumentError, OutOfRangeError } from '../../src/errors.ts';
import { Grid } from '../../src/grid.ts';
import {
  formatImmutableCap,
  litCapOf,
  parseImmutableCap,
  toImmutableVerifyCap,
} from '../../src/immutable/caps.ts';
import { createInspector } from '../../src/inspector/server.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import { verdictOf } from '../../src/walk/examine.ts';
import { type Met, manifestEntryOf } from '../../src/walk/met.ts';
import { recordOf } from '../../src/walk/record.ts';
import { testKey } from '../support/client-grid.ts';

const wrong = [
  [undefined, 'undefined'],
  [null, 'null'],
  [3, 'a number'],
  [Symbol('secret'), 'a symbol'],
  [Object.create(null), 'an Object'],
] as const;
const secret = 'URI:secret';

/** What it throws, or rejects with. */
async function endOf(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

/** With the type of what a caller with types would hand in. */
const taking = (call: (given: never) => unknown) => call as (given: unknown) => unknown;

describe.each([
  ['parseCap', taking(parseCap), 'cap', 'the text of a cap'],
  ['parseImmutableCap', taking(parseImmutableCap), 'cap', 'the text of a cap'],
  ['parseNurl', taking(parseNurl), 'nurl', 'the text of a NURL'],
  ['signingKeyFromPem', taking(signingKeyFromPem), 'pem', 'the text of a PEM'],
])('%s', (_, call, argument, wanted) => {
  test.each(wrong)('takes no %s', async (value, kind) => {
    const error = new BadArgumentError(argument, `is ${kind}, not ${wanted}`);
    expect(await endOf(() => call(value))).toEqual(error);
  });
});

const cap = 'a cap, or the text of one';
const immutable = 'an immutable cap, or the text of one';
const met = 'what a walk has met';

describe.each([
  ['formatCap', taking(formatCap), 'cap', cap],
  ['toReadCap', taking(toReadCap), 'cap', cap],
  ['toVerifyCap', taking(toVerifyCap), 'cap', cap],
  ['formatImmutableCap', taking(formatImmutableCap), 'cap', immutable],
  ['toImmutableVerifyCap', taking(toImmutableVerifyCap), 'cap', immutable],
  ['litCapOf', taking(litCapOf), 'contents', 'a Uint8Array'],
  ['recordOf', taking(recordOf), 'met', met],
  ['manifestEntryOf', taking(manifestEntryOf), 'met', met],
  ['verdictOf', taking((given) => verdictOf(given, {} as never)), 'met', met],
])('%s', (_, call, argument, wanted) => {
  test.each([...wrong.slice(0, 4), [secret, 'a string'] as const])(
    'takes no %s',
    async (value, kind) => {
      const error = new BadArgumentError(argument, `is ${kind}, not ${wanted}`);
      expect(await endOf(() => call(value))).toEqual(error);
    },
  );
});

test('a copy of a cap, or of what a walk has met, has not its secrets, and is neither', () => {
  const copy = { ...writeCapOf(testKey, 'mdmf') } as Cap;
  for (const call of [formatCap, toReadCap, toVerifyCap]) {
    expect(() => call(copy)).toThrowError(new BadArgumentError('cap', `is an Object, not ${cap}`));
  }
  const bare = { path: [], kind: 'file' } as unknown as Met;
  const none = new BadArgumentError(
    'met.caps',
    'is undefined, not the caps of what a walk has met',
  );
  for (const call of [recordOf, manifestEntryOf, (it: Met) => verdictOf(it, {} as never)]) {
    expect(() => call(bare)).toThrowError(none);
  }
  const examination = new BadArgumentError(
    'examination',
    'is undefined, not what a deep check has found',
  );
  expect(() => verdictOf({ ...bare, caps: {} }, undefined as never)).toThrowError(examination);
});

const servers = [new MemoryServer({ id: 's0' })];

test.each<[string, () => unknown, string, string]>([
  [
    'unusable settings',
    () => new Grid({ servers, unusable: null as never }),
    'unusable',
    'is null, not an object',
  ],
  [
    'a head length',
    () => new Grid({ servers, headLength: Symbol('secret') as never }),
    'headLength',
    'is a symbol, not a number',
  ],
  [
    'the options of an inspector',
    () => createInspector(null as never),
    'options',
    'is null, not an object',
  ],
  [
    'how many servers a new grid has',
    () => createGridFolder('never-made', { servers: Symbol('secret') as never }),
    'servers',
    'is a symbol, not a number',
  ],
])('%s: what is none is named', async (_, call, argument, problem) => {
  expect(await endOf(call)).toEqual(new BadArgumentError(argument, problem));
});

test('an error of a number tells what it was given, whatever it was, and quotes numbers only', () => {
  const told = (value: unknown) =>
    new OutOfRangeError('size', value as number, 'must be 1').message;
  expect([7, -1n, Number.NaN, Symbol('secret'), Object.create(null), 'secret'].map(told)).toEqual([
    'size 7: must be 1',
    'size -1: must be 1',
    'size NaN: must be 1',
    'size symbol: must be 1',
    'size object: must be 1',
    'size string: must be 1',
  ]);
});
