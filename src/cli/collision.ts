/**
 * @module collision: that somebody else wrote at the same time, as a shell tells it: a few servers,
 * by their nicknames, and options of a command in the place of a program's.
 */
import { UncoordinatedWriteError } from '../errors.ts';
import { collisionText, placesText } from '../runtime/outcome.ts';
import { type Named, serverName } from './servermap-view.ts';

/** The line must not be longer than anybody reads; `facts` have all. */
const namedAtMost = 3;

/** @param more what may help besides, after a comma */
export function collisionIn(
  error: UncoordinatedWriteError,
  servers: readonly Named[],
  more: string,
): UncoordinatedWriteError {
  const { surprises, attempts } = error.facts;
  const places = surprises.map(({ server, shnum }) => {
    return { server: serverName(servers, server), shnum };
  });
  const text = collisionText(attempts, placesText(places, namedAtMost), more);
  return new UncoordinatedWriteError(text, error.facts, { cause: error });
}
