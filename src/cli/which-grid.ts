/**
 * @module which-grid: the grid of a command: the one that it names, or that of the environment, or
 * that of the Tahoe node in this user's home, which is where Tahoe itself looks.
 */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface ChosenGrid {
  /** Where it is described. */
  readonly path: string;
  /** What has named it; undefined where nothing has. */
  readonly namedBy: '--grid' | 'TAHOE_MUTABLE_GRID' | undefined;
}

/** @param option the value of `--grid` */
export async function whichGrid(option: string | undefined): Promise<ChosenGrid | undefined> {
  if (option) return { path: option, namedBy: '--grid' };
  const { TAHOE_MUTABLE_GRID } = process.env;
  if (TAHOE_MUTABLE_GRID) return { path: TAHOE_MUTABLE_GRID, namedBy: 'TAHOE_MUTABLE_GRID' };
  const path = join(homedir(), '.tahoe');
  const isThere = await stat(path).catch(() => undefined);
  return isThere?.isDirectory() ? { path, namedBy: undefined } : undefined;
}
