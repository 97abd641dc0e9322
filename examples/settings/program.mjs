/** One of two programs: it makes its changes as fast as it can. */
import { openGrid } from 'tahoe-mutable/node';
import { Settings } from './settings.mjs';

process.once('message', async ({ path, cap, name }) => {
  const grid = await openGrid(path);
  const settings = new Settings(grid.open(cap));
  for (let i = 1; i <= 10; i++) {
    await settings.change('lastBy', () => name);
    await settings.change(name, () => i);
  }
  grid.close();
  process.disconnect();
});
