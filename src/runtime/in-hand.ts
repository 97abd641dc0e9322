/**
 * @module in-hand: finds what a run has in hand, for the actors of its chart: so charts get their IO
 * once, and not per run.
 */
import type { AnyStateMachine, OutputFrom } from 'xstate';
import type { Engine } from './run.ts';
import { type RunOptions, runMachine, type System } from './run-chart.ts';

/** What runs of one kind have in hand, by the system of their actors. */
export class InHand<Hand extends { readonly engine: Engine }> {
  readonly #hands = new WeakMap<System, Hand>();

  /** What the run that an actor belongs to has in hand. */
  of(system: System): Hand {
    return this.#hands.get(system) as Hand;
  }

  /** Runs `machine` with this in hand; see {@link runMachine}. */
  run<Machine extends AnyStateMachine>(
    hand: Hand,
    machine: Machine,
    options: RunOptions<Machine>,
  ): Promise<OutputFrom<Machine>> {
    const onSystem = (system: System) => this.#hands.set(system, hand);
    return runMachine(hand.engine, machine, { ...options, onSystem });
  }
}
