/**
 * @module announce: what those hear who do not see the page: where they are, what has gone wrong or
 * come out at this step, and whose turn it is.
 */
import type { Frame, OfferedChoice, SideFrame } from '../engine/protocol.ts';

/** Of each side, for a sentence; empty with one side. */
type Names = readonly string[];

/** Violations that are new at `step`. */
export function violationWords({ sides }: Frame, step: number, names: Names): readonly string[] {
  return sides.flatMap(({ verdicts }, side) =>
    verdicts
      .filter(({ violation }) => violation?.step === step)
      .map(({ id, violation }) => `${of(names, side)}${id} is violated: ${violation?.detail}.`),
  );
}

/** What operations came to at this step. */
export function outcomeWords(
  { sides }: Frame,
  before: Frame | undefined,
  names: Names,
): readonly string[] {
  return sides.flatMap(({ operations }, side) =>
    operations.flatMap(({ spec, status, result }, i) => {
      const was = before?.sides[side]?.operations[i]?.status;
      if (status === was || (status !== 'ended' && status !== 'killed')) return [];
      const how = result === undefined || result.ok ? '' : `: ${result.error}`;
      return [`${of(names, side)}${spec.name} ${status}${how}.`];
    }),
  );
}

/** What can be done next, without faults. */
export function turnWords({ choices, sides }: Frame): string {
  const named = (kind: OfferedChoice['kind']) =>
    choices.filter((choice) => choice.kind === kind).map(({ label }) => label);
  const deliveries = named('deliver');
  const starts = named('start').join(', ');
  if (deliveries.length > 0) {
    const [first] = deliveries;
    const count = deliveries.length === 1 ? '1 message' : `${deliveries.length} messages`;
    const more = starts === '' ? '' : ` Also: ${starts}.`;
    return `Your turn: ${count} to deliver, the first is “${first?.replace('deliver ', '')}”.${more}`;
  }
  if (starts !== '') return `Your turn: ${starts}.`;
  if (sides.some(isAtWork)) return 'Your turn: nothing is in flight; time can pass.';
  return 'Nothing is left to happen.';
}

function isAtWork({ operations }: SideFrame): boolean {
  return operations.some(({ status }) => status === 'running');
}

function of(names: Names, side: number): string {
  return names.length < 2 ? '' : `${names[side]}: `;
}
