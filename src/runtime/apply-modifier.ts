/**
 * @module apply-modifier: lets the caller's own function change what was read.
 */
import { fromPromise } from 'xstate';
import type { ApplyModifierInput, ApplyModifierResult } from '../../machines/io.ts';
import { refuse } from '../arguments.ts';
import { isBytes, plaintextOf } from '../share/plaintext.ts';
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
      if (!isBytes(changed)) {
        refuse('what the modifier gave', changed, 'a Uint8Array, or undefined for no change');
      }
      desk.changed = plaintextOf(changed);
      return { ok: true, isChanged: true };
    } catch (error) {
      return { ok: false, failure: thrown.failureOf(error) };
    }
  },
);
