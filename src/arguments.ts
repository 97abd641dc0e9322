/**
 * @module arguments: what callers of the library may hand in. Anything else is refused by the
 * argument's name, before anything is sent.
 *
 * The types say the same, but not every caller is compiled with them. A value is never quoted: a
 * cap or a key in the wrong place would be printed.
 */
import type { Observer } from 'xstate';
import type { Deadlines } from '../machines/io.ts';
import type { Cap } from './caps.ts';
import type { SigningKey } from './crypto/primitives.ts';
import { BadArgumentError, OutOfRangeError } from './errors.ts';
import type { ImmutableCap } from './immutable/caps.ts';
import type { OperationOptions, Range, Retry, RetryOptions } from './runtime/options.ts';
import type { Clock } from './runtime/run.ts';
import { isBytes } from './share/plaintext.ts';
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

/**
 * Checks the options of an operation that is not made again: it would only seem to take a `retry`.
 * @throws BadArgumentError, OutOfRangeError
 */
export function checkOperation(options: OperationOptions): void {
  checkRepeatable(options);
  if ((options as RetryOptions).retry === undefined) return;
  throw new BadArgumentError('retry', 'is no option of this call');
}

/** Checks the options of one that is. @throws BadArgumentError, OutOfRangeError */
export function checkRepeatable(options: OperationOptions & RetryOptions): void {
  const given = requireObject('options', options, 'an object');
  const { signal, onProgress, rule, mode, force, raw, base, version, deadlines, retry } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    refuse('signal', signal, 'an AbortSignal');
  }
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  if (rule !== undefined && !rules.has(rule)) refuse('rule', rule, oneOf(rules));
  if (mode !== undefined && !modes.has(mode)) refuse('mode', mode, oneOf(modes));
  for (const [name, value] of Object.entries({ force, raw })) {
    if (value !== undefined && typeof value !== 'boolean') refuse(name, value, 'true or false');
  }
  if (deadlines !== undefined) checkDeadlines(deadlines);
  if (retry !== undefined && retry !== false) checkRetry(retry);
  if (base !== undefined) checkVersion('base', base);
  if (version !== undefined) checkVersion('version', version, false);
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
  if (!formats.has(format)) refuse('format', format, oneOf(formats));
  if (key === undefined) return;
  const wanted = 'a signing key';
  const { pkcs8, spki, sign } = requireObject('key', key, wanted) as Partial<SigningKey>;
  if (isBytes(pkcs8) && isBytes(spki) && typeof sign === 'function') return;
  refuse('key', key, wanted);
}

/** @throws BadArgumentError unless it has what the type says: `{ ...cap }` has no key */
export function checkCap(cap: Cap): void {
  const wanted = 'a cap, or the text of one';
  const given = requireObject('cap', cap, wanted);
  const { kind, format, directory, fingerprint, writekey, readkey, storageIndex } = given;
  const keys = new Map<unknown, unknown>([
    ['write', writekey],
    ['read', readkey],
    ['verify', storageIndex],
  ]);
  const key = keys.get(kind);
  const fits =
    formats.has(format) &&
    typeof directory === 'boolean' &&
    isBytesOf(fingerprint, 32) &&
    isBytesOf(key, 16);
  if (!fits) refuse('cap', cap, wanted);
}

/** @throws BadArgumentError unless it has what the type says: `{ ...cap }` has no key */
export function checkImmutableCap(cap: ImmutableCap): void {
  const wanted = 'an immutable cap, or the text of one';
  const given = requireObject('cap', cap, wanted);
  const { kind, directory, contents, key, storageIndex, uebHash } = given;
  const { required, total, size } = given;
  const isEncoded = isBytesOf(kind === 'chk' ? key : storageIndex, 16) && isBytesOf(uebHash, 32);
  const isKnown = kind === 'chk' || kind === 'chk-verify';
  const hasNumbers = [required, total, size].every((n) => Number.isSafeInteger(n));
  const fits = kind === 'lit' ? isBytes(contents) : isKnown && isEncoded && hasNumbers;
  if (!fits || typeof directory !== 'boolean') refuse('cap', cap, wanted);
}

/** The options of a grid, as a caller without types may give them. */
interface GridArguments {
  readonly servers?: unknown;
  readonly gridSize?: unknown;
  readonly leaseSecret?: unknown;
  readonly deadlines?: unknown;
  readonly clock?: unknown;
  readonly now?: unknown;
  readonly random?: unknown;
  readonly date?: unknown;
  readonly inspect?: unknown;
  readonly log?: unknown;
  readonly encoding?: unknown;
  readonly spareKeys?: unknown;
  readonly spool?: unknown;
  readonly losableServers?: unknown;
}

/** @throws BadArgumentError, OutOfRangeError */
export function checkGrid(options: GridArguments): void {
  const given: GridArguments = requireObject('options', options, 'an object');
  const { servers, gridSize, leaseSecret, deadlines, clock, inspect, log, encoding } = given;
  if (!Array.isArray(servers)) refuse('servers', servers, 'an array');
  for (const [i, server] of (servers as unknown[]).entries()) checkServer(`servers[${i}]`, server);
  if (gridSize !== undefined && typeof gridSize !== 'number') {
    refuse('gridSize', gridSize, 'a number');
  }
  if (leaseSecret !== undefined && !isBytesOf(leaseSecret, 32)) {
    refuse('leaseSecret', leaseSecret, '32 bytes');
  }
  if (deadlines !== undefined) checkDeadlines(deadlines);
  if (clock !== undefined) {
    const { setTimeout, clearTimeout } = requireObject('clock', clock, 'a clock') as Partial<Clock>;
    requireFunction('clock.setTimeout', setTimeout);
    requireFunction('clock.clearTimeout', clearTimeout);
  }
  for (const source of ['now', 'random', 'date', 'spool'] as const) {
    if (given[source] !== undefined) requireFunction(source, given[source]);
  }
  for (const count of ['spareKeys', 'losableServers'] as const) {
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

/** @throws BadArgumentError */
export function requireObject(
  argument: string,
  value: unknown,
  wanted: string,
): Record<string, unknown> {
  const fits = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!fits) return refuse(argument, value, wanted);
  return value as Record<string, unknown>;
}

function isBytesOf(value: unknown, length: number): boolean {
  return isBytes(value) && value.length === length;
}

function oneOf(values: ReadonlySet<unknown>): string {
  return `one of ${[...values].join(', ')}`;
}

/**
 * @param internal taken as well, and not told
 * @throws BadArgumentError for a name that is neither
 */
export function requireKnown(
  argument: string,
  given: object,
  known: readonly string[],
  internal: readonly string[] = [],
): void {
  const unknown = Object.keys(given).find((name) => ![...known, ...internal].includes(name));
  if (unknown === undefined) return;
  throw new BadArgumentError(`${argument}.${unknown}`, `is none of ${known.join(', ')}`);
}

export function refuse(argument: string, value: unknown, wanted: string): never {
  throw new BadArgumentError(argument, `is ${kindOf(value)}, not ${wanted}`);
}

/** What `value` is, without saying it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (isBytes(value)) return `a Uint8Array of ${value.length} bytes`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  // A class that gives itself a name, such as Blob; else "Object".
  const [, tag = ''] = /^\[object (\w+)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  return /^[AEIOU]/.test(tag) ? `an ${tag}` : `a ${tag}`;
}
