/**
 * @module charts: the charts' and kernels' share of the CPU time of small operations on servers in
 * memory, where nothing else costs much. Over HTTP `npm run bench:tahoe` measures it.
 */
import { primitives } from '#crypto';
import { Grid } from '../../src/grid.ts';
import { cost, type Row } from '../figure.ts';
import { chartsShare } from '../profile.ts';
import { small } from '../sizes.ts';
import { chartsAlone } from './charts-alone.ts';
import { memoryServers } from './servers.ts';

export async function charts(quick: boolean): Promise<readonly Row[]> {
  const contents = primitives.randomBytes(small.size);
  const grid = new Grid({ servers: memoryServers(13), rememberedFiles: 0 });
  const { writeCap } = await grid.create({ format: small.format, contents });
  const works = {
    'read 2 KiB': () => grid.open(writeCap).read(),
    'overwrite 2 KiB': () => grid.open(writeCap).overwrite(contents),
  };
  const rows: Row[] = [];
  for (const [name, work] of Object.entries(works)) {
    const often = async (times: number) => {
      for (let i = 0; i < times; i++) await work();
    };
    await often(30);
    rows.push(chartsRow(name, await chartsShare(() => often(quick ? 60 : 300))));
  }
  return [...rows, ...(await chartsAlone(quick))];
}

/** What is aimed at, in per cent. */
const goal = 5;

export function chartsRow(name: string, share: number): Row {
  const naming = { unit: '% of CPU', against: 'what is aimed at' };
  return cost(`charts ${name}`, 100 * share, goal, naming);
}
