/**
 * @module marks: how the arrows of a machine differ from those of the machine beside it.
 */

/** By transition id. `missing`: only the other machine has it; `extra`: only this one has it. */
export type Marks = ReadonlyMap<string, 'missing' | 'extra'>;
