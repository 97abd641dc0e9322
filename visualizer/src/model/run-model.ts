/**
 * @module run-model: what a run tells beside what its charts do: which operations callers asked for
 * and how they ended, the storage calls, the grids, and the pictures of charts. All of it carries
 * the milliseconds of the run. Part of a {@link TraceModel}, as `model.run`.
 */
import type { Chart } from '../../../src/inspector/chart.ts';
import { operationOf, operationOfActor } from '../../../src/inspector/operation-records.ts';
import type { Json } from '../../../src/runtime/trace.ts';
import type { TraceRecord } from '../../../src/simulation/world-types.ts';

/** When something happened. */
export interface Moment {
  /** Number of records up to and with the one that told it. */
  readonly position: number;
  /** Of the lanes: a choice, or a record. */
  readonly column: number;
  /** In milliseconds since the run began; in a simulation, of the world's clock. */
  readonly at: number;
}

/** One call of the library, or one machine of the embedder's that has no parent. */
export interface Operation {
  /** First part of the path of its actors: `modify~3`, `w1`. */
  readonly name: string;
  /** `modify`, `read`, `map`…; null: no record says it, as of the embedder's own machines. */
  kind: string | null;
  /** Storage index; null: unknown, or not known yet. */
  file: string | null;
  grid: string | null;
  readonly started: Moment;
  /** Of its last record. */
  last: Moment;
  /** Its first records are forgotten. */
  isHeadless: boolean;
  /** Nothing of it has come since records were forgotten: among them may be its end. */
  isCut: boolean;
  /** Null: it runs, or its process was killed. */
  ended: Moment | null;
  outcome: 'running' | 'done' | 'failed' | 'cancelled' | 'killed';
  error: { readonly name: string; readonly message: string } | null;
  /** In the order of sending. */
  readonly calls: Call[];
}

/** One storage call. */
export interface Call {
  readonly id: string;
  readonly operation: string;
  readonly server: string;
  /** `list`, `read sh0 head`, `write sh0 sh1` */
  readonly what: string;
  readonly sent: Moment;
  /** When the caller heard how it ended, or gave it up. */
  ended: Moment | null;
  fate: 'underway' | 'answered' | 'lost' | 'abandoned';
  /** Of the request, in bytes; null: not told. */
  readonly bytesSent: number | null;
  /** Of the answer, in bytes; null: there is none, or it is not told. */
  bytesReceived: number | null;
  /** Why it is lost. */
  error: string | null;
}

export type GridFacts = Pick<
  Extract<TraceRecord, { kind: 'grid' }>,
  'grid' | 'encoding' | 'servers' | 'deadlines'
>;

type RecordOf<Kind extends TraceRecord['kind']> = Extract<TraceRecord, { kind: Kind }>;
/** What tells one server from another, in characters of its id: `v0-` and five more. */
const idShown = 8;

type Fields = { readonly [key: string]: Json | undefined };

export class RunModel {
  /** What the header says: of a real run that it is one, of a simulated one its world. */
  about: Json = null;
  /** By name, in the order of their beginning. */
  readonly operations = new Map<string, Operation>();
  /** In the order of sending. */
  readonly calls: Call[] = [];
  readonly grids = new Map<string, GridFacts>();
  /** By server id; only of those that have one; where two have the same, told apart. */
  readonly nicknames = new Map<string, string>();
  /** By chart id: what came with the run itself. */
  readonly charts = new Map<string, Chart>();
  /** What has no end yet. */
  readonly running = new Set<Operation>();
  readonly #underway = new Map<string, Call>();

  /** Whether it happened at some time in some process, and was not simulated. */
  get isReal(): boolean {
    return fieldsOf(this.about).run === 'real';
  }

  /** Of records that are forgotten any may be the end of what runs. */
  cut(): void {
    for (const operation of this.running) operation.isCut = true;
  }

  /** @param isCut whether records before this one are forgotten */
  add(record: TraceRecord, moment: Moment, isCut: boolean): void {
    const name = operationOf(record);
    if (isCut && name !== null && !this.operations.has(name)) {
      this.#begun(name, moment).isHeadless = !isFirst(record);
    }
    this.#take(record, moment);
    const operation = this.operations.get(name ?? '');
    if (operation === undefined) return;
    operation.last = moment;
    operation.isCut = false;
    if (operation.ended === null) this.running.add(operation);
    else this.running.delete(operation);
  }

  #take(record: TraceRecord, moment: Moment): void {
    switch (record.kind) {
      case 'header':
        this.about = record.about;
        break;
      case 'grid':
        this.#addGrid(record);
        break;
      case 'chart':
        this.charts.set(record.chart.id, record.chart);
        break;
      case 'operation':
        this.#addOperation(record, moment);
        break;
      case 'message':
        this.#addMessage(record, moment);
        break;
      case 'actor':
        if (record.parent === null) this.#begun(operationOfActor(record.actor), moment);
        break;
      case 'end':
        if (!record.actor.includes('/')) this.#rootEnded(record, moment);
        break;
    }
  }

  #begun(name: string, started: Moment): Operation {
    const known = this.operations.get(name);
    if (known !== undefined) return known;
    const operation: Operation = {
      ...{ name, kind: null, file: null, grid: null, started, ended: null },
      ...{ outcome: 'running', error: null, calls: [] },
      ...{ last: started, isHeadless: false, isCut: false },
    };
    this.operations.set(name, operation);
    return operation;
  }

  #addGrid({ grid, encoding, servers, deadlines }: RecordOf<'grid'>): void {
    this.grids.set(grid, { grid, encoding, servers, deadlines });
    const taken = servers.map(({ nickname }) => nickname);
    for (const { id, nickname } of servers) {
      if (nickname === null) continue;
      // Nothing keeps two servers from the same one.
      const isOwn = taken.indexOf(nickname) === taken.lastIndexOf(nickname);
      this.nicknames.set(id, isOwn ? nickname : `${nickname} (${id.slice(0, idShown)})`);
    }
  }

  #addOperation({ operation: name, event, spec, result }: RecordOf<'operation'>, moment: Moment) {
    const operation = this.#begun(name, moment);
    const { kind, file, grid, task } = fieldsOf(spec);
    // A simulated one is told by its task.
    operation.kind = textOf(kind) ?? textOf(fieldsOf(task).kind) ?? operation.kind;
    operation.file = textOf(file) ?? operation.file;
    operation.grid = textOf(grid) ?? operation.grid;
    if (event === 'started') return;
    operation.ended = moment;
    const { ok, error, message } = fieldsOf(result);
    if (ok === false)
      operation.error = { name: textOf(error) ?? '', message: textOf(message) ?? '' };
    if (event === 'killed' || event === 'cancelled') operation.outcome = event;
    // What was cancelled ends later, with the error of that.
    else if (operation.outcome !== 'cancelled')
      operation.outcome = ok === false ? 'failed' : 'done';
  }

  /** A machine that no operation record tells of ends with its root. */
  #rootEnded({ actor, status }: RecordOf<'end'>, moment: Moment): void {
    const operation = this.operations.get(actor);
    if (operation === undefined || operation.kind !== null) return;
    operation.ended = moment;
    operation.outcome = outcomes[status] ?? 'done';
  }

  #addMessage({ event, id, operation, server, what, detail }: RecordOf<'message'>, moment: Moment) {
    if (id === null) return;
    const { bytes, error } = fieldsOf(detail);
    const count = typeof bytes === 'number' ? bytes : null;
    if (event === 'sent') {
      const call: Call = {
        ...{ id, operation, server, what, sent: moment, ended: null, fate: 'underway' },
        ...{ bytesSent: count, bytesReceived: null, error: null },
      };
      this.calls.push(call);
      this.operations.get(operation)?.calls.push(call);
      this.#underway.set(id, call);
      return;
    }
    const call = this.#underway.get(id);
    const fate = Object.hasOwn(fates, event) ? fates[event] : undefined;
    if (call === undefined || fate === undefined) return;
    this.#underway.delete(id);
    call.ended = moment;
    call.fate = fate;
    if (fate === 'answered') call.bytesReceived = count;
    call.error = textOf(error);
  }
}

/** Whether an operation begins by it, or an embedder's machine. */
function isFirst(record: TraceRecord): boolean {
  if (record.kind === 'operation') return record.event === 'started';
  return record.kind === 'actor' && record.parent === null;
}

const outcomes: Readonly<Record<RecordOf<'end'>['status'], Operation['outcome']>> = {
  ...{ done: 'done', error: 'failed', stopped: 'cancelled' },
};

const fates: Readonly<Record<string, Call['fate']>> = {
  ...{ delivered: 'answered', lost: 'lost', dropped: 'lost', refused: 'lost' },
  abandoned: 'abandoned',
};

/** JSON that may be anything, as fields; it has none when it is no object. */
function fieldsOf(value: Json | undefined): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : {};
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
