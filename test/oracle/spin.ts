/**
 * @module spin: one run of SPIN, Debian's `spin` with a C compiler, over a model and its `-D`s.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Run {
  /** How many states SPIN stored, and how many steps it took between them. */
  readonly stored: number;
  readonly transitions: number;
  /** Whether an assertion failed; SPIN stops there. */
  readonly isViolated: boolean;
}

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

/**
 * Every state of `test/oracle/<model>.pml`, stored in full: no bitstate, no hashes.
 *
 * @throws Error when SPIN did not come to the end of them, or stopped for another reason
 */
export function spin(model: string, defines: readonly string[]): Run {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  try {
    const flags = defines.map((define) => `-D${define}`);
    run(folder, 'spin', ...flags, '-a', resolve(`test/oracle/${model}.pml`));
    run(
      folder,
      'gcc',
      '-O2',
      '-DSAFETY',
      '-DNOREDUCE',
      '-DMEMLIM=6000',
      '-w',
      '-o',
      'pan',
      'pan.c',
    );
    const said = run(folder, './pan', '-m100000', '-w22');
    const numberOf = (pattern: RegExp) => Number(pattern.exec(said)?.[1] ?? Number.NaN);
    const isViolated = numberOf(/errors: (\d+)/) !== 0;
    const isWhole = !/Search not completed|search depth too small/.test(said);
    if (isViolated ? !said.includes('assertion violated') : !isWhole) throw new Error(said);
    return {
      // SPIN writes large numbers as 1.0656681e+08.
      stored: numberOf(/(\S+) states, stored/),
      transitions: numberOf(/(\S+) transitions/),
      isViolated,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
