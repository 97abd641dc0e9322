/**
 * @module encoding: how a file is spread over servers, and Tahoe's defaults for it.
 */
import { isMajority, quorumOf } from '../machines/quorum.ts';
import type { Format } from './caps.ts';
import { OutOfRangeError, type TahoeMutableError } from './errors.ts';

/** Any k of N shares are enough to read a file. */
export interface Encoding {
  /** k, 1 to N. */
  readonly required: number;
  /** A write needs this many distinct servers (or N, or all there are, if that is less). */
  readonly happy: number;
  /** N, at most 255: a share's header has one byte for it. */
  readonly total: number;
}

/**
 * Settings of a grid's description that cannot be followed, each as the error of whoever needs it.
 * Nobody else is kept from anything: a wrong number for writers stops no reader.
 */
export interface UnusableSettings {
  /** The encoding: new files need it. */
  readonly encoding?: TahoeMutableError;
  /** The number of servers that a write must reach: every write needs it. */
  readonly happy?: TahoeMutableError;
  /** The format: a new file needs it unless its maker names one. */
  readonly format?: TahoeMutableError;
}

/** @throws the error of a setting that a new file of the given format needs, or of the grid's */
export function requireUsable(
  { encoding, format }: UnusableSettings,
  given: Format | undefined,
): void {
  if (encoding !== undefined) throw encoding;
  if (format !== undefined && given === undefined) throw format;
}

/** What Tahoe does when `tahoe.cfg` does not say. */
export const defaultEncoding: Encoding = { required: 3, happy: 7, total: 10 };
const sharesMax = 255;

/** The given numbers, completed by Tahoe's defaults. @throws OutOfRangeError */
export function completeEncoding(given: Partial<Encoding>): Encoding {
  const { required = defaultEncoding.required, total = defaultEncoding.total } = given;
  const happy = given.happy ?? Math.min(defaultEncoding.happy, total);
  const encoding = { required, happy, total };
  check('shares.total', total, sharesMax, 'the most that a share can say');
  check('shares.needed', required, total, 'shares.total');
  check('shares.happy', happy, total, 'shares.total');
  return encoding;
}

function check(key: string, value: number, max: number, whatMax: string): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new OutOfRangeError(key, value, `must be from 1 to ${max}, ${whatMax}`);
  }
}

/** How many servers all writers of a grid count with. */
export interface GridNumbers {
  /** S. */
  readonly gridSize: number;
  /** d: how many of them may lose what they hold. */
  readonly losableServers: number;
}

/** What to say of a grid that cannot promise what it should: that, and the cure. */
export function quorumNotices(encoding: Encoding, numbers: GridNumbers): readonly string[] {
  const { happy, required } = encoding;
  const { gridSize: servers, losableServers: losable } = numbers;
  const { size, losable: kept = 0 } = quorumOf({ servers, happy, losable }, encoding.total);
  const done = `a write counts as done on ${size} of ${servers} servers`;
  if (!isMajority({ servers, size })) {
    const cure = cureFor(
      Math.floor(servers / 2) + 1,
      encoding.total,
      servers,
      'more than half of the',
    );
    return [
      `${done}, not more than half: of two writers both may succeed, and one change be lost; ${cure}`,
    ];
  }
  if (kept < losable) {
    const least = Math.floor((servers + losable) / 2) + 1;
    return [
      `${done}: that allows for ${kept} that lose shares, not for ${losable}; ` +
        cureFor(least, encoding.total, servers, `${least}`),
    ];
  }
  if (losable > 0 && size < required + losable) {
    const least = required + losable;
    return [
      `${done}: when ${losable} of them ${losable === 1 ? 'loses' : 'lose'} shares too few of the ` +
        `${required} that a reader needs may be left; ` +
        cureFor(least, encoding.total, servers, `${least}`),
    ];
  }
  return [];
}

/** @param least the `happy` that is needed, of servers as `most` says */
function cureFor(least: number, total: number, servers: number, most: string): string {
  if (least > total) return `${total} shares cannot be on ${most} servers`;
  if (least > servers) return `that takes ${least} servers`;
  return `set shares.happy to ${least} or more, for every writer`;
}
