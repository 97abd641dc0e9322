/**
 * @module wire: a run of charts as `@xstate/inspect` 0.8 tells it, to receivers that know XState 4.
 *
 * Five kinds of message carry everything; what that protocol has no word for (`seq`, `at`, how a
 * chart ended) rides along in additional fields, which receivers keep. A chart is registered with
 * its first state, since XState 4 knows no chart without one; so messages are not in the order of
 * `seq`, and who needs that order sorts. No run-time import of either XState.
 */

import type { ChartRecord, Json, TakenTransition } from '../runtime/trace.ts';
import { type Chart, type ChartState, statesIn } from './chart.ts';

/** A record as a live run has it; the milliseconds count from the beginning of the recording. */
export type LiveRecord = ChartRecord & { readonly seq: number; readonly at: number };

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
        /** When the actor was made; `seq` and `at` are of its first step. */
        readonly made: Stamp;
        readonly input: Json;
      }
    | { readonly type: 'service.state'; readonly state: string }
    | { readonly type: 'service.event'; readonly event: string }
    | {
        readonly type: 'service.stop';
        readonly status: string;
        readonly output: Json;
        /** No chart has stopped: the records from `seq` up to here (exclusive) are gone. */
        readonly until?: number;
      }
  );

/** Says that records are not kept any more; the nearest that the protocol has is a stop. */
export function goneMessage(seq: number, until: number): WireMessage {
  return { type: 'service.stop', sessionId: '', status: 'gone', output: null, seq, at: 0, until };
}

type RecordOf<Kind extends LiveRecord['kind']> = Extract<LiveRecord, { kind: Kind }>;

/**
 * Puts records into messages, one after the other.
 * @param chartOf the picture of a chart by its id
 */
export function createWire(
  chartOf: (id: string) => Chart | undefined,
): (record: LiveRecord) => readonly WireMessage[] {
  const made = new Map<string, RecordOf<'actor'>>();
  const step = (record: RecordOf<'step'>): WireMessage => {
    const { actor, chart, seq, at } = record;
    const state = JSON.stringify(stateOf(record));
    const actorRecord = made.get(actor);
    if (actorRecord === undefined)
      return { type: 'service.state', sessionId: actor, state, seq, at };
    made.delete(actor);
    const { parent, input } = actorRecord;
    return {
      ...{ type: 'service.register', sessionId: actor, id: actor, state, seq, at },
      ...(parent !== null && { parent }),
      machine: JSON.stringify(machineOf(chart, chartOf(chart))),
      made: { seq: actorRecord.seq, at: actorRecord.at },
      input,
    };
  };
  return (record) => {
    const { actor: sessionId, seq, at } = record;
    switch (record.kind) {
      case 'actor':
        made.set(sessionId, record);
        return [];
      case 'step':
        return [step(record)];
      case 'event': {
        const { type: name, source, data } = record;
        const event = { name, data: { type: name, data }, $$type: 'scxml', type: 'external' };
        const json = JSON.stringify({ ...event, origin: source ?? undefined });
        return [{ type: 'service.event', sessionId, event: json, seq, at }];
      }
      case 'end': {
        const { status, output } = record;
        made.delete(sessionId);
        return [{ type: 'service.stop', sessionId, status, output, seq, at }];
      }
    }
  };
}

/** What `State.create` of XState 4 reads. */
function stateOf({ actor, event, state, transitions, context }: RecordOf<'step'>) {
  return {
    value: nestedValue(state),
    context,
    _event: { name: event, data: { type: event }, $$type: 'scxml', type: 'external' },
    _sessionid: actor,
    event: { type: event },
    transitions: transitions.map(transitionOf),
    ...{ configuration: [], children: {}, actions: [], tags: [], done: false },
  };
}

/** `index` is not XState 4's: several alternatives of one event look the same without it. */
function transitionOf({ source, event, index, target }: TakenTransition) {
  return { source, eventType: event, index, target: target === null ? undefined : [target] };
}

/** `collecting.awaiting` as `{ collecting: 'awaiting' }`. */
function nestedValue(state: string): Json {
  const [first = '', ...rest] = state.split('.');
  return rest.length === 0 ? first : { [first]: nestedValue(rest.join('.')) };
}

/** An XState 4 config that can be drawn; its guards are names, so it can not be stepped. */
function machineOf(id: string, chart: Chart | undefined): Json {
  if (chart === undefined) return { id, predictableActionArguments: true };
  return { id, ...configOf(id, chart, chart.root), predictableActionArguments: true };
}

function configOf(id: string, chart: Chart, state: ChartState): { [key: string]: Json } {
  const own = chart.transitions.filter(({ source }) => source === state.path);
  const on: { [event: string]: Json[] } = {};
  const always: Json[] = [];
  for (const { id: name, target, guard } of own) {
    const event = name.split('|')[1] ?? '';
    const config = {
      ...(target !== null && { target: `#${id}.${target}` }),
      ...(guard !== '' && { cond: guard }),
    };
    if (event === '') always.push(config);
    else on[event] = [...(on[event] ?? []), config];
  }
  const [, ...inside] = statesIn(state);
  const initial = inside.find(({ path }) => path === state.initial)?.key;
  const states = state.states.map((child) => [child.key, configOf(id, chart, child)]);
  return {
    ...(state.description !== '' && { description: state.description }),
    ...(state.kind === 'final' && { type: 'final' }),
    ...(initial !== undefined && { initial }),
    ...(states.length > 0 && { states: Object.fromEntries(states) }),
    ...(Object.keys(on).length > 0 && { on }),
    ...(always.length > 0 && { always }),
  };
}
