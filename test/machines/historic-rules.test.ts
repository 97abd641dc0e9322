import { describe, expect, test } from 'vitest';
import { operationCancel, serverAnswered, serverSettled } from '../../machines/events.ts';
import { historicUpdateMachine, updateMachineFor } from '../../machines/historic-rules.ts';
import type { Rule } from '../../machines/rules.ts';
import { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { chartLines, definitionsOf, nodesOf, targetsOf } from '../support/chart-lines.ts';
import { chartCoverage } from '../support/coverage.ts';
import {
  deadlines,
  goodReport,
  membershipOf,
  poorReport,
  serversOf,
  versionOf,
} from '../support/facts.ts';
import { walk } from '../support/walk.ts';

const small = { mode: 'write', required: 2, total: 3 } as const;
const done = 'servermapUpdate.done';
const verifying = 'servermapUpdate.collecting.verifying';

/** Every way from `verifying`, or from a state around it, straight to `done`. */
function waysOut(machine: typeof servermapUpdateMachine): readonly string[] {
  return nodesOf(machine.root as never)
    .filter(({ id }) => verifying === id || verifying.startsWith(`${id}.`))
    .flatMap(definitionsOf)
    .filter((definition) => targetsOf(definition).includes(done))
    .map(({ source }) => source.id);
}

describe('rule 1, by structure', () => {
  test('in the shipped chart no transition leads from verifying to done', () => {
    expect(waysOut(servermapUpdateMachine)).toEqual([]);
  });

  test('done is reached from awaiting, by one transition', () => {
    const ways = nodesOf(servermapUpdateMachine.root as never)
      .flatMap(definitionsOf)
      .filter((definition) => targetsOf(definition).includes(done));
    expect(ways.map(({ source, eventType }) => [source.id, eventType])).toEqual([
      ['servermapUpdate.collecting.awaiting', ''],
    ]);
  });

  test('the historic chart has exactly one more transition, and it is that one', () => {
    const shipped = chartLines(servermapUpdateMachine);
    const more = chartLines(historicUpdateMachine).filter((line) => !shipped.includes(line));
    expect(more).toEqual([`${verifying}: always [isOver] -> ${done}`]);
    expect(chartLines(historicUpdateMachine)).toHaveLength(shipped.length + 1);
    expect(waysOut(historicUpdateMachine)).toEqual([verifying]);
  });

  test('ours is the shipped chart', () => {
    expect(updateMachineFor('ours')).toBe(servermapUpdateMachine);
  });

  test.each(['ticket', 'fix2015'] as const)('%s is the historic one, under it', (rule) => {
    const machine = updateMachineFor(rule);
    expect(chartLines(machine)).toEqual(chartLines(historicUpdateMachine));
    const grid = { ...small, servers: serversOf(2), membership: membershipOf(2) } as const;
    const its = walk(machine, { ...grid, wantsPrivateKey: false, deadlines }).context();
    const input = { ...grid, wantsPrivateKey: false, rule, deadlines };
    expect(its).toEqual(walk(historicUpdateMachine, input).context());
  });
});

describe('the historic rules', () => {
  const coverage = chartCoverage(historicUpdateMachine);
  const version = versionOf(1);
  const good = (n: number) => [
    serverAnswered(`s${n}`, [n]),
    serverSettled(goodReport(`s${n}`, [n], version)),
  ];
  const empty = (n: number) => serverSettled(poorReport(`s${n}`, 'empty'));

  function holdersOf(rule: Rule, events: readonly object[]) {
    const grid = { ...small, servers: serversOf(5), membership: membershipOf(5) } as const;
    const input = { ...grid, rule, wantsPrivateKey: false, deadlines };
    const it =
      rule === 'ours'
        ? walk(servermapUpdateMachine, input)
        : walk(historicUpdateMachine, input, coverage.onMicrostep);
    for (const event of events) it.step(event as never);
    return it.state() === 'done' ? it.output().holdings.map(({ server }) => server) : it.state();
  }

  test("the ticket: done while s2's share is being verified; it is missing from the map", () => {
    const events = [...good(0), ...good(1), serverAnswered('s2', [2]), empty(3), empty(4)];
    expect(holdersOf('ticket', events)).toEqual(['s0', 's1']);
    expect(holdersOf('fix2015', events)).toBe('collecting.verifying');
    expect(holdersOf('ours', events)).toBe('collecting.verifying');
  });

  test('since 2015: done while a share right of the boundary is being verified', () => {
    const events = [...good(0), ...good(1), serverAnswered('s4', [2]), empty(2), empty(3)];
    expect(holdersOf('ticket', events)).toEqual(['s0', 's1']);
    expect(holdersOf('fix2015', events)).toEqual(['s0', 's1']);
    expect(holdersOf('ours', events)).toBe('collecting.verifying');
  });

  test.each(['ticket', 'fix2015', 'ours'] as const)(
    '%s: ends all the same once nothing is being verified, and can be cancelled',
    (rule) => {
      const both = [serverAnswered('s0', [0]), serverAnswered('s1', [1])];
      const settled = [...good(0).slice(1), ...good(1).slice(1), empty(2)];
      expect(holdersOf(rule, [...both, ...settled])).toBe('collecting.awaiting');
      expect(holdersOf(rule, [...both, ...settled, empty(3)])).toEqual(['s0', 's1']);
      expect(holdersOf(rule, [...both, operationCancel()])).toBe('cancelled');
    },
  );

  test('every state and every transition was taken, the added one too', () => {
    expect(coverage.missing()).toEqual([]);
  });
});
