/**
 * @module which-grid: the grid of a command: the one that it names, or that of the environment, or
 * that of the Tahoe node in this user's home, which is where Tahoe itself looks.
 */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './complaint.ts';

export interface ChosenGrid {
  /** Where it is described. */
  readonly path: string;
  /** Nobody has named one. */
  readonly isDefault: boolean;
}

/**
 * @param option the value of `--grid`
 * @throws UsageError when it is empty, as of a variable that is not set: no other grid is meant
 */
export async function whichGrid(option: string | undefined): Promise<ChosenGrid | undefined> {
  if (option === '') throw new UsageError('--grid: is empty; name a grid, or leave it out');
  const named = option ?? process.env.TAHOE_MUTABLE_GRID;
  if (named) return { path: named, isDefault: false };
  const path = join(homedir(), '.tahoe');
  const isThere = await stat(path).catch(() => undefined);
  return isThere?.isDirectory() ? { path, isDefault: true } : undefined;
}
