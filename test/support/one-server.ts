/**
 * @module one-server: a grid of one server, which counts what it is asked: what a client does before it
 * asks anybody is soon done there.
 */
import type { GridOptions } from '../../src/grid.ts';
import { altered, type TestGrid, testGrid } from './client-grid.ts';

export interface CountedGrid extends TestGrid {
  /** How many calls it was sent so far. */
  readonly sent: () => number;
}

export function countedGrid(options: Partial<GridOptions> = {}): CountedGrid {
  let sent = 0;
  const encoding = { required: 1, happy: 1, total: 1 };
  const made = testGrid({
    count: 1,
    encoding,
    wrap: (server) => {
      const counted = <A extends readonly unknown[], R>(method: (...args: A) => R) => {
        return (...args: A): R => {
          sent++;
          return method(...args);
        };
      };
      return altered(server, {
        listShares: counted((...args) => server.listShares(...args)),
        readShare: counted((...args) => server.readShare(...args)),
        readTestWrite: counted((...args) => server.readTestWrite(...args)),
        addLease: counted((...args) => server.addLease(...args)),
      });
    },
    ...options,
  });
  return { ...made, sent: () => sent };
}
