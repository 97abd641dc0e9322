/**
 * @module matching: how many shares can each be on a server of their own: a largest matching, by
 * augmenting paths (Kuhn).
 */

/**
 * Which share each server is counted for; as many servers as can be.
 * @param shares the servers of each share
 */
export function matching<Server>(
  shares: readonly (readonly Server[])[],
): ReadonlyMap<Server, number> {
  const taken = new Map<Server, number>();
  // A server that is taken is free if its share can be counted for another one.
  const place = (share: number, tried: Set<Server>): boolean =>
    (shares[share] as readonly Server[]).some((server) => {
      if (tried.has(server)) return false;
      tried.add(server);
      const holder = taken.get(server);
      if (holder !== undefined && !place(holder, tried)) return false;
      taken.set(server, share);
      return true;
    });
  shares.forEach((_, share) => {
    place(share, new Set());
  });
  return taken;
}
