/**
 * @module place: a place in a directory, as the command line names it: a cap, with a path behind it
 * or as an argument of its own (behind `@FILE` there is none).
 */
import type { Directory } from '../directory.ts';
import type { Grid } from '../grid.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Call } from './call.ts';
import type { Address } from './cap-text.ts';
import { UsageError } from './complaint.ts';

/** @throws MalformedCapError, BadArgumentError */
export async function placeFrom(call: Call, argument: string, path = ''): Promise<Address> {
  const { namesOf } = await import('../directory/names.ts');
  const { cap, names } = await call.address(argument);
  return { cap, names: [...names, ...namesOf(path)] };
}

/** The directory that a name is in, the name, and the directories on the way, that one included. */
export interface NamedPlace {
  readonly parent: Directory;
  readonly name: string;
  readonly way: readonly Directory[];
}

/** @throws UsageError where the place has no name */
export async function parentOf(
  grid: Grid,
  { cap, names }: Address,
  options: OperationOptions,
): Promise<NamedPlace> {
  const name = names.at(-1);
  if (name === undefined) throw new UsageError('PATH: says no name');
  let parent = grid.openDirectory(cap);
  const way = [parent];
  for (const step of names.slice(0, -1)) {
    parent = await parent.openDirectory([step], options);
    way.push(parent);
  }
  return { parent, name, way };
}
