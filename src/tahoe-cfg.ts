/**
 * @module tahoe-cfg: the erasure coding parameters in a node's `tahoe.cfg`, section `[client]`.
 *
 * Tahoe reads the file with Python's configparser: keys are case-blind and `:` is `=`. The latter
 * is not read here but noticed, since silently taking the defaults would make other shares.
 */
import { readFile } from 'node:fs/promises';
import { parse } from 'ini';
import { errnoOf } from './atomic-file.ts';
import { completeEncoding, type Encoding } from './encoding.ts';
import { BadGridError, OutOfRangeError } from './errors.ts';

const KEYS = { 'shares.needed': 'required', 'shares.happy': 'happy', 'shares.total': 'total' };

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
