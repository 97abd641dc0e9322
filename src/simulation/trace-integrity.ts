/**
 * @module trace-integrity: whether the records of a trace say enough, and agree, for a judge to say
 * that a property holds. No violation is found where nothing was recorded, so silence counts only
 * where the records are there.
 *
 * What no run writes is refused: servers that a grid does not have, numbers that are none. What is
 * missing, or does not go together, is a doubt about its operation. An end that has not come is
 * neither: a process may die at any time.
 */
import type { ServermapUpdateInput } from '../../machines/servermap-update.machine.ts';
import type { Encoding } from '../encoding.ts';
import type { Chart, ChartState } from '../inspector/chart.ts';
import { statesIn, transitionId } from '../inspector/chart.ts';
import { operationOf, operationOfActor } from '../inspector/operation-records.ts';
import type { ChartRecord, Json } from '../runtime/trace.ts';
import type { TraceRecord } from './world-types.ts';

export type TraceIntegrity =
  /** `problem` is a sentence without an end that names the record. */
  | { readonly kind: 'refused'; readonly problem: string }
  | {
      readonly kind: 'readable';
      /** The first of the records that are missing, and what to say of them. */
      readonly gap: { readonly seq: number; readonly because: string } | undefined;
      /** Of the whole trace. */
      readonly doubt: string | undefined;
      /** By operation: the first of each. */
      readonly doubts: ReadonlyMap<string, string>;
    };

/** @param records a trace as it is read; of a simulated run only order and time are looked at */
export function integrityOf(
  records: readonly TraceRecord[],
  run: 'simulated' | 'real',
): TraceIntegrity {
  const inspection = new Inspection();
  if (run === 'real') {
    for (const record of records) {
      const wrong = inspection.see(record);
      if (wrong === undefined) continue;
      const problem = `the ${record.kind} record ${record.seq} is not as this version writes it`;
      return { kind: 'refused', problem: `${problem}: ${wrong}` };
    }
  }
  const doubts = inspection.close();
  return { kind: 'readable', gap: gapIn(records), doubt: timeDoubt(records), doubts };
}

function gapIn(records: readonly TraceRecord[]) {
  const gaps = records.flatMap(({ seq }, i) => {
    const next = (records[i - 1]?.seq ?? -1) + 1;
    return seq > next ? [{ seq: next, last: seq - 1 }] : [];
  });
  const [first] = gaps;
  if (first === undefined) return undefined;
  const { seq, last } = first;
  const others = gaps.length > 1 ? ' and others' : '';
  const isOne = seq === last && gaps.length === 1;
  const which = seq === last ? `record ${seq}` : `records ${seq}–${last}`;
  return { seq, because: `${which}${others} ${isOne ? 'is' : 'are'} missing` };
}

function timeDoubt(records: readonly TraceRecord[]): string | undefined {
  const back = records.find(({ at }, i) => at < (records[i - 1]?.at ?? 0));
  return back && `time runs backwards at record ${back.seq}`;
}

/** What an operation has recorded so far. */
interface Progress {
  readonly grid: string;
  /** Calls, by id. */
  readonly sent: Set<string>;
  /** Servers that have answered. */
  readonly answered: Set<string>;
  readonly roots: Actor[];
  /** It has done what charts do. */
  isWithCharts: boolean;
  isCancelled: boolean;
}

interface Actor {
  readonly path: string;
  readonly chart: string;
  /** Of a chart of one server. */
  server: string | undefined;
  /** Undefined: it has taken no step. */
  state: string | undefined;
  /** As its end says; undefined: it goes on. */
  output: Json | undefined;
}

interface KnownGrid {
  readonly encoding: Encoding;
  readonly servers: ReadonlySet<string>;
}

/** A chart, ready for its steps to be compared. */
interface Picture {
  readonly root: ChartState;
  readonly states: ReadonlyMap<string, ChartState>;
  /** Transition id -> target. */
  readonly targets: ReadonlyMap<string, string | null>;
}

/** What no operation of these names does without a chart. */
const withCharts = /^(create|overwrite|modify|append|update|repair|verify|check)$/;

class Inspection {
  readonly #doubts = new Map<string, string>();
  readonly #grids = new Map<string, KnownGrid>();
  readonly #pictures = new Map<string, Picture>();
  readonly #operations = new Map<string, Progress>();
  readonly #actors = new Map<string, Actor>();

  /** @returns what no run writes in this record */
  see(record: TraceRecord): string | undefined {
    if (record.kind === 'grid') return this.#seeGrid(record);
    if (record.kind === 'chart') this.#pictures.set(record.chart.id, pictureOf(record.chart));
    const name = operationOf(record);
    if (name === null) return undefined;
    if (record.kind === 'operation') return this.#seeOperation(record);
    // Of one whose beginning is not kept nothing is judged, nor is anything of others' machines.
    const operation = this.#operations.get(name);
    if (operation === undefined) return undefined;
    switch (record.kind) {
      case 'message':
        return this.#seeMessage(record, operation);
      case 'actor':
        return this.#seeActor(record, operation);
      case 'event':
        return this.#seeEvent(record, operation);
      case 'step':
        return this.#seeStep(record);
      case 'end':
        return this.#seeEnd(record);
      default:
        return undefined;
    }
  }

  #doubt(operation: string, because: string): undefined {
    if (!this.#doubts.has(operation)) this.#doubts.set(operation, because);
  }

  /** The trace is over. @returns by operation what is not in it, or does not go together */
  close(): ReadonlyMap<string, string> {
    for (const [name, { roots, isWithCharts }] of this.#operations) {
      if (isWithCharts && roots.length === 0)
        this.#doubt(name, `no chart of ${name} is in the trace`);
    }
    return this.#doubts;
  }

  #seeGrid({ grid, encoding, servers, deadlines }: Of<'grid'>): string | undefined {
    const ids = new Set(servers.map(({ id }) => id));
    if (ids.size === 0) return 'it has no servers';
    if (ids.size < servers.length) return 'it has two servers of one id';
    const { required, happy, total } = encoding;
    const isPossible = 1 <= required && required <= total && 1 <= happy && happy <= total;
    if (!isPossible || ![required, happy, total].every(Number.isSafeInteger)) {
      return `${required} of ${total} shares on ${happy} servers cannot be`;
    }
    const times = ['queryMs', 'verifyMs', 'readMs', 'writeMs'] as const;
    if (!times.every((name) => deadlines[name] >= 0)) return 'its deadlines are no numbers';
    // A call may still be on its way to a server that has left.
    const known = this.#grids.get(grid)?.servers ?? [];
    this.#grids.set(grid, { encoding, servers: new Set([...known, ...ids]) });
    return undefined;
  }

  #seeOperation({ operation: name, event, spec, result }: Of<'operation'>): undefined {
    if (event === 'started') {
      const grid = String((spec as { readonly grid?: unknown }).grid);
      const of = { grid, sent: new Set<string>(), answered: new Set<string>(), roots: [] };
      this.#operations.set(name, { ...of, isWithCharts: false, isCancelled: false });
      if (!this.#grids.has(grid)) this.#doubt(name, `what grid ${name} is on is not in the trace`);
      return;
    }
    const operation = this.#operations.get(name);
    if (operation === undefined) return;
    if (event === 'cancelled') operation.isCancelled = true;
    if (event !== 'ended') return;
    const { kind } = spec as { readonly kind?: unknown };
    if (result?.ok && withCharts.test(String(kind))) operation.isWithCharts = true;
    this.#compareEnd(name, operation, result?.ok === true);
  }

  /** What is said to the caller follows from what the charts did. */
  #compareEnd(name: string, { roots, isCancelled }: Progress, isGood: boolean): void {
    const open = roots.find(({ output }) => output === undefined);
    if (isGood && open !== undefined) {
      this.#doubt(name, `${name} has ended, and the end of ${open.path} is not in the trace`);
    }
    const outcome = (roots.at(-1)?.output as { readonly kind?: unknown } | null | undefined)?.kind;
    if (!isGood && !isCancelled && roots.length === 1 && outcome === 'published') {
      this.#doubt(name, `${name} has failed, and its chart says that it is published`);
    }
  }

  #seeMessage(record: Of<'message'>, operation: Progress): string | undefined {
    const { operation: name, event, id, server, what, detail } = record;
    const { bytes } = (detail ?? {}) as { readonly bytes?: unknown };
    if (!Number.isSafeInteger(bytes) || (bytes as number) < 0) return 'its bytes are no number';
    if (this.#grids.get(operation.grid)?.servers.has(server) === false) {
      return `${operation.grid} has no server ${JSON.stringify(server)}`;
    }
    if (event === 'sent') {
      operation.sent.add(String(id));
      // Leases are renewed by no chart.
      if (what !== 'lease') operation.isWithCharts = true;
      return undefined;
    }
    if (!operation.sent.has(String(id))) {
      this.#doubt(name, `the call that record ${record.seq} ends is not in the trace`);
    }
    if (event === 'delivered') operation.answered.add(server);
    return undefined;
  }

  #seeActor({ actor: path, chart, parent, input }: Of<'actor'>, operation: Progress): undefined {
    const actor: Actor = { path, chart, server: undefined, state: undefined, output: undefined };
    this.#actors.set(path, actor);
    if (parent === null) operation.roots.push(actor);
    const name = operationOfActor(path);
    if (!this.#pictures.has(chart)) {
      this.#doubt(name, `what the chart ${chart} looks like is not in the trace`);
    }
    if (parent !== null) this.#expectActor(name, parent);
    const encoding = this.#grids.get(operation.grid)?.encoding;
    if (chart === 'servermapUpdate' && encoding && !isOf(encoding, input)) {
      this.#doubt(name, `${path} is of another encoding than its grid`);
    }
  }

  #expectActor(operation: string, path: string): Actor | undefined {
    const actor = this.#actors.get(path);
    if (actor === undefined) this.#doubt(operation, `the beginning of ${path} is not in the trace`);
    return actor;
  }

  #seeEvent(record: Of<'event'>, { answered }: Progress): undefined {
    const { actor: path, source, type, data } = record;
    const name = operationOfActor(path);
    const actor = this.#expectActor(name, path);
    if (source !== null && this.#isChart(source)) this.#expectActor(name, source);
    const [, io] = /^xstate\.done\.actor\.(queryServer|writeShare)$/.exec(type) ?? [];
    if (io === undefined) return;
    const { output } = (data ?? {}) as { output?: { ok?: unknown; kind?: unknown } | null };
    const hasAnswer = output?.ok === true || output?.kind === 'answered';
    const server = actor?.server;
    if (hasAnswer && server !== undefined && !answered.has(server)) {
      this.#doubt(name, `the answer of ${server} to ${path} is not in the trace`);
    }
  }

  /** Unlike what asks a server or computes, of which only the answer is recorded. */
  #isChart(path: string): boolean {
    const own = path.slice(path.lastIndexOf('/') + 1);
    return own.includes(':') || this.#pictures.has(own.replace(/~\d+$/, ''));
  }

  #seeStep(record: Of<'step'>): string | undefined {
    const { actor: path, chart, state, transitions } = record;
    const name = operationOfActor(path);
    const actor = this.#expectActor(name, path);
    const picture = this.#pictures.get(chart);
    if (picture === undefined || actor === undefined) return undefined;
    if (!picture.states.has(state)) return `${chart} has no state ${JSON.stringify(state)}`;
    let at: string | undefined = actor.state ?? initialIn(picture, picture.root.path);
    for (const { source, event, index, target } of transitions) {
      const id = transitionId(source, event, index);
      if (picture.targets.get(id) !== target) return `${chart} has no such transition`;
      const isThere = at === source || source === '' || at?.startsWith(`${source}.`);
      if (!isThere) at = undefined;
      else if (target !== null) at = initialIn(picture, target);
    }
    actor.state = state;
    const { server } = (record.context ?? {}) as { readonly server?: unknown };
    if (typeof server === 'string') actor.server = server;
    if (at === state) return undefined;
    return this.#doubt(name, `how ${path} came to ${state} is not in the trace`);
  }

  #seeEnd({ actor: path, status, output }: Of<'end'>): undefined {
    const name = operationOfActor(path);
    const actor = this.#expectActor(name, path);
    if (actor === undefined) return;
    actor.output = output;
    const kind = this.#pictures.get(actor.chart)?.states.get(actor.state ?? '')?.kind;
    if (status === 'done' && kind !== 'final' && this.#pictures.has(actor.chart)) {
      this.#doubt(name, `how ${path} came to its end is not in the trace`);
    }
  }
}

/** Whether a servermap update counts with these numbers; one of an immutable file has no `happy`. */
function isOf({ required, happy, total }: Encoding, input: Json): boolean {
  const given = (input ?? {}) as unknown as Partial<ServermapUpdateInput>;
  const { membership } = given;
  const isHappy = membership?.losable === undefined || membership.happy === happy;
  return given.required === required && given.total === total && isHappy;
}

type Of<Kind extends (TraceRecord | ChartRecord)['kind']> = TraceRecord & { readonly kind: Kind };

function pictureOf({ root, transitions }: Chart): Picture {
  return {
    root,
    states: new Map(statesIn(root).map((state) => [state.path, state])),
    targets: new Map(transitions.map(({ id, target }) => [id, target])),
  };
}

/** Where one is who comes to `path`. */
function initialIn({ states }: Picture, path: string): string {
  const passed = new Set<string>();
  for (let at = path; ; ) {
    const initial = states.get(at)?.initial;
    // In a chart that somebody made up, states may begin in each other.
    if (initial == null || passed.has(at)) return at;
    passed.add(at);
    at = initial;
  }
}
