/**
 * @module wire: a run as `@xstate/inspect` 0.8 tells it, to receivers that know XState 4. One
 * message per record, in their order.
 *
 * Its four kinds of message carry everything; what that protocol has no word for (`seq`, `at`, how
 * a chart ended) rides along in additional fields, which receivers keep. The machine of a chart is
 * sent once, with its picture; the actors that run it are registered under its id, in the state
 * that it begins in: whole machines for every actor would be a third of all that is sent. What no
 * chart does (operations, storage calls, grids) is an event of the operation that it belongs to.
 * No run-time import of either XState.
 */
import { stateValue } from '../runtime/state-text.ts';
import type { Json, TakenTransition } from '../runtime/trace.ts';
import type { TraceRecord } from '../simulation/world-types.ts';
import { type Chart, type ChartState, initialState, statesIn } from './chart.ts';
import { operationOf } from './operation-records.ts';

interface Stamp {
  readonly seq: number;
  readonly at: number;
}

/** What goes over the socket; a `ReceiverEvent` of `@xstate/inspect` with more fields. */
export type WireMessage = { readonly sessionId: string } & Stamp &
  (
    | {
        readonly type: 'service.register';
        /** JSON of an XState 4 machine config. */
        readonly machine: string;
        /** JSON of an XState 4 state. */
        readonly state: string;
        readonly id: string;
        readonly parent?: string;
        readonly input: Json;
        /** No actor: what the machine looks like, here, is a record. */
        readonly chart?: Chart;
      }
    | { readonly type: 'service.state'; readonly state: string }
    | {
        readonly type: 'service.event';
        readonly event: string;
        /** No event of a chart: `event.data.data` is a record of this kind. */
        readonly kind?: TraceRecord['kind'];
      }
    | { readonly type: 'service.stop'; readonly status: string; readonly output: Json }
  );

/** The first message to each who joins: whose run it is, and what is kept of it. */
export interface Hello {
  readonly type: 'service.event';
  readonly sessionId: '';
  readonly event: string;
  readonly run: RunAbout;
}

export interface RunAbout {
  /** Tells it from the run of another process at the same address. */
  readonly id: string;
  /** At most so many records are kept for who joins late. */
  readonly keep: number;
  /** Of the next record: who joins has those before it to catch up with. */
  readonly next: number;
  /** What is not kept any more. */
  readonly gone: { readonly records: number; readonly operations: number };
}

export function helloOf(run: RunAbout): Hello {
  return { type: 'service.event', sessionId: '', event: scxml('run', null), run };
}

type RecordOf<Kind extends TraceRecord['kind']> = Extract<TraceRecord, { kind: Kind }>;

/** Puts the records of one run into messages, one after the other. */
export function createWire(): (record: TraceRecord) => WireMessage {
  const charts = new Map<string, Chart>();
  return (record) => {
    const { seq, at } = record;
    switch (record.kind) {
      case 'chart': {
        const { chart } = record;
        charts.set(chart.id, chart);
        const machine = JSON.stringify(machineOf(chart));
        const state = initialJson(`chart/${chart.id}`, chart);
        return {
          ...registration(`chart/${chart.id}`, state),
          machine,
          input: null,
          chart,
          seq,
          at,
        };
      }
      case 'actor': {
        const { actor, chart, parent, input } = record;
        const machine = JSON.stringify({ id: chart, ...quiet });
        const above = parent === null ? {} : { parent };
        const state = initialJson(actor, charts.get(chart));
        return { ...registration(actor, state), ...above, machine, input, seq, at };
      }
      case 'step': {
        const { actor: sessionId, event, state, transitions, context } = record;
        const json = stateJson(sessionId, event, state, transitions, context);
        return { type: 'service.state', sessionId, state: json, seq, at };
      }
      case 'event': {
        const { actor: sessionId, type, source, data } = record;
        return { type: 'service.event', sessionId, event: scxml(type, data, source), seq, at };
      }
      case 'end': {
        const { actor: sessionId, status, output } = record;
        return { type: 'service.stop', sessionId, status, output, seq, at };
      }
      default: {
        const { kind, seq: _seq, at: _at, step: _step, ...fields } = record;
        const event = scxml(kind, fields as Json);
        return {
          type: 'service.event',
          sessionId: operationOf(record) ?? '',
          event,
          kind,
          seq,
          at,
        };
      }
    }
  };
}

/** XState 4 warns where this is not said. */
const quiet = { predictableActionArguments: true };

function registration(id: string, state: string) {
  return { type: 'service.register', sessionId: id, id, state } as const;
}

function initialJson(actor: string, chart: Chart | undefined): string {
  const initial = chart === undefined ? '' : initialState(chart);
  return stateJson(actor, 'xstate.init', initial, [], null);
}

function scxml(name: string, data: Json, origin: string | null = null): string {
  const event = { name, data: { type: name, data }, $$type: 'scxml', type: 'external' };
  return JSON.stringify({ ...event, origin: origin ?? undefined });
}

/** What `State.create` of XState 4 does not fill in by itself. */
function stateJson(
  actor: string,
  event: string,
  state: string,
  transitions: RecordOf<'step'>['transitions'],
  context: Json,
): string {
  return JSON.stringify({
    value: stateValue(state),
    context,
    _event: { name: event, data: { type: event }, $$type: 'scxml', type: 'external' },
    _sessionid: actor,
    transitions: transitions.map(transitionOf),
    ...{ configuration: [], children: {} },
  });
}

/** `index` is not XState 4's: several alternatives of one event look the same without it. */
function transitionOf({ source, event, index, target }: TakenTransition) {
  return { source, eventType: event, index, target: target === null ? undefined : [target] };
}

/** An XState 4 config that can be drawn; its guards are names, so it can not be stepped. */
function machineOf(chart: Chart): Json {
  return { id: chart.id, ...configOf(chart, chart.root), ...quiet };
}

function configOf(chart: Chart, state: ChartState): { [key: string]: Json } {
  const own = chart.transitions.filter(({ source }) => source === state.path);
  const on = new Map<string, Json[]>();
  const always: Json[] = [];
  for (const { id: name, source, target, guard } of own) {
    const event = name.slice(source.length + 1, name.lastIndexOf('|'));
    const config = {
      ...(target !== null && { target: `#${target === '' ? chart.id : `${chart.id}.${target}`}` }),
      ...(guard !== '' && { cond: guard }),
    };
    if (event === '') always.push(config);
    else on.set(event, [...(on.get(event) ?? []), config]);
  }
  const [, ...inside] = statesIn(state);
  const initial = inside.find(({ path }) => path === state.initial)?.key;
  const states = state.states.map((child) => [child.key, configOf(chart, child)]);
  return {
    ...(state.description !== '' && { description: state.description }),
    ...((state.kind === 'final' || state.kind === 'parallel') && { type: state.kind }),
    ...(initial !== undefined && { initial }),
    ...(states.length > 0 && { states: Object.fromEntries(states) }),
    ...(on.size > 0 && { on: Object.fromEntries(on) }),
    ...(always.length > 0 && { always }),
  };
}
