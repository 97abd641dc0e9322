/**
 * @module readable: what the command line names to be read: a file of any kind, by its cap or by the
 * way to it.
 */
import { immutableCapOf } from '../directory/immutable.ts';
import { UnusableEntryError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import type { ImmutableFile } from '../immutable-file.ts';
import type { MutableFile } from '../mutable-file.ts';
import type { OperationOptions } from '../runtime/options.ts';
import { type Address, capIn } from './cap-text.ts';

type Opener = (grid: Grid, options: OperationOptions) => Promise<MutableFile | ImmutableFile>;

/** @throws MalformedCapError for what is no cap, before a grid is opened */
export function openerOf({ cap, names }: Address): Opener {
  if (names.length === 0) return fileOf(cap);
  return async (grid, options) => {
    const { problem, caps } = await grid.openDirectory(cap).find(names, options);
    const text = caps.read ?? caps.write;
    if (text !== undefined) return fileOf(text)(grid, options);
    throw new UnusableEntryError(
      names.join('/'),
      problem ?? 'it leads to nothing that can be read',
    );
  };
}

function fileOf(text: string): Opener {
  const immutable = immutableCapOf(text.trim());
  if (immutable !== undefined) return async (grid) => grid.openImmutable(immutable);
  const cap = capIn(text);
  return async (grid) => grid.open(cap);
}
