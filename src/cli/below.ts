/**
 * @module below: the way to a place on a grid, and the directories that are missing on it.
 */
import type { Directory } from '../directory.ts';
import { NoSuchChildError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Address } from './cap-text.ts';

/** The last directory of a path that is there, and the names of those that are not. */
export async function reached(
  grid: Grid,
  { cap, names }: Address,
  options: OperationOptions,
): Promise<{ readonly directory: Directory; readonly missing: readonly string[] }> {
  let directory = grid.openDirectory(cap);
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

/** Links a directory below `parent`: the lowest of the way is made first, and all linked by one edit. */
export async function linkBelow(
  grid: Grid,
  parent: Directory,
  [first = '', ...rest]: readonly string[],
  lowest: Directory,
  options: OperationOptions,
): Promise<void> {
  let top = lowest;
  for (const name of [...rest].reverse()) {
    top = await grid.createDirectory({ ...options, children: [{ name, child: top }] });
  }
  await parent.add(first, top, options);
}
