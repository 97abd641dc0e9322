/**
 * @module page: what a page does with the package: a grid in its memory. Bundled by page.platform.ts.
 */
import { Grid, MemoryServer, parseCap } from 'tahoe-mutable';
import { useBoth, useGrid } from './use-grid.mjs';

const encoding = { required: 1, happy: 2, total: 3 };
const servers = [0, 1, 2].map((i) => new MemoryServer({ id: `m${i}` }));

globalThis.features = {
  memory: () => useGrid(new Grid({ servers, encoding })),
  'two grids': () => useBoth(new Grid({ servers, encoding }), new Grid({ servers, encoding })),
  async caps() {
    const { writeCap } = await new Grid({ servers, encoding }).create();
    return parseCap(writeCap).kind;
  },
};
