/**
 * @module unwire: messages of `@xstate/inspect`, as its receiver has parsed them, back to records.
 */
import type { ParsedReceiverEvent } from '@xstate/inspect';
import type { Chart } from '../../src/inspector/chart.ts';
import type { RunAbout } from '../../src/inspector/wire.ts';
import { stateText } from '../../src/runtime/state-text.ts';
import type { Json, TakenTransition } from '../../src/runtime/trace.ts';
import type { TraceRecord } from '../../src/simulation/world-types.ts';

/** The fields that ride along. */
export type Received = ParsedReceiverEvent & {
  readonly seq: number;
  readonly at: number;
  readonly input?: Json;
  readonly chart?: Chart;
  readonly kind?: string;
  readonly status?: string;
  readonly output?: Json;
  /** Only in the first message, which has no record in it. */
  readonly run?: RunAbout;
};

/**
 * Makes records of the messages of one run, one after the other.
 * @returns of any that is no {@link RunAbout}; what is no message of ours comes out as no record
 */
export function createUnwire(): (event: Received) => TraceRecord {
  const charts = new Map<string, string>();
  return (event) => {
    const { seq, at } = event;
    return { ...fieldsOf(event, charts), seq, at, step: 0 } as TraceRecord;
  };
}

function fieldsOf(event: Received, charts: Map<string, string>): object {
  const { sessionId: actor } = event;
  switch (event.type) {
    case 'service.register': {
      if (event.chart !== undefined) return { kind: 'chart', chart: event.chart };
      const { id: chart } = event.machine;
      charts.set(actor, chart);
      const { parent = null, input = null } = event;
      return { kind: 'actor', actor, chart, parent, input };
    }
    case 'service.state':
      return stepOf(actor, charts.get(actor) ?? '', event.state);
    case 'service.event': {
      const { name: type, data, origin = null } = event.event;
      if (event.kind !== undefined) return { ...data.data, kind: event.kind };
      return { kind: 'event', actor, source: origin, type, data: data.data };
    }
    case 'service.stop': {
      const chart = charts.get(actor) ?? '';
      charts.delete(actor);
      const { status = 'stopped', output = null } = event;
      return { kind: 'end', actor, chart, status, output };
    }
  }
}

type State = Extract<ParsedReceiverEvent, { type: 'service.state' }>['state'];

interface WireTransition {
  readonly source: string;
  readonly eventType: string;
  readonly index: number;
  readonly target?: readonly string[];
}

function stepOf(actor: string, chart: string, state: State): object {
  const transitions = (state.transitions as unknown as readonly WireTransition[]).map(
    ({ source, eventType: event, index, target }): TakenTransition => {
      return { source, event, index, target: target?.[0] ?? null };
    },
  );
  const { value, context } = state;
  const { name: event } = state._event;
  return { kind: 'step', actor, chart, event, state: stateText(value), transitions, context };
}
