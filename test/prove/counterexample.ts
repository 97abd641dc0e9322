/**
 * @module counterexample: the fewest deliveries that lead to a violation, told one by one.
 *
 * The sweep names the violation whose servers are, added up, the fewest deliveries away from
 * `asked`. No violation can be nearer than that sum, so a path of that length is a shortest one.
 */
import type { ServerStatus } from '../../machines/servermap.ts';
import { decide } from '../../machines/update-kernel.ts';
import type { LocalState } from './local-states.ts';
import type { Sweep } from './sweep.ts';

export interface Delivery {
  /** What arrives: `s2: answers: it has shares`. */
  readonly told: string;
  /** Where every server stands after it, one letter each. */
  readonly word: string;
}

interface Visit {
  readonly digits: readonly number[];
  readonly from: Visit | null;
  readonly told: string;
}

/** @returns the deliveries, or null when the sweep found no violation */
export function counterexample(found: Sweep): readonly Delivery[] | null {
  const { nearest } = found.result;
  if (nearest === null) return null;
  const goal = found.digitsOf(nearest);
  const first: Visit = {
    digits: atRest(
      found,
      goal.map(() => 0),
    ),
    from: null,
    told: '',
  };
  const queue = [first];
  const seen = new Set([first.digits.join()]);
  for (const visit of queue) {
    if (visit.digits.every((digit, i) => digit === goal[i])) return pathTo(found, visit);
    if (!found.isOpen(found.stateOf(visit.digits))) continue;
    for (const next of deliveries(found, visit)) {
      const key = next.digits.join();
      // Only what can still lead to the goal: no digit beyond it.
      if (seen.has(key) || next.digits.some((digit, i) => digit > (goal[i] as number))) continue;
      seen.add(key);
      queue.push(next);
    }
  }
  throw new Error('a violation was reached by the sweep and by no path');
}

function deliveries(found: Sweep, visit: Visit): readonly Visit[] {
  return visit.digits.flatMap((digit, server) =>
    (found.locals[digit] as LocalState).next.map(({ to, told }) => {
      const target = found.locals.findIndex(({ name }) => name === to);
      const digits = atRest(found, visit.digits.with(server, target));
      return { digits, from: visit, told: `s${server} ${told}` };
    }),
  );
}

/** The state in which everybody is asked whom the kernel asks; asking takes no delivery. */
function atRest({ model, locals }: Sweep, digits: readonly number[]): readonly number[] {
  const { rule, required, total } = model;
  const local = (digit: number) => locals[digit] as LocalState;
  const statuses = digits.map((digit): ServerStatus => local(digit).seen[rule]);
  const decision = decide({
    mode: 'write',
    rule,
    required,
    total,
    statuses,
    hasRecoverable: digits.filter((digit) => local(digit).isKnownGood[rule]).length >= required,
    meetingSize: 1,
    isConfirmed: false,
    isContested: false,
    lacksPrivateKey: false,
  });
  if (decision.kind !== 'ask') return digits;
  let left = decision.count;
  return digits.map((digit, i) => (statuses[i] === 'unasked' && left-- > 0 ? digit + 1 : digit));
}

function pathTo({ locals }: Sweep, end: Visit): readonly Delivery[] {
  const path: Delivery[] = [];
  for (let at = end; at.from !== null; at = at.from) {
    const word = at.digits.map((digit) => (locals[digit] as LocalState).letter).join('');
    path.unshift({ told: at.told, word });
  }
  return path;
}

/** A readable trace, one delivery a line. */
export function traceOf(found: Sweep, path: readonly Delivery[]): string {
  const { model, locals, result } = found;
  const { rule, servers, required, total } = model;
  const open = found
    .digitsOf(result.nearest as number)
    .flatMap((digit, i) => ((locals[digit] as LocalState).isVerifying ? [`s${i}`] : []));
  const letters = locals.map(({ letter, name }) => `${letter} ${name}`).join(', ');
  const width = Math.max(...path.map(({ told }) => told.length));
  return [
    `rule ${rule}, ${servers} servers, ${required}-of-${total}: done after ${path.length} ` +
      `deliveries, while ${open.join(' and ')} ${open.length === 1 ? 'is' : 'are'} being verified`,
    ...path.map(
      ({ told, word }, i) => `${String(i + 1).padStart(4)}. ${told.padEnd(width)}  ${word}`,
    ),
    `      (${letters})`,
  ].join('\n');
}
