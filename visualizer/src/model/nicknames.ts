/**
 * @module nicknames: what a person calls a server, wherever a recording names one.
 */
type Nicknames = ReadonlyMap<string, string>;

export function nameOf(server: string, nicknames: Nicknames): string {
  return nicknames.get(server) ?? server;
}

/** `query:attic good` of `query:v0-7xk2… good`: every id in some words. */
export function named(words: string, nicknames: Nicknames): string {
  if (nicknames.size === 0) return words;
  return words.replace(/[\w-]+/g, (word) => nameOf(word, nicknames));
}
