/** What the page says about refused transitions, held to what XState really asked. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyStateMachine, createActor, raise, StateMachine, setup } from 'xstate';
import * as machines from '../../machines/index.ts';
import { type Chart, chartOf, initialState } from '../../src/inspector/chart.ts';
import { type ChartRecord, createRecorder } from '../../src/runtime/trace.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import { askedIn, isEventless, refusedAtRest } from '../../visualizer/src/model/refused.ts';

/** `isNext publish: false` */
type Evaluation = string;

/** The historic update is a variant of `servermapUpdate`, and shares its guards. */
const shipped = (Object.values(machines) as readonly unknown[]).filter(
  (value): value is AnyStateMachine =>
    value instanceof StateMachine && value !== machines.historicUpdateMachine,
);

/** A random world has no immutable file. */
const ofMutableFiles = shipped
  .map(({ id }) => id)
  .filter((id) => id !== 'downloadFile' && id !== 'verifyImmutable');

describe('what was refused, told from the chart and the trace alone, is what XState refused', () => {
  /** By chart: one chart never works inside a step of another actor of the same chart. */
  const evaluated = new Map<string, Evaluation[]>();
  const seen = new Set<string>();
  const charts = new Map(shipped.map((machine) => [machine.id, chartOf(machine)]));
  let restore: readonly (() => void)[] = [];
  beforeAll(() => {
    restore = shipped.map((machine) =>
      listenToGuards(machine, (guard) => {
        evaluated.set(machine.id, [...(evaluated.get(machine.id) ?? []), guard]);
      }),
    );
  });
  afterAll(() => {
    for (const undo of restore) undo();
  });

  test.each([17, 20])('in the world of seed %i', async (seed) => {
    evaluated.clear();
    const { world } = await simulate(seed);
    const told = guardsToldBy(world.trace as readonly ChartRecord[], charts);
    for (const chart of evaluated.keys()) seen.add(chart);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(evaluated));
  });

  test('and every chart of mutable files was in these worlds', () => {
    expect([...seen].sort()).toEqual(ofMutableFiles.sort());
  });
});

test('it holds for a machine of somebody else: nested, wild, raised, at the beginning', () => {
  const machine = setup({
    types: { context: {} as { n: number }, events: {} as { type: string } },
    guards: {
      never: () => false,
      isTwo: ({ context }) => context.n === 2,
      always: () => true,
    },
    actions: { raiseIt: raise({ type: 'inner.raised' }) },
  }).createMachine({
    id: 'embedded',
    context: { n: 1 },
    initial: 'first',
    on: {
      'order.*': [
        { guard: 'never', target: '.last' },
        { guard: 'always', actions: 'raiseIt' },
      ],
      '*': { guard: 'never', target: '.last' },
    },
    states: {
      first: {
        always: [
          { guard: 'isTwo', target: 'last' },
          { guard: 'always', target: 'outer' },
        ],
      },
      outer: {
        initial: 'inner',
        always: { guard: 'isTwo', target: 'last' },
        on: { 'order.paid': { guard: 'never', target: 'last' }, end: 'last' },
        states: {
          inner: {
            on: { 'order.paid': [{ guard: 'never' }, { guard: 'isTwo' }], '*': { guard: 'never' } },
          },
        },
      },
      last: { type: 'final' },
    },
  });
  const evaluated: Evaluation[] = [];
  const undo = listenToGuards(machine, (guard) => evaluated.push(guard));
  const records: ChartRecord[] = [];
  const inspect = createRecorder({ write: (record) => records.push(record) });
  const actor = createActor(machine, { id: 'embedded', inspect }).start();
  for (const type of ['order.paid', 'unknown', 'order.sent.off', 'end']) actor.send({ type });
  undo();
  const told = guardsToldBy(records, new Map([['embedded', chartOf(machine)]]));
  expect(told.get('embedded')).toEqual(evaluated);
  expect(evaluated.slice(0, 11)).toEqual([
    ...['isTwo: false', 'always: true', 'isTwo: false'],
    // Inside first, the longer name before the shorter one.
    ...['never: false', 'isTwo: false', 'never: false', 'never: false', 'never: false'],
    ...['always: true', 'isTwo: false', 'never: false'],
  ]);
});

test('regions are asked one by one, and what is around them when none of them moved', () => {
  const machine = setup({
    types: { events: {} as { type: string } },
    guards: { up: () => false, down: () => true, spare: () => true, around: () => false },
  }).createMachine({
    id: 'radio',
    type: 'parallel',
    on: { GO: { guard: 'around', actions: () => {} }, STAY: { guard: 'around' } },
    states: {
      up: {
        initial: 'idle',
        states: { idle: { on: { GO: { guard: 'up', target: 'busy' } } }, busy: {} },
      },
      down: {
        initial: 'busy',
        states: {
          busy: {
            on: {
              GO: [
                { guard: 'down', target: 'idle' },
                { guard: 'spare', target: 'idle' },
              ],
              STAY: { guard: 'up' },
            },
          },
          idle: {},
        },
      },
    },
  });
  const evaluated: Evaluation[] = [];
  const undo = listenToGuards(machine, (guard) => evaluated.push(guard));
  const records: ChartRecord[] = [];
  const inspect = createRecorder({ write: (record) => records.push(record) });
  const actor = createActor(machine, { id: 'radio', inspect }).start();
  for (const type of ['STAY', 'GO', 'GO']) actor.send({ type });
  undo();
  const steps = records.filter((record) => record.kind === 'step');
  expect(steps.map(({ state }) => state)).toEqual([
    ...['up.idle & down.busy', 'up.idle & down.busy'],
    ...['up.idle & down.idle', 'up.idle & down.idle'],
  ]);
  const chart = chartOf(machine);
  expect(initialState(chart)).toBe('up.idle & down.busy');
  expect(guardsToldBy(records, new Map([['radio', chart]])).get('radio')).toEqual(evaluated);
  expect(evaluated).toEqual([
    ...['up: false', 'around: false'],
    ...['up: false', 'down: true'],
    ...['up: false', 'around: false'],
  ]);
  const go = steps[2]!;
  expect(
    askedIn(chart, 'up.idle & down.busy', go)?.map(
      ({ transition, verdict }) => `${transition.guard} ${verdict}`,
    ),
  ).toEqual(['up refused', 'down taken', 'spare unasked', 'around unasked']);
});

test('of a step that the chart does not have, nothing is told', () => {
  const chart = chartOf(machines.servermapUpdateMachine as unknown as AnyStateMachine);
  const taken = { source: 'nowhere', event: 'server.answered', index: 0, target: null };
  const step = { event: 'server.answered', transitions: [taken] };
  expect(askedIn(chart, 'collecting.awaiting', step)).toBeNull();
  expect(askedIn(chart, 'constructor', { event: '__proto__', transitions: [] })).toEqual([]);
});

test('after its end a chart asks nothing', () => {
  const chart = chartOf(machines.servermapUpdateMachine as unknown as AnyStateMachine);
  expect(refusedAtRest(chart, 'done')).toEqual([]);
  expect(refusedAtRest(chart, 'collecting.awaiting').map(({ guard }) => guard)).toEqual(['isOver']);
  expect(refusedAtRest(chart, 'collecting.verifying')).toEqual([]);
  expect(initialState(chart)).toBe('collecting.awaiting');
});

// --- what really was asked, and what is told ------------------------------------------------------

/** Tells every guard of `machine` that is evaluated, and what it said. Returns what undoes it. */
function listenToGuards(machine: AnyStateMachine, hear: (guard: Evaluation) => void): () => void {
  const guards = machine.implementations.guards as Record<string, unknown>;
  const before = { ...guards };
  for (const [name, guard] of Object.entries(before)) {
    guards[name] = (args: unknown, params: unknown) => {
      const result = (guard as (a: unknown, p: unknown) => boolean)(args, params);
      hear(`${name}${typeof params === 'string' ? ` ${params}` : ''}: ${result}`);
      return result;
    };
  }
  return () => void Object.assign(guards, before);
}

/** The same, from charts and a trace; by chart. */
function guardsToldBy(
  trace: readonly ChartRecord[],
  charts: ReadonlyMap<string, Chart>,
): Map<string, Evaluation[]> {
  const told = new Map<string, Evaluation[]>();
  const steps = trace.filter((record) => record.kind === 'step');
  const states = new Map<string, string>();
  const later = new Map<string, (typeof steps)[number]>();
  const nexts = steps.map(() => later.get(''));
  for (const [i, step] of [...steps.entries()].reverse()) {
    nexts[i] = later.get(step.actor);
    later.set(step.actor, step);
  }
  for (const [i, step] of steps.entries()) {
    const { actor, chart: name, state } = step;
    const chart = charts.get(name) as Chart;
    const list = told.get(name) ?? [];
    told.set(name, list);
    const asked = askedIn(chart, states.get(actor) ?? initialState(chart), step);
    expect(asked, JSON.stringify(step)).not.toBeNull();
    for (const { transition, verdict } of asked ?? []) {
      if (verdict === 'unasked' || transition.guard === '') continue;
      list.push(`${transition.guard}: ${verdict === 'taken'}`);
    }
    states.set(actor, state);
    const next = nexts[i];
    if (next !== undefined && isEventless(next)) continue;
    list.push(...refusedAtRest(chart, state).map(({ guard }) => `${guard}: false`));
  }
  return told;
}
