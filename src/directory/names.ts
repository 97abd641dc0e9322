/**
 * @module names: names of children, and paths of them behind the cap of a directory.
 */

import { hasHalfCharacter } from '../bytes.ts';
import { BadArgumentError } from '../errors.ts';
import { refuse } from '../refusal.ts';
import { nfcOf } from './table.ts';

/** A name as a directory has it: in NFC. @throws BadArgumentError */
export function nameFrom(given: unknown, argument = 'name'): string {
  if (typeof given !== 'string') return refuse(argument, given, 'a string');
  // UTF-8 has none, and what would stand in its place is another name.
  if (hasHalfCharacter(given)) throw new BadArgumentError(argument, 'has half a character');
  const name = nfcOf(given);
  if (name === undefined) throw new BadArgumentError(argument, 'has too many marks in a row');
  return name;
}

/**
 * The names of a path, `a/b`; a slash at either end means nothing. A list of names may hold what a
 * path cannot say: names that are empty, or have a slash.
 * @throws BadArgumentError
 */
export function namesOf(path: string | readonly string[]): readonly string[] {
  if (Array.isArray(path)) return path.map((name) => nameFrom(name, 'path'));
  const text = nameFrom(path, 'path').replace(/^\/|\/$/g, '');
  if (text === '') return [];
  const names = text.split('/');
  if (names.includes('')) throw new BadArgumentError('path', 'has an empty name in it');
  return names;
}

/** `dircap/a/b`: the cap, and the path behind it. */
export function splitAddress(address: unknown): { readonly cap: string; readonly path: string } {
  if (typeof address !== 'string') return refuse('address', address, 'a string');
  const slash = address.indexOf('/');
  if (slash < 0) return { cap: address, path: '' };
  return { cap: address.slice(0, slash), path: address.slice(slash) };
}
