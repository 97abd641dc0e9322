import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { operationCancel, serverAnswered, serverSettled } from '../../machines/events.ts';
import type { Mode, ServerStatus } from '../../machines/servermap.ts';
import {
  type ServermapUpdateInput,
  servermapUpdateMachine,
} from '../../machines/servermap-update.machine.ts';
import {
  apply,
  decide,
  nextServers,
  type ServerReport,
  toServermap,
  type UpdateFact,
  type UpdateRecord,
  viewOf,
} from '../../machines/update-kernel.ts';
import { explore } from '../support/explore.ts';
import {
  bad,
  deadlines,
  goodReport,
  membershipOf,
  poorReport,
  serversOf,
  unverified,
  versionOf,
} from '../support/facts.ts';

const v1 = versionOf(1);
const v2 = versionOf(2);

const recordIn = (snapshot: AnyMachineSnapshot) => snapshot.context.record as UpdateRecord;

/** Everything one server may turn out to be. */
function reportsOf(server: string): readonly ServerReport[] {
  const n = Number(server.slice(1));
  const holding = (verdict: ReturnType<typeof bad>) => ({ server, shnum: n, verdict });
  return [
    goodReport(server, [n], v1, { privateKeyFound: n === 1 }),
    {
      ...goodReport(server, [n], v2),
      holdings: [...goodReport(server, [n], v2).holdings, holding(bad())],
    },
    poorReport(server, 'empty'),
    poorReport(server, 'corrupt', [holding(bad())]),
    poorReport(server, 'failed', [holding(unverified())]),
  ];
}

/** What the children of this state can report next. */
function childReports(record: UpdateRecord) {
  return record.servers.flatMap((server, i) => {
    const status = record.statuses[i];
    const reports = reportsOf(server);
    if (status === 'asked') {
      const poor = reports.filter((r) => r.holdings.length === 0 || r.status === 'failed');
      return [serverAnswered(server, [i]), ...poor.map(serverSettled)];
    }
    if (status === 'verifying') {
      return reports.filter((r) => r.holdings.length > 0).map(serverSettled);
    }
    return [];
  });
}

/** The kernel's own run of one event: the books, then whom to ask, until nobody. */
function kernelStep(record: UpdateRecord, fact: UpdateFact): UpdateRecord {
  const next = apply(record, fact);
  return fact.type === 'settled'
    ? apply(next, { type: 'asked', servers: nextServers(next) })
    : next;
}

describe.each<Mode>(['anything', 'read', 'write', 'check', 'repair'])('%s', (mode) => {
  test.each([1, 2, 3])('every state of the coordinator with %i servers', (count) => {
    const input: ServermapUpdateInput = {
      mode,
      servers: serversOf(count),
      required: 1,
      total: 2,
      membership: membershipOf(count),
      wantsPrivateKey: mode === 'write' || mode === 'repair',
      deadlines,
    };
    /** What each set of processed answers led to: one map, whatever the order (U5). */
    const maps = new Map<string, string>();
    const exploration = explore(servermapUpdateMachine, {
      input,
      events: (snapshot) => childReports(recordIn(snapshot)),
      keyOf: (snapshot) => {
        const { holdings, ...record } = recordIn(snapshot);
        return JSON.stringify([
          snapshot.value,
          [...holdings].map((s) => JSON.stringify(s)).sort(),
          {
            ...record,
            versions: Object.keys(record.versions).sort(),
          },
        ]);
      },
      always: (snapshot) => {
        const record = recordIn(snapshot);
        const isVerifying = record.statuses.includes('verifying');
        const decision = decide(viewOf(record));
        expect(snapshot.value).toEqual(
          isVerifying
            ? { collecting: 'verifying' }
            : decision.kind === 'done'
              ? 'done'
              : { collecting: 'awaiting' },
        );
        // Nobody who should be asked is left unasked.
        expect(decision.kind).not.toBe('ask');
        if (snapshot.status !== 'done') return;
        expect(snapshot.output).toEqual(
          toServermap(record, decision.kind === 'done' ? decision.outcome : 'cancelled'),
        );
        const answers = [...record.holdings].map((s) => JSON.stringify(s)).sort();
        const key = JSON.stringify([record.statuses, record.privateKey, answers]);
        const map = JSON.stringify(snapshot.output);
        expect(maps.get(key) ?? map).toBe(map);
        maps.set(key, map);
        // Every share that was reported is in the map (U6).
        expect(snapshot.output.holdings).toHaveLength(record.holdings.length);
      },
      step: (before, event, after) => {
        const fact: UpdateFact =
          event.type === 'server.answered'
            ? { type: 'answered', server: event.server }
            : { type: 'settled', report: event.report };
        expect(recordIn(after)).toEqual(kernelStep(recordIn(before), fact));
      },
    });
    expect(exploration.deadlocks).toEqual([]);
    expect(Object.keys(exploration.paths).sort()).toEqual([
      'collecting.awaiting',
      'collecting.verifying',
      'done',
    ]);
  });
});

describe('four servers, k = 2: the chart and the counted model', () => {
  const statuses = (snapshot: AnyMachineSnapshot): readonly ServerStatus[] =>
    recordIn(snapshot).statuses;

  test('625 states, 2,500 steps, no deadlock', () => {
    const exploration = explore(servermapUpdateMachine, {
      input: {
        mode: 'write',
        servers: serversOf(4),
        required: 2,
        total: 3,
        membership: membershipOf(4),
        wantsPrivateKey: false,
        deadlines,
      },
      events: (snapshot) =>
        statuses(snapshot).flatMap((status, i) => {
          const server = `s${i}`;
          const failed = serverSettled(poorReport(server, 'failed'));
          if (status === 'asked') {
            return [
              serverAnswered(server, [i]),
              serverSettled(poorReport(server, 'empty')),
              failed,
            ];
          }
          return status === 'verifying' ? [serverSettled(goodReport(server, [i], v1)), failed] : [];
        }),
      keyOf: (snapshot) => statuses(snapshot).join(),
      always: (snapshot) => {
        if (snapshot.status === 'done') expect(statuses(snapshot)).not.toContain('verifying');
      },
    });
    expect(exploration).toEqual({
      states: 625,
      transitions: 2500,
      deadlocks: [],
      paths: { 'collecting.awaiting': 175, 'collecting.verifying': 369, done: 81 },
    });
  });
});

test('cancel ends it from every state, with the map of what was known', () => {
  explore(servermapUpdateMachine, {
    input: {
      mode: 'write',
      servers: serversOf(2),
      required: 1,
      total: 2,
      membership: membershipOf(2),
      wantsPrivateKey: false,
      deadlines,
    },
    events: (snapshot) => [...childReports(recordIn(snapshot)), operationCancel()],
    keyOf: (snapshot) => JSON.stringify([snapshot.value, recordIn(snapshot)]),
    step: (before, event, after) => {
      if (event.type !== 'operation.cancel') return;
      expect(after.value).toBe('cancelled');
      expect(after.output).toEqual(toServermap(recordIn(before), 'cancelled'));
    },
  });
});
