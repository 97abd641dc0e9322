/**
 * @module permute: the order in which a slot's shares look for servers (`storage_client.py`
 * `get_servers_for_psi`), and the two seeds that an announcement gives a server.
 */
import { sha1 } from '@noble/hashes/legacy.js';
import { primitives } from '#crypto';
import { bytesToHex, concatBytes, fromBase32, utf8 } from './bytes.ts';
import { BadGridError } from './errors.ts';
import type { StorageServer } from './storage/server.ts';

/** The servers, in ascending order of SHA-1(storage index || permutation seed), then of id. */
export function permutedServers<T extends Pick<StorageServer, 'id' | 'permutationSeed'>>(
  servers: readonly T[],
  storageIndex: Uint8Array,
): T[] {
  const ranked = servers.map((server) => {
    const place = sha1(concatBytes(storageIndex, server.permutationSeed));
    // Hex sorts as the bytes do, and all places are equally long.
    return { server, rank: `${bytesToHex(place)} ${server.id}` };
  });
  ranked.sort((a, b) => Number(a.rank > b.rank) - Number(a.rank < b.rank));
  return ranked.map(({ server }) => server);
}

/** The server's own public key, as the id of a server on a real grid spells it. */
const KEY_ID = /^v0-([0-9a-zA-Z]{52})$/;

/**
 * A server's permutation seed: the announced one, else the key in its id, else a hash of its id.
 * @param announced `permutation-seed-base32`; stock servers announce base32 of base32, 52 bytes
 * @throws BadGridError when the first of these that is there is not base32
 */
export function permutationSeedOf(announced: string | undefined, serverId: string): Uint8Array {
  const text = announced ?? KEY_ID.exec(serverId)?.[1];
  if (text === undefined) return primitives.sha256().update(utf8(serverId)).digest();
  const seed = fromBase32(text);
  if (seed === undefined) {
    const source = announced === undefined ? 'the key in its id' : 'permutation-seed-base32';
    throw new BadGridError(`server ${serverId}`, `${source} is not base32`);
  }
  return seed;
}

/** The 20-byte TubID in `pb://<tubid>@…`, or `undefined` when `furl` does not have one. */
export function tubIdOfFurl(furl: string): Uint8Array | undefined {
  const tubId = /^pb:\/\/([0-9a-zA-Z]{32})@/.exec(furl)?.[1];
  return tubId === undefined ? undefined : fromBase32(tubId.toLowerCase());
}
