/**
 * @module main: `npm run prove`. See docs/testing.md for what it shows and what it does not.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Rule } from '../../machines/rules.ts';
import { full, perCommit, rules } from './plan.ts';
import { proveCharts, proveComposed, proveEverySize, proveSize, proveSizes } from './prove.ts';
import {
  listMistakes,
  mistakeOf,
  proveMistake,
  proveMistakes,
  proveQuorum,
  proveQuorumCharts,
  showQuorum,
  showWalks,
} from './prove-quorum.ts';
import { modelOf, type QuorumModel } from './quorum-model.ts';
import { leanOf } from './quorum-plan.ts';
import { say } from './show.ts';
import type { Model } from './sweep.ts';

interface Flags {
  readonly servers?: number;
  readonly k?: number;
  readonly shares?: number;
  readonly perServer: '1' | '2';
  readonly rule?: Rule;
  readonly full: boolean;
  readonly quorum: boolean;
  readonly quorumSize?: number;
  readonly writers?: number;
  readonly attempts?: number;
  readonly repairs: number;
  readonly readers: number;
  readonly losable: number;
  readonly stale: number;
  readonly remembers: boolean;
  readonly lean: boolean;
  readonly limit: number;
  readonly seconds: number;
  readonly walks?: number;
  readonly seed?: number;
  readonly mistake?: string;
  readonly all: boolean;
  readonly json: boolean;
}

function positive(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It has to be a whole number from 1 on.');
}

function whole(text: string): number {
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It has to be a whole number from 0 on.');
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
  .option('--quorum', 'several writers over a quorum; a size is --servers to --attempts', false)
  .option('--quorum-size <W>', 'servers that acknowledge a version', positive)
  .option('--writers <A>', 'how many', positive)
  .option('--attempts <T>', 'how often each tries', positive)
  .option('--losable <n>', 'disks that may lose shares, or go back to older ones', whole, 0)
  .option('--stale <n>', 'servers that have missed the last two versions', whole, 0)
  .option('--readers <n>', 'readers who ask server by server, beside the writers', whole, 0)
  .option('--repairs <n>', 'how many of the writers repair', whole, 0)
  .option('--remembers', 'writers who may begin with what their last write left', false)
  .option(
    '--lean',
    'without steps that others cover; with k > 1 without late answers and losses',
    false,
  )
  .option('--limit <states>', 'stop after so many', positive, 1_000_000)
  .option('--seconds <n>', 'stop after so long', positive, 300)
  .option(
    '--walks <n>',
    'random courses instead of every one; without a size: S = 3 to 13',
    positive,
  )
  .option('--seed <n>', 'of the first of them', whole)
  .option('--mistake <name>', 'with a mistake in the rules; "list" names them')
  .option('--all', 'with --quorum: the long run', false)
  .option('--json', 'one size (and one rule): print one JSON object', false)
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

const sizeFlags = ['servers', 'k', 'quorumSize', 'writers', 'attempts'] as const;

/** The writers over a quorum that the flags name; undefined when they name none. */
function chosenQuorum(): QuorumModel | undefined {
  const named = sizeFlags.filter((name) => flags[name] !== undefined);
  if (named.length === 0 && flags.shares === undefined) return undefined;
  const { servers, k, quorumSize, writers, attempts } = flags;
  if (
    servers === undefined ||
    k === undefined ||
    quorumSize === undefined ||
    writers === undefined ||
    attempts === undefined
  ) {
    program.error(
      'error: a size is --servers, --k, --quorum-size, --writers and --attempts together',
    );
  }
  const { readers, losable, stale, remembers, repairs, shares: total } = flags;
  const size = { servers, required: k, size: quorumSize, writers, attempts, total, losable };
  const model = modelOf(size, {
    readers,
    stale,
    remembers,
    repairs,
    ...(flags.lean && leanOf(size, { remembers, repairs })),
  });
  const problem = problemOf(model);
  if (problem !== undefined) program.error(`error: ${problem}`);
  return model;
}

function problemOf({
  servers,
  required,
  size,
  total,
  attempts,
  writers,
  readers,
  losable,
  stale,
  repairs,
}: QuorumModel) {
  // Whom a writer may hear are 2^S sets.
  if (servers > 13 && flags.walks === undefined) return '--servers is 13 at most without --walks';
  if (servers > 30) return '--servers is 30 at most';
  if (size > servers) return `--quorum-size ${size} is more than --servers ${servers}`;
  if (2 * size <= servers) return `--quorum-size ${size} is not more than half of ${servers}`;
  if (2 * size <= servers + losable) return `--losable ${losable} leaves no quorums that meet`;
  if (stale > servers - size) return `--stale ${stale} leaves no quorum that is up to date`;
  if (repairs > writers) return `--repairs ${repairs} is more than --writers ${writers}`;
  if (repairs > 0 && size > total) return '--repairs needs --shares of --quorum-size at least';
  if (required > total) return `--k ${required} is more than --shares ${total}`;
  if (total > 30) return '--shares is 30 at most';
  if (attempts > 20) return '--attempts is 20 at most';
  if (writers + readers > 20) return '--writers and --readers are 20 at most, together';
  return undefined;
}

async function quorum(): Promise<boolean> {
  const { mistake, walks, json, limit, seconds, all } = flags;
  const odd = contradiction();
  if (odd !== undefined) program.error(`error: ${odd}`);
  if (mistake === 'list') {
    listMistakes();
    return true;
  }
  if (mistake !== undefined) {
    const known = mistakeOf(mistake);
    if (known !== undefined) return proveMistake(known, json);
    program.error(`error: there is no mistake ${mistake}: see --mistake list`);
  }
  const model = chosenQuorum();
  if (walks !== undefined) return showWalks(model, walks, flags.seed ?? 0, json);
  if (model !== undefined) return showQuorum(model, limit, seconds, json);
  if (json) program.error('error: --json needs a size, --walks or --mistake');
  return proveWriters(all);
}

/** Flags of which one has nothing to say beside the other. */
function contradiction(): string | undefined {
  const { mistake, walks, all, lean, full, readers, repairs, losable, remembers, rule, perServer } =
    flags;
  const hasSize = flags.servers !== undefined || flags.quorumSize !== undefined;
  if (full || rule !== undefined || perServer !== '1') {
    return '--full, --rule and --per-server are of the other exploration, without --quorum';
  }
  if (mistake !== undefined && (hasSize || walks !== undefined || all)) {
    return '--mistake has a size of its own';
  }
  if (all && (hasSize || walks !== undefined)) return '--all is every size';
  if (!hasSize && (lean || remembers || readers + repairs + losable > 0)) {
    return '--lean, --remembers, --repairs, --readers and --losable need a size';
  }
  if (lean && walks !== undefined) return '--walks are of the whole model, never --lean';
  return undefined;
}

async function proveWriters(isFull: boolean): Promise<boolean> {
  const isSafe = proveQuorum(isFull);
  say();
  proveQuorumCharts(isFull ? 10_000 : 400);
  say();
  const isSafeAtRandom = showWalks(undefined, isFull ? 1_000_000 : 1000, flags.seed ?? 0, false);
  say();
  return (await proveMistakes()) && isSafe && isSafeAtRandom;
}

async function main(): Promise<boolean> {
  if (flags.quorum) return quorum();
  const strange = (['quorumSize', 'writers', 'attempts', 'walks', 'mistake'] as const).find(
    (name) => flags[name] !== undefined,
  );
  if (strange !== undefined || flags.all) program.error('error: that needs --quorum');
  const size = chosenSize();
  if (flags.json) {
    if (size === undefined) program.error('error: --json needs a size');
    const { report } = proveSize({ ...size, rule: flags.rule ?? 'ours' });
    say(JSON.stringify(report));
    return report.rule !== 'ours' || report.violations + report.deadlocks === 0;
  }
  if (size !== undefined) return proveSizes(modelsOf([size]));
  const isSafe = proveSizes(modelsOf(perCommit));
  say();
  const isSafeEverywhere = proveEverySize(chosenRules);
  say();
  proveCharts();
  say();
  proveComposed();
  say();
  return (await proveWriters(false)) && isSafe && isSafeEverywhere;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  program.error(`error: ${error.message}`);
}
