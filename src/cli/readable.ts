/**
 * @module readable: what the command line names to be read: a file of any kind, by its cap or by the
 * way to it.
 */
import type { Child } from '../directory/child.ts';
import { UnusableEntryError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import type { ImmutableFile } from '../immutable-file.ts';
import type { MutableFile } from '../mutable-file.ts';
import type { OperationOptions } from '../runtime/options.ts';
import { anyCapIn, openAny } from './any-cap.ts';
import type { Address } from './cap-text.ts';

type Opener = (grid: Grid, options: OperationOptions) => Promise<MutableFile | ImmutableFile>;

/** @throws MalformedCapError for what is no cap, before a grid is opened */
export function openerOf(address: Address): Opener {
  if (address.names.length === 0) return fileOf(address.cap);
  return async (grid, options) => {
    const { caps } = await usableAt(grid, address, options);
    return fileOf((caps.read ?? caps.write) as string)(grid);
  };
}

/** The text of the best cap of what a path leads to. */
export async function capAt(grid: Grid, address: Address, options: OperationOptions) {
  const { caps } = await usableAt(grid, address, options);
  return (caps.write ?? caps.read) as string;
}

/** What a path leads to, which has a cap. @throws UnusableEntryError, and as `Directory.find` */
async function usableAt(
  grid: Grid,
  { cap, names }: Address,
  options: OperationOptions,
): Promise<Child> {
  const child = await grid.openDirectory(cap).find(names, options);
  if ((child.caps.read ?? child.caps.write) !== undefined) return child;
  const problem = child.problem ?? 'it leads to nothing that can be read';
  throw new UnusableEntryError(names.join('/'), problem);
}

/** @throws MalformedCapError */
export function fileOf(text: string): (grid: Grid) => Promise<MutableFile | ImmutableFile> {
  const cap = anyCapIn(text);
  return async (grid) => openAny(grid, cap);
}
