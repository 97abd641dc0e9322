/**
 * @module aliases: names for directories, which a client keeps in its folder (`private/aliases`).
 *
 * The file is Tahoe's own, so that an alias made there is one here, and the reverse: a line
 * `name: cap` for each, of two with one name the last one counts, `#` begins a comment. The alias
 * `tahoe` may also be in `private/root_dir.cap`, where old versions had it.
 *
 * The lines hold write caps: the file is its owner's alone. A new line is appended and synced,
 * which leaves alone what somebody else appends at the same time; no rename could promise that.
 */
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { utf8 } from '../bytes.ts';
import { BadArgumentError, BadGridError } from '../errors.ts';
import { replaceFile } from '../storage/atomic-file.ts';
import { makeFolders } from '../storage/make-folders.ts';
import { readTextFile, unwritableGridOf } from './text-file.ts';

/** Whose name needs not be said. */
export const defaultAlias = 'tahoe';

const fileMode = 0o600;

const aliasesIn = (node: string) => join(node, 'private', 'aliases');

/** Their texts, which nobody has looked at, by name. @throws BadGridError naming the file */
export async function readAliases(node: string): Promise<ReadonlyMap<string, string>> {
  const old = (await readTextFile(join(node, 'private', 'root_dir.cap')))?.trim();
  const lines = linesOf((await readTextFile(aliasesIn(node))) ?? '').map(aliasOf);
  return new Map([
    ...(old ? [[defaultAlias, old] as const] : []),
    ...lines.filter((line) => line !== undefined),
  ]);
}

/**
 * A name that an alias can have. One colon at its end is no part of it.
 * @throws BadArgumentError, which does not quote it: it may be a cap in the wrong place
 */
export function aliasNameFrom(given: string): string {
  const name = given.replace(/:$/, '');
  const refuse = (problem: string): never => {
    throw new BadArgumentError('alias', problem);
  };
  if (name === '') refuse('has no name');
  if (/[:/\\\s\p{C}]/u.test(name)) refuse('has a colon, a slash or a blank in its name');
  if (/^[-@#]/.test(name)) refuse(`begins with ${name[0]}`);
  if (/^(?:(?:ro|imm)\.)?URI$|^https?$/i.test(name)) refuse('looks like the beginning of a cap');
  return name.normalize('NFC');
}

/** @returns false for a name that is taken @throws BadGridError naming the file */
export async function addAlias(node: string, name: string, cap: string): Promise<boolean> {
  if ((await readAliases(node)).has(name)) return false;
  const path = aliasesIn(node);
  const text = (await readTextFile(path)) ?? '';
  try {
    await makeFolders(dirname(path), 0o700);
    const file = await open(path, 'a', fileMode);
    try {
      await file.chmod(fileMode);
      await file.appendFile(`${text === '' || text.endsWith('\n') ? '' : '\n'}${name}: ${cap}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unwritableGridOf(path, 'cannot be written', error);
  }
  return true;
}

/** Its lines go, all others stay as they are. @returns whether there were any */
export async function removeAlias(node: string, name: string): Promise<boolean> {
  const path = aliasesIn(node);
  const lines = linesOf((await readTextFile(path)) ?? '');
  const kept = lines.filter((line) => aliasOf(line)?.[0] !== name);
  if (kept.length === lines.length) {
    if (!(await readAliases(node)).has(name)) return false;
    throw new BadGridError(join(node, 'private', 'root_dir.cap'), `has ${name}: remove that file`);
  }
  try {
    await replaceFile(path, [utf8(kept.join(''))], { mode: fileMode });
  } catch (error) {
    throw unwritableGridOf(path, 'cannot be written', error);
  }
  return true;
}

/** Each with its end. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Undefined for a comment, and for a line without a colon, which says nothing. */
function aliasOf(line: string): readonly [name: string, cap: string] | undefined {
  const [, name = '', cap = ''] = /^\s*([^#\s:][^:]*):(.*)$/s.exec(line) ?? [];
  return name === '' ? undefined : [name.trim().normalize('NFC'), cap.trim()];
}
