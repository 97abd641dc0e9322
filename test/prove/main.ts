/**
 * @module main: `npm run prove`. See docs/testing.md for what it shows and what it does not.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Rule } from '../../machines/rules.ts';
import { full, perCommit, rules } from './plan.ts';
import { proveCharts, proveComposed, proveEverySize, proveSize, proveSizes } from './prove.ts';
import { proveModify, proveWriters, showPoint } from './prove-writers.ts';
import { say } from './show.ts';
import type { Model } from './sweep.ts';
import { type Point, pointModel } from './writers-forms.ts';

interface Flags {
  readonly servers?: number;
  readonly k?: number;
  readonly shares?: number;
  readonly perServer: '1' | '2';
  readonly rule?: Rule;
  readonly writers?: Point;
  readonly attempts: number;
  readonly force: boolean;
  readonly full: boolean;
  readonly allWriters: boolean;
  readonly json: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It has to be a whole number from 1 on.');
}

/** `S,k,R,W`. */
function point(text: string): Point {
  const [servers = 0, required = 0, reads = 0, writes = 0, ...more] = text.split(',').map(positive);
  if (writes === 0 || more.length > 0) {
    throw new InvalidArgumentError('It has to be four numbers: S,k,R,W.');
  }
  if (Math.max(required, reads, writes) > servers) {
    throw new InvalidArgumentError('k, R and W are at most S.');
  }
  return [servers, required, reads, writes];
}

const program: Command = new Command('prove')
  .description('Prove what a servermap update, and several writers at once, can not come to.')
  .option('--servers <S>', 'one size: this many servers', positive)
  .option('--k <k>', 'shares that are enough', positive)
  .option('--shares <N>', 'shares in all', positive)
  .addOption(
    new Option('--per-server <n>', 'shares that a server holds').choices(['1', '2']).default('1'),
  )
  .addOption(new Option('--rule <rule>', 'one rule only').choices(rules))
  .option('--full', 'the size of the ticket: 13 servers, 3-of-10', false)
  .option('--all-writers', 'two writers at every point of four servers, too', false)
  .option('--writers <S,k,R,W>', 'two writers at one point: what may happen, and how', point)
  .option('--attempts <n>', 'with --writers: how often each tries, 1 to 3', positive, 1)
  .option('--force', 'with --writers: write over newer versions that can not be read', false)
  .option('--json', 'one size and one rule, or one point: print one JSON object', false)
  .parse();

const flags = program.opts<Flags>();
const chosenRules = flags.rule === undefined ? rules : [flags.rule];

/** One model per size and rule. */
function modelsOf(sizes: readonly Omit<Model, 'rule'>[]): readonly Model[] {
  return sizes.flatMap((size) => chosenRules.map((rule) => ({ ...size, rule })));
}

/** The size that the flags name; undefined when they name none. */
function chosenSize(): Omit<Model, 'rule'> | undefined {
  const { servers, k, shares } = flags;
  const sharesPerServer = flags.perServer === '2' ? 2 : 1;
  if (flags.full) return { ...(full[0] as Omit<Model, 'rule'>), sharesPerServer };
  if (servers === undefined && k === undefined && shares === undefined) return undefined;
  if (servers === undefined || k === undefined || shares === undefined) {
    program.error('error: a size is --servers, --k and --shares together');
  }
  if (k > shares) program.error(`error: --k ${k} is more than --shares ${shares}`);
  return { servers, required: k, total: shares, sharesPerServer };
}

/** Who tries again meets silent servers; who tries once, also servers lost on the way. */
function chosenPoint(chosen: Point) {
  const { attempts, force } = flags;
  if (attempts > 3) program.error('error: --attempts is 3 at most');
  const failures = attempts === 1 ? 'servers' : 0;
  return pointModel(chosen, { attempts, ignoresNewer: force, failures });
}

function main(): boolean {
  if (flags.writers !== undefined) return showPoint(chosenPoint(flags.writers), flags.json);
  const size = chosenSize();
  if (flags.json) {
    if (size === undefined) program.error('error: --json needs a size');
    const { report } = proveSize({ ...size, rule: flags.rule ?? 'ours' });
    say(JSON.stringify(report));
    return report.rule !== 'ours' || report.violations + report.deadlocks === 0;
  }
  if (flags.allWriters) return proveAllWriters(true);
  if (size !== undefined) return proveSizes(modelsOf([size]));
  const isSafe = proveSizes(modelsOf(perCommit));
  say();
  const isSafeEverywhere = proveEverySize(chosenRules);
  say();
  proveCharts();
  say();
  proveComposed();
  say();
  return proveAllWriters(false) && isSafe && isSafeEverywhere;
}

function proveAllWriters(isFull: boolean): boolean {
  const isAsTheForms = proveWriters(isFull);
  say();
  return proveModify(isFull) && isAsTheForms;
}

try {
  process.exitCode = main() ? 0 : 1;
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  program.error(`error: ${error.message}`);
}
