import { describe, expect, test } from 'vitest';
import { operationCancel, serverAnswered, serverSettled } from '../../machines/events.ts';
import {
  type ServermapUpdateInput,
  servermapUpdateMachine,
  servermapUpdateSummary,
} from '../../machines/servermap-update.machine.ts';
import { toServermap } from '../../machines/update-kernel.ts';
import { chartCoverage } from '../support/coverage.ts';
import {
  deadlines,
  goodReport,
  membershipOf,
  poorReport,
  recordOf,
  serversOf,
  versionOf,
} from '../support/facts.ts';
import { type Walk, walk } from '../support/walk.ts';

type Machine = typeof servermapUpdateMachine;

const coverage = chartCoverage(servermapUpdateMachine);
const v1 = versionOf(1);

/** k = 2, N = 3. */
function start(count: number, more: Partial<ServermapUpdateInput> = {}): Walk<Machine> {
  const grid = { servers: serversOf(count), required: 2, total: 3 };
  const membership = membershipOf(count);
  const input = {
    mode: 'write',
    ...grid,
    membership,
    wantsPrivateKey: false,
    deadlines,
    ...more,
  } as const;
  return walk(servermapUpdateMachine, input, coverage.onMicrostep);
}

const answers = (server: string) => serverAnswered(server, [Number(server.slice(1))]);
const isGood = (server: string) => serverSettled(goodReport(server, [Number(server.slice(1))], v1));
const isEmpty = (server: string) => serverSettled(poorReport(server, 'empty'));
const unreachable = { kind: 'unreachable', detail: 'no route' } as const;
const isFailed = (server: string) => serverSettled(poorReport(server, 'failed', [], unreachable));

const query = (server: string) =>
  `start query:${server} {"server":"${server}","wantsPrivateKey":false,"wantsNumbers":true}`;
const tells = (event: object) => `emit ${JSON.stringify(event)}`;

/** The state after all these. */
const stateAfter = (it: Walk<Machine>, ...events: readonly object[]) =>
  events.reduce<Walk<Machine>>((w, event) => w.step(event as never), it).state();

const awaiting = 'collecting.awaiting';
const verifying = 'collecting.verifying';

describe('collecting', () => {
  test('begins by asking the first N + k servers, in permuted order', () => {
    const it = start(7);
    expect(it.state()).toBe(awaiting);
    expect(it.log()).toEqual(['s0', 's1', 's2', 's3', 's4'].map(query));
  });

  test('begins with books in which everybody asked is open, under our rule, nothing marked', () => {
    expect(start(2).context()).toEqual({
      record: recordOf(serversOf(2), { statuses: ['asked', 'asked'] }),
      deadlines,
    });
  });

  test('hands on what children need to know', () => {
    const it = start(1, { wantsPrivateKey: true });
    expect(it.log()).toEqual([
      'start query:s0 {"server":"s0","wantsPrivateKey":true,"wantsNumbers":true}',
    ]);
  });

  test.each<[ServermapUpdateInput['mode'], boolean]>([
    ['anything', false],
    ['read', false],
    ['write', true],
    ['check', true],
    ['repair', true],
  ])('has share numbers proven where somebody builds on the map: %s, %j', (mode, wantsNumbers) => {
    const input = { server: 's0', wantsPrivateKey: false, wantsNumbers };
    expect(start(1, { mode }).log()).toEqual([`start query:s0 ${JSON.stringify(input)}`]);
  });

  test('is over at once on a grid without servers', () => {
    const it = start(0);
    expect([it.state(), it.output().outcome]).toEqual(['done', 'exhausted']);
  });

  test('stops a child that has reported, tells its caller, and asks on', () => {
    const it = start(7).step(isEmpty('s1'));
    expect(it.state()).toBe(awaiting);
    expect(it.log()).toEqual(['stop query:s1', tells(isEmpty('s1')), query('s5')]);
  });

  test('an answer with shares is being verified; a second one is too', () => {
    const it = start(3).step(answers('s1'));
    expect(it.state()).toBe(verifying);
    expect(it.log()).toEqual([]);
    it.step(answers('s0'));
    expect(it.state()).toBe(verifying);
    it.step(isGood('s1'));
    expect(it.state()).toBe(verifying);
    expect(it.log()).toEqual(['stop query:s1', tells(isGood('s1'))]);
    it.step(isGood('s0'));
    expect(it.state()).toBe(awaiting);
  });

  test('asks on while verifying, too', () => {
    const it = start(9).step(answers('s0')).step(isFailed('s3'));
    expect(it.state()).toBe(verifying);
    expect(it.log()).toEqual(['stop query:s3', tells(isFailed('s3')), query('s5')]);
  });

  test('and with the last verification', () => {
    const it = start(9).step(answers('s0')).step(isGood('s0'));
    expect(it.state()).toBe(awaiting);
    expect(it.log()).toEqual(['stop query:s0', tells(isGood('s0')), query('s5')]);
  });
});

describe('rule 1: done cannot fire while a verification is in flight', () => {
  test("the ticket's order of deliveries: s2 has answered and is not judged", () => {
    const it = start(5);
    const deliveries = [
      ...[answers('s0'), isGood('s0'), answers('s1'), isGood('s1')],
      ...[answers('s2'), isEmpty('s3'), isEmpty('s4')],
    ];
    expect(stateAfter(it, ...deliveries)).toBe(verifying);
    it.step(isGood('s2'));
    expect(it.state()).toBe('done');
    expect(it.output().holdings.map(({ shnum }) => shnum)).toEqual([0, 1, 2]);
  });

  test('nor right of the boundary', () => {
    const it = start(5);
    const deliveries = [
      ...[answers('s0'), isGood('s0'), answers('s1'), isGood('s1')],
      ...[answers('s4'), isEmpty('s2'), isEmpty('s3')],
    ];
    expect(stateAfter(it, ...deliveries)).toBe(verifying);
    it.step(isGood('s4'));
    expect([it.state(), it.output().outcome]).toEqual(['done', 'enough']);
  });

  test.each(['ticket', 'fix2015'] as const)(
    'even if the kernel is told to decide by the %s rule: the transition is not there',
    (rule) => {
      const deliveries = [
        ...[answers('s0'), isGood('s0'), answers('s1'), isGood('s1')],
        ...[answers('s4'), isEmpty('s2'), isEmpty('s3')],
      ];
      expect(stateAfter(start(5, { rule }), ...deliveries)).toBe(verifying);
    },
  );

  test('queries not yet answered right of the boundary are cancelled', () => {
    const it = start(5);
    const deliveries = [answers('s0'), isGood('s0'), answers('s1'), isGood('s1'), isEmpty('s2')];
    expect(stateAfter(it, ...deliveries, isEmpty('s3'))).toBe('done');
    expect(it.log()).toEqual(['stop query:s3', tells(isEmpty('s3')), 'stop query:s4']);
    expect(it.output().servers.map(({ status }) => status)).toEqual([
      ...['good', 'good', 'empty', 'empty', 'asked'],
    ]);
  });
});

describe('done', () => {
  test('with the map of what was reported', () => {
    const it = start(2).step(answers('s0')).step(isGood('s0')).step(isFailed('s1'));
    expect(it.state()).toBe('done');
    expect(it.output()).toEqual({
      mode: 'write',
      outcome: 'exhausted',
      servers: [
        { id: 's0', status: 'good', failure: null },
        { id: 's1', status: 'failed', failure: unreachable },
      ],
      holdings: goodReport('s0', [0], v1).holdings,
      versions: { [v1.id]: v1 },
      privateKey: 'unneeded',
    });
  });

  test('and without the private key it says so', () => {
    const it = start(1, { mode: 'repair', wantsPrivateKey: true }).step(isEmpty('s0'));
    expect(it.output()).toMatchObject({ outcome: 'exhausted', privateKey: 'missing' });
  });
});

test('its summary tells where each server stands', () => {
  const it = start(2).step(answers('s0'));
  expect(servermapUpdateSummary(it.context())).toEqual({
    mode: 'write',
    rule: 'ours',
    required: 2,
    total: 3,
    privateKey: 'unneeded',
    statuses: { s0: 'verifying', s1: 'asked' },
  });
});

describe('cancel', () => {
  test.each([
    [awaiting, []],
    [verifying, [answers('s0')]],
  ])('in %s ends it, and every query with it', (state, events) => {
    const it = start(2);
    expect(stateAfter(it, ...events)).toBe(state);
    it.step(operationCancel());
    expect([it.state(), it.output().outcome]).toEqual(['cancelled', 'cancelled']);
    expect(it.log()).toEqual(['stop query:s0', 'stop query:s1']);
  });
});

describe('what does not belong changes nothing', () => {
  const unwelcome = [answers('stranger'), isGood('stranger'), answers('s0'), isGood('s0')];

  test.each([
    [awaiting, start(7).step(isEmpty('s0'))],
    [verifying, start(7).step(isEmpty('s0')).step(answers('s1')).step(answers('s2'))],
  ])('in %s', (state, it) => {
    const { context } = it.snapshot();
    for (const event of unwelcome) {
      it.step(event);
      expect([it.state(), it.context(), it.log()]).toEqual([state, context, []]);
    }
  });

  test.each([
    ['done', 'exhausted', start(1).step(isEmpty('s0'))],
    ['cancelled', 'cancelled', start(1).step(operationCancel())],
  ] as const)('in %s: the map is frozen', (state, outcome, it) => {
    const output = JSON.stringify(it.output());
    for (const event of [answers('s0'), isGood('s0'), operationCancel()]) {
      it.step(event);
      expect([it.state(), JSON.stringify(it.output())]).toEqual([state, output]);
    }
    expect(it.output()).toEqual(toServermap(it.context().record, outcome));
  });
});

test('every state and every transition was taken', () => {
  expect(coverage.missing()).toEqual([]);
});
