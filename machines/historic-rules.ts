/**
 * @module historic-rules: the servermap update as Tahoe had it, for demonstrations and tests.
 *
 * The shipped chart cannot end while a share is being verified, whatever the rule says, because
 * the transition is not there. To get the bug of ticket #2034 back one has to *add* a transition,
 * and this is the place that does it.
 */
import { createMachine } from 'xstate';
import type { Rule } from './rules.ts';
import { type ServermapUpdateInput, servermapUpdateMachine } from './servermap-update.machine.ts';

const { config } = servermapUpdateMachine;
const { collecting } = config.states as { collecting: { states: Record<string, object> } };
const { awaiting, verifying } = collecting.states as {
  awaiting: { always: object };
  verifying: object;
};

/** {@link servermapUpdateMachine} with one more transition: `verifying` may end like `awaiting`. */
export const historicUpdateMachine = createMachine(
  {
    ...config,
    states: {
      ...config.states,
      collecting: {
        ...collecting,
        states: { ...collecting.states, verifying: { ...verifying, always: awaiting.always } },
      },
    },
  } as typeof config,
  servermapUpdateMachine.implementations,
) as typeof servermapUpdateMachine;

/** The chart for a rule, whatever its input says: the shipped one for `ours`. */
export function updateMachineFor(rule: Rule): typeof servermapUpdateMachine {
  if (rule === 'ours') return servermapUpdateMachine;
  const contextOf = historicUpdateMachine.config.context as (given: Given) => object;
  const context = (given: Given) => contextOf({ ...given, input: { ...given.input, rule } });
  return createMachine(
    { ...historicUpdateMachine.config, context } as typeof config,
    servermapUpdateMachine.implementations,
  ) as typeof servermapUpdateMachine;
}

interface Given {
  readonly input: ServermapUpdateInput;
}
