/**
 * @module alias: `home:docs/a`, a path behind the name of a directory; `docs/a` is one behind
 * `tahoe:`, where there is that alias. What a file or stdin holds is a cap, and never an alias.
 */
import type { Address } from './cap-text.ts';
import { UnknownAliasError } from './complaint.ts';
import { holdsCap } from './redaction.ts';

export interface AliasPath {
  readonly alias: string;
  readonly path: string;
}

/**
 * Undefined for a cap, for an address, and for `./a:b`: no alias has a slash in it, so that a slash
 * in front of the colon makes it a path.
 */
export function aliasPathIn(text: string): AliasPath | undefined {
  const [, alias, path = ''] = /^([^-@:/\s][^:/]*):(?!\/\/)(.*)$/s.exec(text.trim()) ?? [];
  if (alias === undefined || /^(?:(?:ro|imm)\.)?URI$|^https?$/i.test(alias)) return undefined;
  return holdsCap(text) ? undefined : { alias: alias.normalize('NFC'), path };
}

/** Where a path alone would begin at the default alias. */
export function isBarePath(text: string): boolean {
  return /^[^-@:\s][^:]*$/.test(text) && !holdsCap(text) && !/%(?:25)*3A/i.test(text);
}

/** @throws UnknownAliasError, BadArgumentError for what is no path */
export async function addressBehind(
  { alias, path }: AliasPath,
  aliases: ReadonlyMap<string, string>,
): Promise<Address> {
  const { namesOf } = await import('../directory/names.ts');
  const cap = aliases.get(alias);
  if (cap === undefined) throw new UnknownAliasError(alias, [...aliases.keys()].sort());
  return { cap, names: namesOf(path) };
}
