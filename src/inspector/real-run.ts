/**
 * @module real-run: a real run as records: of grids, operations and storage calls what the grids
 * tell, of actors what XState tells, each chart before its first actor, all in the order of
 * happening.
 *
 * It works in the middle of the operations that it records, so nothing throws out of here. It
 * records no cap, no key and no byte of a share.
 */
import { type AnyStateMachine, type InspectionEvent, StateMachine } from 'xstate';
import * as machines from '../../machines/index.ts';
import type {
  CallRecorder,
  GridAbout,
  GridRecorder,
  OperationRecorder,
  RunRecorder,
} from '../runtime/recorded.ts';
import { recordsGrids } from '../runtime/recorded.ts';
import {
  type CallDetail,
  type MessageRecord,
  type OperationAbout,
  type RealRecord,
  type RealRun,
  type RunRecord,
  type RunResult,
  traceFormat,
} from '../runtime/run-records.ts';
import { createRecorder, wordsOf } from '../runtime/trace.ts';
import type { ServerId } from '../storage/server.ts';
import { chartOf } from './chart.ts';

export interface RealRunOptions {
  readonly write: (record: RealRecord) => void;
  /** Of the package. */
  readonly version: string;
}

/** Begins a run. @returns what to hand to `Grid`, or to XState, as `inspect` */
export function recordRealRun(options: RealRunOptions): RunRecorder {
  const run = new Recording(options.write);
  const began = new Date().toISOString();
  const about = { run: 'real', began, version: options.version } satisfies RealRun;
  run.record({ kind: 'header', format: traceFormat, about });
  // An embedder's own machines, and charts whose `inspect` was wrapped in another one.
  const inspect = run.inspectWith({ nameOfRoot: (id) => run.nameOf(id.replace(/[/~]/g, '-')) });
  return Object.assign(inspect, {
    [recordsGrids]: (grid: GridAbout) => new RecordedGrid(run, grid),
  });
}

const shipped = Object.values(machines).filter((value) => value instanceof StateMachine);
/** What the machines of this package share with those that were made of them. */
const shippedConfigs = new Set<object>(shipped.map(({ config }) => config));

class Recording {
  readonly #write: RealRunOptions['write'];
  readonly #began = performance.now();
  /** How many operations, root actors and grids have a name. */
  readonly #names = new Map<string, number>();
  /** What a chart is called in the records, by its machine's config. */
  readonly #charts = new WeakMap<object, string>();
  readonly #chartNames = new Map(shipped.map(({ id }) => [id, 1]));
  #seq = 0;
  #calls = 0;

  constructor(write: RealRunOptions['write']) {
    this.#write = write;
  }

  record(record: RunRecord): void {
    const at = Math.round(performance.now() - this.#began);
    try {
      this.#write(Object.assign(record, { seq: this.#seq++, at, step: 0 }));
    } catch {
      // Whoever cannot keep it says so himself; the operation goes on.
    }
  }

  /** `modify`, then `modify~2`… */
  nameOf(kind: string): string {
    return nextOf(this.#names, kind);
  }

  nextCall(): string {
    return `m${++this.#calls}`;
  }

  inspectWith(
    options: Pick<Parameters<typeof createRecorder>[0], 'prefix' | 'nameOfRoot'>,
  ): (event: InspectionEvent) => void {
    const inspect = createRecorder({
      ...options,
      write: (record) => this.record(record),
      nameOfChart: (machine) => this.#nameOfChart(machine),
    });
    return (event) => {
      try {
        inspect(event);
      } catch {
        // Of somebody else's machine, which is not as machines are.
      }
    };
  }

  /** A machine of somebody else may be called as one of ours is, or as another of theirs. */
  #nameOfChart(machine: AnyStateMachine): string {
    const known = this.#charts.get(machine.config);
    if (known !== undefined) return known;
    const isOurs = shippedConfigs.has(machine.config);
    const name = isOurs ? machine.id : nextOf(this.#chartNames, machine.id);
    this.#charts.set(machine.config, name);
    this.record({ kind: 'chart', chart: { ...chartOf(machine), id: name } });
    return name;
  }
}

function nextOf(counts: Map<string, number>, name: string): string {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count === 1 ? name : `${name}~${count}`;
}

class RecordedGrid implements GridRecorder {
  readonly #run: Recording;
  readonly #grid: string;

  constructor(run: Recording, about: GridAbout) {
    this.#run = run;
    this.#grid = run.nameOf('grid');
    const { encoding, deadlines, gridSize, losableServers } = about;
    const { required, happy, total } = encoding;
    const servers = about.servers.map(({ id, nickname }) => ({ id, nickname: nickname || null }));
    run.record({
      ...{ kind: 'grid', grid: this.#grid, encoding: { required, happy, total }, servers },
      ...(gridSize !== servers.length && { gridSize }),
      ...(losableServers !== 0 && { losableServers }),
      deadlines: { ...deadlines },
    });
  }

  begin(kind: string, file: string | null, within?: OperationRecorder): OperationRecorder {
    return new RecordedOperation(this.#run, {
      ...{ kind, file, grid: this.#grid },
      ...(within && { within: within.name }),
    });
  }
}

class RecordedOperation implements OperationRecorder {
  readonly name: string;
  readonly inspect: OperationRecorder['inspect'];
  readonly #run: Recording;
  #about: OperationAbout;
  #isOver = false;

  constructor(run: Recording, about: OperationAbout) {
    this.#run = run;
    this.#about = about;
    this.name = run.nameOf(about.kind);
    this.inspect = run.inspectWith({ prefix: () => this.name });
    this.#record('started', null);
  }

  found(file: string): void {
    this.#about = { ...this.#about, file };
  }

  sent(server: ServerId, what: string, bytes: number): CallRecorder {
    const about = { id: this.#run.nextCall(), operation: this.name, server, what };
    let isOver = false;
    const note = (
      event: MessageRecord['event'],
      phase: MessageRecord['phase'],
      detail: CallDetail,
    ) => {
      if (isOver) return;
      isOver = event !== 'sent';
      this.#run.record({ kind: 'message', event, ...about, phase, detail: { ...detail } });
    };
    const failed = (event: MessageRecord['event']) => (problem: unknown) =>
      note(event, 'answer', { bytes: 0, error: wordsOf(problem) });
    note('sent', 'request', { bytes });
    return {
      delivered: (answered) => note('delivered', 'answer', { bytes: answered }),
      lost: failed('lost'),
      abandoned: failed('abandoned'),
    };
  }

  advised(server: ServerId, shnum: number, reason: string): void {
    const about = { operation: this.name, server, shnum, reason: wordsOf(reason) };
    this.#run.record({ kind: 'advice', ...about });
  }

  cancelled(): void {
    if (!this.#isOver) this.#record('cancelled', null);
  }

  succeeded(): void {
    this.#end({ ok: true });
  }

  failed(error: unknown): void {
    const name = error instanceof Error ? error.name : typeof error;
    this.#end({ ok: false, error: name, message: wordsOf(error) });
  }

  #end(result: RunResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#record('ended', result);
  }

  #record(event: 'started' | 'cancelled' | 'ended', result: RunResult | null): void {
    const spec = { ...this.#about };
    this.#run.record({ kind: 'operation', operation: this.name, event, spec, result });
  }
}
