/**
 * @module place-name: a share on a server, as a key among others.
 */
import type { Place } from '../../machines/servermap.ts';

export function placeName({ server, shnum }: Place): string {
  return `${shnum}@${server}`;
}
