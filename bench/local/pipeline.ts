/**
 * @module pipeline: a publish and a read of 100 MiB without any IO, against the roofline that the same
 * process measures just before and just after each: CPU time against CPU time.
 */
import { primitives } from '#crypto';
import { Grid } from '../../src/grid.ts';
import { type Row, rate } from '../figure.ts';
import { huge, MiB, medium, type Subject } from '../sizes.ts';
import { median } from '../statistics.ts';
import { spentBy } from '../usage.ts';
import { bareServers } from './bare-server.ts';
import { type Pass, rooflineMs } from './roofline.ts';

export async function pipeline(quick: boolean): Promise<readonly Row[]> {
  const key = await primitives.generateKey();
  const publish = (subject: Subject, keep: boolean) => {
    const contents = primitives.randomBytes(subject.size);
    const grid = new Grid({ servers: bareServers(13, { keep }) });
    const { format } = subject;
    return { grid, run: () => grid.create({ format, contents, key, isNewKey: true }) };
  };
  const publishing = publish(huge, false).run;
  const { grid, run } = publish(huge, true);
  const { readCap } = await run();
  const reading = () => grid.open(readCap).read();

  // A smaller one first, so that all code is compiled.
  await publish({ ...medium, format: 'mdmf', size: 10 * MiB }, false).run();
  const samples = quick ? 3 : 9;
  return [await against('publish', publishing, samples), await against('read', reading, samples)];
}

async function against(pass: Pass, work: () => Promise<unknown>, samples: number): Promise<Row> {
  const { size } = huge;
  rooflineMs(pass, 10 * MiB);
  const ours: number[] = [];
  const bounds: number[] = [rooflineMs(pass, size)];
  for (let sample = 0; sample < samples; sample++) {
    ours.push((await spentBy(work)).cpuMs);
    bounds.push(rooflineMs(pass, size));
  }
  const speed = (ms: readonly number[]) => size / 1000 / median(ms);
  const naming = { unit: 'MB/s', against: 'the bare primitives, over the same bytes' };
  return rate(`pipeline ${pass}`, speed(ours), speed(bounds), naming);
}
