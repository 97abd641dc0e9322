/**
 * @module arguments: what callers of the library may hand in. Anything else is refused by the
 * argument's name, before anything is sent.
 *
 * The types say the same, but not every caller is compiled with them. A value is never quoted: a
 * cap or a key in the wrong place would be printed.
 */
import type { Observer } from 'xstate';
import type { Deadlines } from '../machines/io.ts';
import { isBytes } from './bytes.ts';
import type { SigningKey } from './crypto/primitives.ts';
import { BadArgumentError, OutOfRangeError } from './errors.ts';
import { redacted } from './redacted.ts';
import { isBytesOf, refuse, requireObject } from './refusal.ts';
import type { OperationOptions, Range, Retry } from './runtime/options.ts';
import type { Clock } from './runtime/run.ts';
import type { ReadableShares, StorageServer } from './storage/server.ts';

/** Milliseconds: what a timer can wait, some 24 days; it fires at once when told to wait longer. */
export const timerMax = 2 ** 31 - 1;

/** Of which there is none else. */
const deadlineNames: Readonly<Record<keyof Deadlines, true>> = {
  ...{ queryMs: true, verifyMs: true, readMs: true, writeMs: true },
};
/** Attempts of one write: hours of waiting. */
const attemptsMax = 1000;
const rules: ReadonlySet<unknown> = new Set(['ours', 'fix2015', 'ticket']);
const modes: ReadonlySet<unknown> = new Set(['anything', 'read', 'write', 'check', 'repair']);
const formats: ReadonlySet<unknown> = new Set(['sdmf', 'mdmf']);

/** The names of what a call takes: all of them, and no other. */
export type Names<Options> = Readonly<Record<keyof Options, true>>;

/** What every call takes. */
export const ofAnyCall: Names<OperationOptions> = {
  ...{ signal: true, onProgress: true, deadlines: true },
};

/**
 * Checks the options of an operation. One that it does not take is refused: a misspelt `base` would
 * guard nothing, and a `retry` of what is not made again have no effect.
 * @throws BadArgumentError, OutOfRangeError
 */
export function checkOptions(options: OperationOptions, names: Names<object> = ofAnyCall): void {
  const given = requireObject('options', options, 'an object');
  const { signal, onProgress, rule, mode, force, raw, base, version, deadlines, retry } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    refuse('signal', signal, 'an AbortSignal');
  }
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  if (rule !== undefined) requireOneOf('rule', rule, rules);
  if (mode !== undefined) requireOneOf('mode', mode, modes);
  for (const [name, value] of Object.entries({ force, raw })) {
    if (value !== undefined && typeof value !== 'boolean') refuse(name, value, 'true or false');
  }
  if (deadlines !== undefined) checkDeadlines(deadlines);
  if (retry !== undefined && !('retry' in names)) {
    throw new BadArgumentError('retry', 'is no option of this call');
  }
  if (retry !== undefined && retry !== false) checkRetry(retry);
  if (base !== undefined) checkVersion('base', base);
  if (version !== undefined) checkVersion('version', version, false);
  requireKnown('options', given, Object.keys(names), ['rule']);
}

function checkRetry(retry: unknown): void {
  const given = requireObject('retry', retry, 'false, or an object');
  requireKnown('retry', given, ['attempts', 'backoffMs']);
  const { attempts, backoffMs } = given as Exclude<Retry, false>;
  if (attempts !== undefined) requireAttempts('retry.attempts', attempts);
  if (backoffMs !== undefined) requireCount('retry.backoffMs', backoffMs);
}

/** @throws BadArgumentError, OutOfRangeError unless it is a number of attempts */
export function requireAttempts(argument: string, attempts: number): void {
  requireCount(argument, attempts);
  if (attempts >= 1 && attempts <= attemptsMax) return;
  throw new OutOfRangeError(argument, attempts, `must be from 1 to ${attemptsMax}`);
}

/** @param isWhole whether its seqnum is not enough */
function checkVersion(argument: string, value: unknown, isWhole = true): void {
  const name = requireObject(argument, value, 'a version');
  requireCount(`${argument}.seqnum`, name.seqnum as number);
  const { rootHash } = name;
  if (rootHash === undefined && !isWhole) return;
  if (typeof rootHash === 'string' && /^[0-9a-f]{64}$/.test(rootHash)) return;
  refuse(`${argument}.rootHash`, rootHash, '64 hex digits');
}

/** @throws BadArgumentError, OutOfRangeError */
export function checkRange({ offset, length }: Range): void {
  if (offset !== undefined) requireCount('offset', offset);
  if (length !== undefined) requireCount('length', length);
}

/** @throws BadArgumentError */
export function checkCreation(given: {
  readonly format: unknown;
  readonly key: unknown;
  readonly isNewKey: unknown;
}): void {
  const { format, key, isNewKey } = given;
  if (isNewKey !== undefined && typeof isNewKey !== 'boolean') {
    refuse('isNewKey', isNewKey, 'true or false');
  }
  requireOneOf('format', format, formats);
  if (key === undefined) return;
  const wanted = 'a signing key';
  const { pkcs8, spki, sign } = requireObject('key', key, wanted) as Partial<SigningKey>;
  if (isBytes(pkcs8) && isBytes(spki) && typeof sign === 'function') return;
  refuse('key', key, wanted);
}

/** The options of a grid, as a caller without types may give them. */
interface GridArguments {
  readonly servers?: unknown;
  readonly gridSize?: unknown;
  readonly headLength?: unknown;
  readonly unusable?: unknown;
  readonly leaseSecret?: unknown;
  readonly deadlines?: unknown;
  readonly clock?: unknown;
  readonly now?: unknown;
  readonly random?: unknown;
  readonly date?: unknown;
  readonly inspect?: unknown;
  readonly log?: unknown;
  readonly encoding?: unknown;
  readonly format?: unknown;
  readonly spareKeys?: unknown;
  readonly rememberedFiles?: unknown;
  readonly spool?: unknown;
  readonly losableServers?: unknown;
}

const functionsOfGrid = ['now', 'random', 'date', 'spool'] as const;
const countsOfGrid = ['spareKeys', 'losableServers', 'rememberedFiles'] as const;
const ofGrid: Names<GridArguments> = {
  ...{ servers: true, gridSize: true, headLength: true, unusable: true, leaseSecret: true },
  ...{ deadlines: true, clock: true, inspect: true, log: true, encoding: true, format: true },
  ...{ now: true, random: true, date: true, spool: true },
  ...{ spareKeys: true, losableServers: true, rememberedFiles: true },
};

/** @throws BadArgumentError, OutOfRangeError */
export function checkGrid(options: GridArguments): void {
  const given = requireObject('options', options, 'an object') as GridArguments;
  requireKnown('options', { ...given }, Object.keys(ofGrid), ['primitives', 'machines', 'notices']);
  const { servers, gridSize, headLength, unusable, leaseSecret, deadlines } = given;
  const { clock, inspect, log, encoding, format } = given;
  if (format !== undefined) requireOneOf('format', format, formats);
  if (!Array.isArray(servers)) refuse('servers', servers, 'an array');
  for (const [i, server] of (servers as unknown[]).entries()) checkServer(`servers[${i}]`, server);
  for (const [name, value] of Object.entries({ gridSize, headLength })) {
    if (value !== undefined && typeof value !== 'number') refuse(name, value, 'a number');
  }
  if (unusable !== undefined) requireObject('unusable', unusable, 'an object');
  if (leaseSecret !== undefined && !isBytesOf(leaseSecret, 32)) {
    refuse('leaseSecret', leaseSecret, '32 bytes');
  }
  if (deadlines !== undefined) checkDeadlines(deadlines);
  if (clock !== undefined) {
    const { setTimeout, clearTimeout } = requireObject('clock', clock, 'a clock') as Partial<Clock>;
    requireFunction('clock.setTimeout', setTimeout);
    requireFunction('clock.clearTimeout', clearTimeout);
  }
  for (const source of functionsOfGrid) {
    if (given[source] !== undefined) requireFunction(source, given[source]);
  }
  for (const count of countsOfGrid) {
    if (given[count] !== undefined) requireCount(count, given[count] as number);
  }
  if (inspect !== undefined && typeof inspect !== 'function') {
    const wanted = 'a function or an observer';
    const { next } = requireObject('inspect', inspect, wanted) as Observer<unknown>;
    if (next !== undefined) requireFunction('inspect.next', next);
  }
  if (log !== undefined) {
    const { debug, info, warn, error } = requireObject('log', log, 'a logger');
    for (const [level, method] of Object.entries({ debug, info, warn, error })) {
      requireFunction(`log.${level}`, method);
    }
  }
  if (encoding !== undefined) {
    const { required, happy, total } = requireObject('encoding', encoding, 'an object');
    for (const [name, value] of Object.entries({ required, happy, total })) {
      if (typeof value !== 'number') refuse(`encoding.${name}`, value, 'a number');
    }
  }
}

function checkServer(name: string, server: unknown): void {
  const given = requireObject(name, server, 'a storage server') as Partial<StorageServer>;
  checkIdentity(given, `${name}.`);
  const { readTestWrite, addLease, immutable } = given;
  checkShares(name, given, { readTestWrite, addLease });
  if (immutable === undefined) return;
  checkShares(`${name}.immutable`, requireObject(`${name}.immutable`, immutable, 'an object'));
}

/** @throws BadArgumentError */
export function checkIdentity(
  server: { readonly [Name in 'id' | 'nickname' | 'tubId' | 'permutationSeed']?: unknown },
  prefix = '',
): void {
  const { id, nickname = id, tubId, permutationSeed } = server;
  for (const [name, value] of Object.entries({ id, nickname })) {
    if (typeof value !== 'string') refuse(`${prefix}${name}`, value, 'a string');
  }
  if (!isBytesOf(tubId, 20)) refuse(`${prefix}tubId`, tubId, '20 bytes');
  if (!isBytes(permutationSeed))
    refuse(`${prefix}permutationSeed`, permutationSeed, 'a Uint8Array');
}

function checkShares(name: string, shares: Partial<ReadableShares>, more: object = {}): void {
  const { listShares, readShare, adviseCorruptShare } = shares;
  const methods = { listShares, readShare, ...more, adviseCorruptShare };
  for (const [method, value] of Object.entries(methods)) {
    requireFunction(`${name}.${method}`, value);
  }
}

function checkDeadlines(deadlines: unknown): void {
  const given = requireObject('deadlines', deadlines, 'an object');
  requireKnown('deadlines', given, Object.keys(deadlineNames));
  for (const [name, ms] of Object.entries(given)) {
    const argument = `deadlines.${name}`;
    if (ms !== undefined) requireMilliseconds(argument, ms);
  }
}

/** @throws BadArgumentError, OutOfRangeError unless a timer can wait so long */
export function requireMilliseconds(argument: string, ms: unknown): void {
  if (typeof ms !== 'number') refuse(argument, ms, 'a number of milliseconds');
  else if (!(ms > 0 && ms <= timerMax)) {
    throw new OutOfRangeError(argument, ms, `must be above 0 and at most ${timerMax}`);
  }
}

/** @throws BadArgumentError, OutOfRangeError unless `value` is a whole number from 0 to 2^53-1 */
export function requireCount(argument: string, value: number): void {
  if (typeof value !== 'number') refuse(argument, value, 'a number');
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new OutOfRangeError(argument, value, 'must be a whole number from 0 to 2^53-1');
  }
}

/** @throws BadArgumentError */
export function requireFunction(argument: string, value: unknown): void {
  if (typeof value !== 'function') refuse(argument, value, 'a function');
}

/** @throws BadArgumentError */
export function requirePath(argument: string, value: unknown): void {
  const fits = typeof value === 'string' && value !== '' && !value.includes('\0');
  if (!fits) refuse(argument, value, 'the path of a file or folder');
}

/** @throws BadArgumentError */
export function requireOptions(value: unknown): void {
  requireObject('options', value, 'an object');
}

/** @throws BadArgumentError, which quotes what is one of them but for its case: that is no secret */
function requireOneOf(argument: string, value: unknown, words: ReadonlySet<unknown>): void {
  if (words.has(value)) return;
  const wanted = `one of ${[...words].join(', ')}`;
  if (typeof value === 'string' && words.has(value.toLowerCase())) {
    throw new BadArgumentError(argument, `is "${value}", not ${wanted}`);
  }
  refuse(argument, value, wanted);
}

/**
 * @param given what is undefined in it is not given
 * @param internal taken as well, and not told
 * @throws BadArgumentError for a name that is neither
 */
export function requireKnown(
  argument: string,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  internal: readonly string[] = [],
): void {
  const taken = [...known, ...internal];
  const unknown = Object.keys(given).find(
    (name) => given[name] !== undefined && !taken.includes(name),
  );
  if (unknown === undefined) return;
  throw new BadArgumentError(`${argument}.${redacted(unknown)}`, `is none of ${known.join(', ')}`);
}
