/**
 * @module grid-size: S, the number of servers that all writers of a grid count with (docs/format.md
 * §8.4).
 *
 * Two quorums meet only where they are of the same servers. A description may come to name fewer
 * than it did: somebody takes a server out of it, an introducer forgets one. So the largest number
 * that was ever seen is kept beside it, as the name of an empty file: `servers.yaml.seen-13`. A
 * larger one is made before smaller ones go, so the largest stays, whatever several processes do
 * at once. What the owner writes into `servers.yaml` counts instead: `grid-size: 13`. Only there
 * it is said how many of these servers may lose what they hold: `losable-servers: 1`.
 */
import { open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GridNumbers } from '../encoding.ts';
import { BadGridError } from '../errors.ts';
import { errnoOf, removeQuietly, syncFolder, systemProblem } from '../storage/atomic-file.ts';

/** What a description says of the number of servers. */
export interface DescribedSize {
  /** Beside this the largest number is kept: where the `servers.yaml` is, or would be. */
  readonly path: string;
  /** What the owner has said; undefined when nothing. */
  readonly stated: number | undefined;
  /** d: how many servers may lose what they hold, as the owner has said. */
  readonly losable: number;
  /** Distinct servers that are described, those included that cannot be used. */
  readonly described: number;
  readonly usable: number;
}

export interface GridSize extends GridNumbers {
  /** What the owner of the grid should know of it, for people. */
  readonly notices: readonly string[];
}

/**
 * S, of which the description is one witness. Where it cannot be kept it counts all the same.
 * @throws BadGridError naming a file that is called like one of ours, and holds no number
 */
export async function gridSizeOf(size: DescribedSize): Promise<GridSize> {
  const { path, stated, losable: losableServers, described, usable } = size;
  if (stated !== undefined) {
    const problem = `${path}: grid-size: ${stated} is less than the ${usable} servers to be used`;
    const gridSize = Math.max(stated, usable);
    return { gridSize, losableServers, notices: stated < usable ? [problem] : [] };
  }
  let kept = 0;
  try {
    kept = Math.max(kept, ...(await numbersAt(path)));
    if (described > kept) kept = await keep(path, described);
    return { gridSize: kept, losableServers, notices: [] };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    const gridSize = Math.max(kept, described);
    const problem = `cannot keep that the grid has ${gridSize} servers: ${systemProblem(error)}`;
    return { gridSize, losableServers, notices: [`${dirname(path)}: ${problem}`] };
  }
}

/** @returns the largest number that is kept after that */
async function keep(base: string, size: number): Promise<number> {
  const file = await open(fileOf(base, size), 'wx').catch((error) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
  await file?.close();
  await syncFolder(dirname(base));
  const numbers = await numbersAt(base);
  const largest = Math.max(size, ...numbers);
  for (const number of numbers) {
    if (number < largest) await removeQuietly(fileOf(base, number));
  }
  return largest;
}

/** As many digits as a number of servers can have. */
const NUMBER = /^[1-9]\d{0,5}$/;
const NUMBER_OR_NONE = /^(0|[1-9]\d{0,5})$/;

async function numbersAt(base: string): Promise<readonly number[]> {
  const start = basename(fileOf(base, ''));
  const names = (await readdir(dirname(base))).filter((name) => name.startsWith(start));
  return names.map((name) => {
    const number = name.slice(start.length);
    if (NUMBER.test(number)) return Number(number);
    throw new BadGridError(join(dirname(base), name), 'its name must end in a number of servers');
  });
}

function fileOf(base: string, size: number | ''): string {
  return `${base}.seen-${size}`;
}

/** What the owner has said in a `servers.yaml`. @throws BadGridError */
export function statedIn(path: string, content: unknown) {
  return {
    stated: numberIn(path, content, 'grid-size', NUMBER),
    losable: numberIn(path, content, 'losable-servers', NUMBER_OR_NONE) ?? 0,
  };
}

function numberIn(path: string, content: unknown, key: string, wanted: RegExp): number | undefined {
  const number = content instanceof Map ? content.get(key) : undefined;
  if (number === undefined) return undefined;
  if (wanted.test(String(number))) return Number(number);
  throw new BadGridError(path, `${key}: must be a number of servers`);
}
