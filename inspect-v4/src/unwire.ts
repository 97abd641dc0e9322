/**
 * @module unwire: messages of `@xstate/inspect`, as its receiver has parsed them, back to records.
 *
 * A chart is registered with its first state only, so records are handed on when all those before
 * them are there. The receiver says nothing of what it could not parse: a number that never comes is
 * how that shows.
 */
import type { ParsedReceiverEvent } from '@xstate/inspect';
import type { ChartRecord, Json, TakenTransition } from '../../src/runtime/trace.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';

export interface UnwireListener {
  readonly onRecords: (records: readonly TraceRecord[]) => void;
  /** Numbers from `expected` up to `found` (exclusive) will not come. */
  readonly onGap: (expected: number, found: number) => void;
}

interface Stamp {
  readonly seq: number;
  readonly at: number;
}

/** The fields that ride along. */
type Received = ParsedReceiverEvent &
  Stamp & {
    readonly made?: Stamp;
    readonly input?: Json;
    readonly status?: string;
    readonly output?: Json;
    /** The records from `seq` up to here are gone. */
    readonly until?: number;
  };

/** As many may wait for an earlier one before that counts as lost. */
const waitingMax = 2000;

export function createUnwire(listener: UnwireListener): (event: Received) => void {
  const waiting = new Map<number, TraceRecord>();
  const charts = new Map<string, string>();
  const gone = new Map<number, number>();
  let next = 0;
  const skip = (found: number) => {
    listener.onGap(next, found);
    next = found;
    flush();
  };
  const flush = () => {
    const ready: TraceRecord[] = [];
    for (let record = waiting.get(next); record !== undefined; record = waiting.get(next)) {
      waiting.delete(next++);
      ready.push(record);
    }
    if (ready.length > 0) listener.onRecords(ready);
    const until = gone.get(next);
    if (until !== undefined) skip(until);
  };
  return (event) => {
    if (event.until !== undefined) gone.set(event.seq, event.until);
    else for (const record of recordsOf(event, charts)) waiting.set(record.seq, record);
    flush();
    if (waiting.size > waitingMax) skip(Math.min(...waiting.keys()));
  };
}

function recordsOf(event: Received, charts: Map<string, string>): readonly TraceRecord[] {
  const { sessionId: actor, seq, at } = event;
  const stamped = (record: ChartRecord, stamp: Stamp = { seq, at }): TraceRecord => {
    const { seq: number, at: time } = stamp;
    return { ...record, seq: number, at: time, step: 0 };
  };
  const chart = charts.get(actor) ?? '';
  switch (event.type) {
    case 'service.register': {
      const { id } = event.machine;
      charts.set(actor, id);
      const parent = event.parent ?? null;
      return [
        stamped(
          { kind: 'actor', actor, chart: id, parent, input: event.input ?? null },
          event.made,
        ),
        stamped(stepOf(actor, id, event.state)),
      ];
    }
    case 'service.state':
      return [stamped(stepOf(actor, chart, event.state))];
    case 'service.event': {
      const { name: type, data, origin } = event.event;
      const source = (origin as string | undefined) ?? null;
      return [stamped({ kind: 'event', actor, source, type, data: data.data as Json })];
    }
    case 'service.stop': {
      const status = (event.status ?? 'stopped') as 'done' | 'stopped' | 'error';
      return [stamped({ kind: 'end', actor, chart, status, output: event.output ?? null })];
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

function stepOf(actor: string, chart: string, state: State): ChartRecord {
  const transitions = (state.transitions as unknown as readonly WireTransition[]).map(
    ({ source, eventType: event, index, target }): TakenTransition => {
      return { source, event, index, target: target?.[0] ?? null };
    },
  );
  const { value, context } = state;
  const { name: event } = state._event;
  return { kind: 'step', actor, chart, event, state: dotted(value), transitions, context };
}

function dotted(value: unknown): string {
  if (typeof value === 'string') return value;
  const [entry] = Object.entries(value as object);
  return entry === undefined ? '' : `${entry[0]}.${dotted(entry[1])}`;
}
