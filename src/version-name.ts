/**
 * @module version-name: what a version is called, by people and among programs.
 */
import type { VersionName } from '../machines/servermap.ts';

export type { VersionName };

/** The version that a reader wants: of several with one seqnum the one that is on most servers. */
export type VersionChoice = VersionName | Pick<VersionName, 'seqnum'>;

export function nameOf({ seqnum, rootHash }: VersionName): VersionName {
  return { seqnum, rootHash };
}

/** `3 (5f0e41c2)`, for people. */
export function nameText({ seqnum, rootHash }: VersionName): string {
  return `${seqnum} (${rootHash.slice(0, 8)})`;
}

/** `a`, `a and b`, `a, b and c`; of many, the first ones and how many more there are. */
export function listed(all: readonly string[], most = 4): string {
  const shown = all.length <= most ? all : all.slice(0, most - 1);
  const rest = all.length - shown.length;
  const [last = '', ...before] = [...shown, ...(rest > 0 ? [`${rest} more`] : [])].reverse();
  return before.length === 0 ? last : `${before.reverse().join(', ')} and ${last}`;
}

/** What keeps a writer from having a base, for people: who stands against whom, who is silent. */
export function standoffText(rivals: readonly VersionName[], silent: readonly string[]): string {
  const names = listed(rivals.map(nameText));
  const versions =
    rivals.length === 1
      ? `version ${names} may have been acknowledged, and cannot be built on`
      : `versions ${names} stand against each other, and any of them may have been acknowledged`;
  if (silent.length === 0) return versions;
  return `${versions}; ${listed(silent)} ${silent.length === 1 ? 'does' : 'do'} not answer`;
}
