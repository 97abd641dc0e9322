/**
 * @module properties-kernel: every run of the servermap update, replayed through the kernel (trace
 * validation, as Azure's CCF does it): what was proven of the kernel holds of the chart as far as
 * the two agree.
 */
import type { Rule } from '../../machines/rules.ts';
import type { ServerStatus } from '../../machines/servermap.ts';
import type { ServermapUpdateInput } from '../../machines/servermap-update.machine.ts';
import {
  apply,
  decide,
  nextServers,
  type ServerReport,
  type UpdateRecord,
  viewOf,
} from '../../machines/update-kernel.ts';
import { summaryOf } from '../runtime/summary-of.ts';
import { type ActorFact, isAtRest, type RunFacts } from './facts.ts';
import type { PropertyDefinition } from './property.ts';

function beginning({ input }: ActorFact, rule: Rule): UpdateRecord {
  const {
    mode,
    servers,
    required,
    total,
    membership,
    marked = [],
    wantsPrivateKey,
  } = input as unknown as ServermapUpdateInput;
  const statuses = servers.map((): ServerStatus => 'unasked');
  const privateKey = wantsPrivateKey ? 'missing' : 'unneeded';
  const books = { mode, rule, servers, required, total, membership } as const;
  const told = { marked, statuses, privateKey } as const;
  return withAsked({
    ...books,
    ...told,
    holdings: [],
    versions: {},
    failures: servers.map(() => null),
  });
}

/** The books once whom the kernel wants to be asked has been asked. */
function withAsked(record: UpdateRecord): UpdateRecord {
  return apply(record, { type: 'asked', servers: nextServers(record) });
}

export const kernelProperties: readonly PropertyDefinition[] = [
  {
    id: 'K1',
    name: 'the chart is the kernel',
    statement:
      'A servermap update goes through the states that the kernel goes through on the same events, ' +
      'and ends when the kernel does.',
    needs: 'charts',
    judge: () => {
      const books = new Map<string, UpdateRecord>();
      return (record, facts) => {
        const goesOn = isAtRest(record, facts) ? late(books, facts) : undefined;
        if (goesOn !== undefined) return goesOn;
        if (!('actor' in record)) return undefined;
        const actor = facts.actors.get(record.actor);
        if (actor?.chart !== 'servermapUpdate') return undefined;
        if (record.kind === 'actor') {
          const { rule = 'ours' } = facts.operations.get(actor.operation)?.spec ?? {};
          books.set(record.actor, beginning(actor, rule));
        }
        const now = books.get(record.actor);
        if (record.kind === 'end') books.delete(record.actor);
        if (now === undefined) return undefined;
        if (record.kind === 'event') {
          books.set(record.actor, after(now, record.type, record.data));
          return undefined;
        }
        if (record.kind !== 'step' || record.state === 'cancelled') return undefined;
        const told = Object.values(summaryOf(record, 'servermapUpdate')?.statuses ?? {}).join();
        if (told !== now.statuses.join()) return `${told} is not ${now.statuses.join()}`;
        const isOver = decide(viewOf(now)).kind === 'done';
        if (record.state === 'done' && !isOver) return `${record.actor} is done too early`;
        return undefined;
      };
    },
  },
];

/** At rest, a chart that goes on though the kernel is done. */
function late(books: ReadonlyMap<string, UpdateRecord>, facts: RunFacts): string | undefined {
  for (const [path, record] of books) {
    const actor = facts.actors.get(path);
    if (actor === undefined || !facts.active.has(actor)) continue;
    if (decide(viewOf(record)).kind === 'done') return `${path} goes on, and the kernel is done`;
  }
  return undefined;
}

/** The kernel's books after an event of the chart. */
function after(record: UpdateRecord, type: string, data: unknown): UpdateRecord {
  if (type === 'server.answered') {
    const { server } = data as { server: string };
    return apply(record, { type: 'answered', server });
  }
  if (type !== 'server.settled') return record;
  const { report } = data as { report: ServerReport };
  return withAsked(apply(record, { type: 'settled', report }));
}
