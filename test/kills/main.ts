/**
 * @module main: `npm run kills -- --count N [--seed S]`: writers killed in the middle of writes.
 *
 * Prints how many shares of the interrupted version each kill found in their places. The same seed
 * chooses the same points of death again.
 */
import { resolve } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { runKills } from './kills.ts';

const program = new Command('kills')
  .description('kills writers in the middle of writes, and looks for what is lost')
  .option('--count <number>', 'how many', '2000')
  .option('--seed <number>', 'chooses where', '0')
  .parse();
const { count, seed } = program.opts<{ count: string; seed: string }>();
const bar = new SingleBar(
  { format: 'kills [{bar}] {value}/{total} ETA {eta_formatted}' },
  Presets.legacy,
);
if (process.stderr.isTTY) bar.start(Number(count), 0);
const start = performance.now();
const { kills, landed, leftovers, problems } = await runKills({
  count: Number(count),
  seed: Number(seed),
  built: resolve(import.meta.dirname, '../../src'),
  onKill: () => bar.increment(),
});
bar.stop();
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`${kills} kills within a write (seed ${seed}, ${seconds} s)`);
console.log('\nshares that had landed:');
for (const [lane, counts] of Object.entries(landed)) {
  console.log(`  ${lane.padEnd(28)} ${counts.map((n, shares) => `${shares}: ${n}`).join('  ')}`);
}
console.log(`\n${leftovers} left a share that was not complete, out of sight of readers`);
for (const problem of problems) console.error(problem);
const verdict = problems.length === 0 ? 'no acknowledged change lost' : 'WRONG, see above';
console.log(`${problems.length} problems: ${verdict}`);
process.exitCode = problems.length === 0 && kills === Number(count) ? 0 : 1;
