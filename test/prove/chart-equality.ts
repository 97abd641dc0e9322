/**
 * @module chart-equality: the shipped XState chart is the kernel that the sweep drove.
 *
 * Every state and every step of the chart, by pure transitions of the shipped object: the same
 * states, the same successors, the same ends. What the sweep shows of the kernel is thereby shown
 * of the chart, and the sweep alone goes on to sizes that no chart could be walked at.
 */
import type { AnyMachineSnapshot } from 'xstate';
import {
  type ServerAnswered,
  type ServerSettled,
  serverAnswered,
  serverSettled,
} from '../../machines/events.ts';
import { updateMachineFor } from '../../machines/historic-rules.ts';
import type { UpdateRecord } from '../../machines/update-kernel.ts';
import { deadlines, goodReport, poorReport, serversOf, versionOf } from '../support/facts.ts';
import { pureChart } from '../support/walk.ts';
import type { LocalState } from './local-states.ts';
import { type Model, sweep } from './sweep.ts';

export interface Equality {
  readonly model: Model;
  readonly states: number;
  readonly transitions: number;
  readonly done: number;
}

/** What a server's child reports when its local state becomes `to`. */
type Reports = Readonly<Record<string, ServerAnswered | ServerSettled>>;

/**
 * @returns how much was compared
 * @throws Error naming the first state in which the two differ
 */
export function chartEquality(model: Omit<Model, 'sharesPerServer'>): Equality {
  const found = sweep({ ...model, sharesPerServer: 1 });
  const { servers, required, total, rule } = model;
  const version = versionOf(1, 'a', { required, total });
  const reports = serversOf(servers).map(
    (server, n): Reports => ({
      verifying: serverAnswered(server, [n]),
      good: serverSettled(goodReport(server, [n], version)),
      empty: serverSettled(poorReport(server, 'empty')),
      failed: serverSettled(poorReport(server, 'failed')),
    }),
  );
  const chart = pureChart(updateMachineFor(rule));
  const digitsIn = (snapshot: AnyMachineSnapshot) =>
    (snapshot.context.record as UpdateRecord).statuses.map((status) =>
      found.locals.findIndex(({ name }) => name === status),
    );
  const names = serversOf(servers);
  const membership = { servers, happy: 1 };
  const grid = { mode: 'write', servers: names, required, total, membership, rule } as const;
  const first = chart.initial({ ...grid, wantsPrivateKey: false, deadlines });
  const open = new Map([[found.stateOf(digitsIn(first)), first as AnyMachineSnapshot]]);
  const seen = new Set(open.keys());
  let transitions = 0;
  let done = 0;
  const differ = (digits: readonly number[], what: string): never => {
    const word = digits.map((digit) => (found.locals[digit] as LocalState).letter).join('');
    throw new Error(`${rule}, ${word}: ${what}`);
  };
  // Deliveries make the numbers larger, and a map keeps the order of insertion: breadth first.
  for (const [state, snapshot] of open) {
    open.delete(state);
    const digits = found.digitsOf(state);
    const isOver = snapshot.status === 'done';
    if (isOver === found.isOpen(state)) differ(digits, isOver ? 'the chart ends' : 'it goes on');
    if (isOver) {
      done++;
      continue;
    }
    digits.forEach((digit, server) => {
      for (const { to } of (found.locals[digit] as LocalState).next) {
        transitions++;
        const event = (reports[server] as Reports)[to] as ServerAnswered;
        const next = chart.next(snapshot as never, event) as AnyMachineSnapshot;
        const reached = digitsIn(next);
        const target = found.locals.findIndex(({ name }) => name === to);
        if (reached.some((d, i) => d !== (i === server ? target : digits[i]))) {
          differ(reached, `after ${event.type} in ${digits}`);
        }
        const number = found.stateOf(reached);
        if (seen.has(number)) continue;
        seen.add(number);
        open.set(number, next);
      }
    });
  }
  const counted = { states: seen.size, transitions, done };
  for (const [name, count] of Object.entries(counted)) {
    const expected = found.result[name as keyof typeof counted];
    if (count !== expected) throw new Error(`${rule}: ${count} ${name}, the kernel ${expected}`);
  }
  return { model: found.model, ...counted };
}
