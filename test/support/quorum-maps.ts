/** @module quorum-maps: maps as tests of the quorum write them: a word a server, a letter a version. */
import { chooseBase, chooseForReader, type Mapped, type Quorum } from '../../machines/quorum.ts';
import type { Holding, Version } from '../../machines/servermap.ts';
import { bad, goodAt, mapOf, versionOf } from './facts.ts';

export type Named = Readonly<Record<string, Version>>;

export const majority = (servers: number): Quorum => ({
  servers,
  size: Math.floor(servers / 2) + 1,
});

/** A version of k = 1; its parent is not known unless it is given. */
export const made = (seqnum: number, letter: string, parent?: Version | null) =>
  versionOf(seqnum, letter, { required: 1, ...(parent !== undefined && { parent }) });

/** o, and four built on it: all of them name their parents. */
const o = made(1, 'o', null);
export const named = {
  o,
  a: made(2, 'a', o),
  b: made(2, 'b', o),
  c: made(2, 'c', o),
  d: made(2, 'd', o),
};
/** The same; but nobody knows what they were built on. */
export const strays = { o, a: made(2, 'a'), b: made(2, 'b'), c: made(2, 'c'), d: made(2, 'd') };

/**
 * A map, a word a server: letters are versions in full view, `-` is nothing, `?` silence, `!` a bad
 * share that claims to be of b.
 */
export function seen(words: string, versions: Named = named): Mapped {
  const servers = words.split(' ');
  const holdings = servers.flatMap((word, i) =>
    [...word].flatMap((letter, j): readonly Holding[] => {
      const version = versions[letter];
      if (letter === '!')
        return [{ server: `s${i}`, shnum: 90, verdict: bad(named.b.checkstring) }];
      return version === undefined ? [] : [goodAt(`s${i}`, i + 10 * j, version)];
    }),
  );
  const silent = servers.flatMap((word, i) => (word === '?' ? [[`s${i}`, 'failed'] as const] : []));
  const inSight = Object.entries(versions).flatMap(([letter, version]) =>
    words.includes(letter) ? [version] : [],
  );
  return mapOf(servers.length, holdings, inSight, Object.fromEntries(silent));
}

/** What a writer builds on, by its letter; null: on nothing, undefined: there is no base. */
export const baseOf = (words: string, quorum: Quorum, versions: Named = named) =>
  letterOf(chooseBase(seen(words, versions), quorum));
/** What a reader is given, by its letter; undefined: it has to ask more servers. */
export const readOf = (words: string, quorum: Quorum, versions: Named = named) =>
  letterOf(chooseForReader(seen(words, versions), quorum));

export function letterOf(version: Version | null | undefined) {
  const isIt = ({ seqnum, rootHash }: Version) =>
    seqnum === version?.seqnum && rootHash === version.rootHash;
  return version && Object.entries(named).find(([, one]) => isIt(one))?.[0];
}
