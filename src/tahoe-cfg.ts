/**
 * @module tahoe-cfg: the erasure coding parameters in a node's `tahoe.cfg`, section `[client]`.
 *
 * Tahoe reads the file with Python's configparser: keys are case-blind and `:` is `=`. The latter
 * is not read here but noticed, since silently taking the defaults would make other shares.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'ini';
import { errnoOf } from './atomic-file.ts';
import { BadGridError, OutOfRangeError } from './errors.ts';

/** How a file is spread: any `required` of `total` shares recover it. */
export interface Encoding {
  /** k, 1 to total. */
  readonly required: number;
  /** On how many servers shares must be for a write to count, 1 to total. */
  readonly happy: number;
  /** N, at most 255: a share's header has one byte for it. */
  readonly total: number;
}

/** What Tahoe does without a word in `tahoe.cfg`. */
export const DEFAULT_ENCODING: Encoding = { required: 3, happy: 7, total: 10 };
const SHARES_MAX = 255;

const KEYS = { 'shares.needed': 'required', 'shares.happy': 'happy', 'shares.total': 'total' };

/** The given numbers, completed by Tahoe's defaults. @throws OutOfRangeError */
export function completeEncoding(given: Partial<Encoding>): Encoding {
  const { required = DEFAULT_ENCODING.required, total = DEFAULT_ENCODING.total } = given;
  const happy = given.happy ?? Math.min(DEFAULT_ENCODING.happy, total);
  const encoding = { required, happy, total };
  check('shares.total', total, SHARES_MAX, 'the most that a share can say');
  check('shares.needed', required, total, 'shares.total');
  check('shares.happy', happy, total, 'shares.total');
  return encoding;
}

function check(key: string, value: number, max: number, whatMax: string): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new OutOfRangeError(key, value, `must be from 1 to ${max}, ${whatMax}`);
  }
}

/**
 * The encoding in a `tahoe.cfg`; the default where there is none.
 * @throws BadGridError naming the file and the key
 */
export async function readEncoding(path: string): Promise<Encoding> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return '';
    throw gridErrorOf(path, 'cannot be read', error);
  });
  const { client } = parse(text);
  const section = typeof client === 'object' && client !== null ? client : {};
  const given: Partial<Record<keyof Encoding, number>> = {};
  for (const [key, value] of Object.entries(section)) {
    const name = numberName(path, key);
    if (name !== undefined) given[name] = wholeNumber(path, key, value);
  }
  try {
    return completeEncoding(given);
  } catch (error) {
    if (error instanceof OutOfRangeError) throw new BadGridError(path, error.message);
    throw error;
  }
}

function numberName(path: string, key: string): keyof Encoding | undefined {
  const [meant] = /^shares\.(needed|happy|total)\b/.exec(key.toLowerCase()) ?? [];
  if (meant === undefined) return undefined;
  if (meant.length < key.length) {
    throw new BadGridError(path, `[client] ${meant}: must be written "${meant} = <number>"`);
  }
  return KEYS[meant as keyof typeof KEYS] as keyof Encoding;
}

function wholeNumber(path: string, key: string, value: unknown): number {
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
  throw new BadGridError(path, `[client] ${key}: must be a whole number`);
}

/** A `tahoe.cfg` that says no more than this. */
export function encodingToText({ required, happy, total }: Encoding): string {
  const lines = [
    '[client]',
    `shares.needed = ${required}`,
    `shares.happy = ${happy}`,
    `shares.total = ${total}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** What the operating system refused as a {@link BadGridError}; any other error as it is. */
export function gridErrorOf(path: string, problem: string, error: unknown): unknown {
  const errno = errnoOf(error);
  return errno === undefined ? error : new BadGridError(path, `${problem}: ${errno}`);
}
