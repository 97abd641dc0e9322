/**
 * @module moves: what an actor did, move by move: the event that set it off, the transitions that
 * were taken and refused, and what that left in its context. Derived from a trace and a chart.
 */
import { type Chart, type ChartTransition, initialState } from '../../../src/inspector/chart.ts';
import type { Json } from '../../../src/runtime/trace.ts';
import type { TraceRecord } from '../../../src/simulation/world-types.ts';
import { type Asked, askedIn, isEventless, refusedAtRest } from './refused.ts';
import type { Mark, TraceModel, Track } from './trace-model.ts';

type StepRecord = Extract<TraceRecord, { kind: 'step' }>;

/** An event, and all that the actor did before it heard the next one. */
export interface Move {
  /** Raw: `xstate.done.actor.writeShare`; `xstate.init` is its beginning. */
  readonly event: string;
  /** Null: the caller, the clock, or the actor itself. */
  readonly source: string | null;
  /** What came with the event; of its beginning, the input. */
  readonly data: Json;
  readonly from: string;
  readonly to: string;
  readonly steps: readonly {
    /** Null: the chart does not have what was taken, or is not known. */
    readonly asked: readonly Asked[] | null;
    readonly to: string;
  }[];
  /** Each `always` that was refused when it came to rest. */
  readonly atRest: readonly ChartTransition[];
}

export interface Moves {
  readonly moves: readonly Move[];
  /** Whether they happened at the step that is looked at; otherwise they are the last before it. */
  readonly isNow: boolean;
  /** Before and after them; undefined before the beginning. */
  readonly before: Json | undefined;
  readonly after: Json;
  /** Of the last of them. */
  readonly mark: Mark;
}

/** What `track` did in the records from `before` to `position`, or else did last. */
export function movesAt(
  model: TraceModel,
  track: Track,
  chart: Chart | undefined,
  { before, position }: { readonly before: number; readonly position: number },
): Moves | undefined {
  const groups = groupsOf(model, track).filter((group) => beginOf(group) <= position);
  const last = groups.at(-1)?.findLast(({ mark }) => mark.position <= position);
  if (last === undefined) return undefined;
  const isNow = last.mark.position > before;
  const shown = isNow ? groups.filter((group) => endOf(group) > before) : groups.slice(-1);
  const earlier = groups[groups.length - shown.length - 1]?.at(-1)?.mark;
  const events = eventsFor(model, track);
  let state = earlier?.state ?? (chart === undefined ? '' : initialState(chart));
  const moves = shown.map((group): Move => {
    const from = state;
    const done = group.filter(({ mark }) => mark.position <= position);
    const steps = done.map(({ record, mark }) => {
      const asked = chart === undefined ? null : askedIn(chart, state, record);
      state = mark.state;
      return { asked, to: mark.state };
    });
    // In the middle of a move it has not come to rest, and what has failed asks nothing more.
    const isAtRest = done.length === group.length && track.end?.status !== 'error';
    const atRest = chart !== undefined && isAtRest ? refusedAtRest(chart, state) : [];
    return {
      ...causeOf(events.get(beginOf(group)), group[0].record),
      from,
      to: state,
      steps,
      atRest,
    };
  });
  return { moves, isNow, before: earlier?.context, after: last.mark.context, mark: last.mark };
}

interface Step {
  readonly mark: Mark;
  readonly record: StepRecord;
}

/** The steps that follow from one event, in order. */
type Group = [Step, ...Step[]];

function groupsOf(model: TraceModel, { marks }: Track): readonly Group[] {
  const groups: Group[] = [];
  for (const mark of marks) {
    const step = { mark, record: model.records[mark.position - 1] as StepRecord };
    // The first step may be eventless: what an actor begins with is no step by itself.
    if (isEventless(step.record) && groups.length > 0) groups.at(-1)?.push(step);
    else groups.push([step]);
  }
  return groups;
}

function beginOf([first]: Group): number {
  return first.mark.position;
}

function endOf(group: Group): number {
  return (group.at(-1) as Step).mark.position;
}

function causeOf(
  cause: TraceRecord | undefined,
  { event }: StepRecord,
): Pick<Move, 'event' | 'source' | 'data'> {
  if (cause?.kind === 'event') return { event, source: cause.source, data: cause.data };
  return { event, source: null, data: cause?.kind === 'actor' ? cause.input : null };
}

// --- which event record belongs to which step -----------------------------------------------------

/** Records of the events and the beginning of every actor, by actor; they grow with the model. */
class Mailboxes {
  readonly byActor = new Map<string, { position: number; record: TraceRecord }[]>();
  #seen = 0;

  see({ records }: TraceModel): this {
    for (; this.#seen < records.length; this.#seen++) {
      const record = records[this.#seen] as TraceRecord;
      if (record.kind !== 'event' && record.kind !== 'actor') continue;
      const box = this.byActor.get(record.actor) ?? [];
      box.push({ position: this.#seen + 1, record });
      this.byActor.set(record.actor, box);
    }
    return this;
  }
}

const mailboxes = new WeakMap<TraceModel, Mailboxes>();

/**
 * By position of a step, the record of what caused it. Events are handled in the order in which
 * they came, and one may come while another is at work; what an actor raises itself has no record.
 */
function eventsFor(model: TraceModel, { actor, marks }: Track): ReadonlyMap<number, TraceRecord> {
  const boxes = mailboxes.get(model) ?? new Mailboxes();
  mailboxes.set(model, boxes);
  const box = boxes.see(model).byActor.get(actor) ?? [];
  const causes = new Map<number, TraceRecord>();
  let next = box[0]?.record.kind === 'actor' ? 1 : 0;
  for (const { position } of marks) {
    const step = model.records[position - 1] as StepRecord;
    const first = box[0]?.record;
    if (step.event === 'xstate.init' && first?.kind === 'actor') causes.set(position, first);
    const waiting = box[next];
    if (waiting?.record.kind !== 'event' || waiting.position > position) continue;
    if (waiting.record.type !== step.event || isEventless(step)) continue;
    causes.set(position, waiting.record);
    next++;
  }
  return causes;
}
