/**
 * @module compare: `npm run oracle`: SPIN's counts of `update.pml` beside the sweep's.
 *
 * Needs Debian's `spin` and a C compiler. Two runs per size and rule: see `-DCOUNT` in the model.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Rule } from '../../machines/rules.ts';
import { rules } from '../prove/plan.ts';
import { say, Table } from '../prove/show.ts';
import { type SweepResult, sweep } from '../prove/sweep.ts';

const model = resolve('test/oracle/update.pml');

/** Servers and k; N is what is left, so that all of them are asked at once. */
const sizes = [
  [5, 2],
  [7, 2],
  [9, 3],
] as const;

type Counts = Pick<SweepResult, 'states' | 'transitions' | 'done' | 'violations'>;

/** @throws Error with what the program said, when it is missing or fails */
function run(folder: string, program: string, ...flags: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, flags, {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error !== undefined)
    throw new Error(`${program}: ${error.message} (see test/oracle/setup.sh)`);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** States stored and transitions, of one run of SPIN. */
function spin(servers: number, required: number, rule: Rule, count: 0 | 1) {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const size = [`-DS=${servers}`, `-DK=${required}`];
    run(folder, 'spin', ...size, `-DRULE=${rules.indexOf(rule)}`, `-DCOUNT=${count}`, '-a', model);
    run(folder, 'gcc', '-O2', '-DSAFETY', '-DNOREDUCE', '-w', '-o', 'pan', 'pan.c');
    const said = run(folder, './pan', '-m100000', '-w22');
    const numberOf = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? Number.NaN);
    if (numberOf(/errors: (\d+)/) !== 0) throw new Error(said);
    return {
      stored: numberOf(/(\d+) states, stored/),
      transitions: numberOf(/(\d+) transitions/),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function oracle(servers: number, required: number, rule: Rule): Counts {
  const plain = spin(servers, required, rule, 0);
  const more = spin(servers, required, rule, 1);
  const states = more.stored - plain.stored;
  const violations = more.transitions - plain.transitions - states;
  const done = (states - violations) / 2;
  // SPIN counts the start as a step.
  return { states: plain.stored, transitions: plain.transitions - 1, done, violations };
}

function main(): boolean {
  say("SPIN's counts of a model written from the protocol's text, and whether ours are the same.");
  say();
  const table = new Table([
    ['servers', 7],
    ['k-of-N', 7],
    ['rule', 7],
    ['states', 10],
    ['transitions', 11],
    ['done', 7],
    ['violations', 10],
    ['equal', 5],
  ]);
  let isEqual = true;
  for (const [servers, required] of sizes) {
    for (const rule of rules) {
      const total = servers - required;
      const theirs = oracle(servers, required, rule);
      const ours = sweep({ servers, required, total, sharesPerServer: 1, rule }).result;
      const names = Object.keys(theirs) as (keyof Counts)[];
      const isSame = names.every((name) => theirs[name] === ours[name]);
      isEqual &&= isSame;
      table.row([
        ...[servers, `${required}-of-${total}`, rule],
        ...[theirs.states, theirs.transitions, theirs.done, theirs.violations],
        isSame ? 'yes' : 'NO',
      ]);
    }
  }
  return isEqual;
}

process.exitCode = main() ? 0 : 1;
