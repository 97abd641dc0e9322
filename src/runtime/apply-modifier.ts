/**
 * @module apply-modifier: lets the caller's own function change what was read.
 */
import { fromPromise } from 'xstate';
import type { ApplyModifierInput, ApplyModifierResult } from '../../machines/io.ts';
import { bytesFrom } from '../contents/piece.ts';
import { BadArgumentError } from '../errors.ts';
import { kindOf } from '../refusal.ts';
import { plaintextOf } from '../share/plaintext.ts';
import type { Modifier } from './job.ts';
import { benchOf } from './workbench.ts';

/** The actor of that name. */
export const applyModifier = fromPromise<ApplyModifierResult, ApplyModifierInput>(
  async ({ input, system }) => {
    const { desk, job, thrown } = benchOf(system);
    const modifier = job.modifier as Modifier;
    try {
      const changed: unknown = await modifier(desk.kept.whole().slice(), input);
      if (changed === undefined) return { ok: true, isChanged: false };
      desk.changed = plaintextOf(bytesFrom(changed, wrong) ?? refuse(changed));
      return { ok: true, isChanged: true };
    } catch (error) {
      return { ok: false, failure: thrown.failureOf(error) };
    }
  },
);

function wrong(problem: string): BadArgumentError {
  return new BadArgumentError('modifier', `what it gave ${problem}; nothing was written`);
}

function refuse(given: unknown): never {
  throw wrong(`is ${kindOf(given)}: let it give bytes, a string, or undefined for no change`);
}
