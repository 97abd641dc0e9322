/**
 * @module below: the way to a place on a grid, and the directories that are missing on it.
 */
import type { Directory } from '../directory.ts';
import { ExistingChildError, NoSuchChildError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Address } from './cap-text.ts';

/** The last directory of a path that is there, and the names of those that are not. */
export interface Reached {
  readonly directory: Directory;
  readonly missing: readonly string[];
}

export function reached(
  grid: Grid,
  { cap, names }: Address,
  options: OperationOptions,
): Promise<Reached> {
  return reachedFrom(grid.openDirectory(cap), names, options);
}

async function reachedFrom(
  start: Directory,
  names: readonly string[],
  options: OperationOptions,
): Promise<Reached> {
  let directory = start;
  for (const [i, name] of names.entries()) {
    try {
      directory = await directory.openDirectory([name], options);
    } catch (error) {
      if (error instanceof NoSuchChildError) return { directory, missing: names.slice(i) };
      throw error;
    }
  }
  return { directory, missing: [] };
}

/**
 * Links a directory below `parent`: what is missing of the way is made first, lowest first, and all
 * linked by one edit. Where another has made a part of the way meanwhile, the rest goes below that.
 * @returns how many directories were linked, `lowest` included
 * @throws ExistingChildError for the last name; NotADirectoryError for one on the way
 */
export async function linkBelow(
  grid: Grid,
  { directory, missing }: Reached,
  lowest: Directory,
  options: OperationOptions,
): Promise<number> {
  const [first = '', ...rest] = missing;
  let top = lowest;
  for (const name of [...rest].reverse()) {
    top = await grid.createDirectory({ ...options, children: [{ name, child: top }] });
  }
  try {
    await directory.add(first, top, options);
    return missing.length;
  } catch (error) {
    if (!(error instanceof ExistingChildError) || rest.length === 0) throw error;
  }
  const way = await reachedFrom(directory, missing.slice(0, -1), options);
  const left = { ...way, missing: [...way.missing, ...missing.slice(-1)] };
  return linkBelow(grid, left, lowest, options);
}
