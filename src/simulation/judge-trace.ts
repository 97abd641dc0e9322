/**
 * @module judge-trace: every property of a trace that somebody has kept, as far as it decides them.
 *
 * A trace of a simulated run has the world's records in it, and decides all. One of a real run is
 * judged file by file, grid by grid, since properties are of one file; whatever runs at once stays
 * so. It may end anywhere, as its process did: what has not come yet is no violation.
 */
import { culpritOf, operationOf } from '../inspector/operation-records.ts';
import type { OperationAbout } from '../runtime/run-records.ts';
import { type PropertyVerdict, PropertyWatch, properties } from './properties.ts';
import type { TraceRecord } from './world-types.ts';

export type TraceVerdict =
  | Exclude<PropertyVerdict, { kind: 'violated' }>
  | (Extract<PropertyVerdict, { kind: 'violated' }> & {
      /** Whose record it is: a chart's, or an operation; null for the world's own. */
      readonly actor: string | null;
    });

export interface TraceJudgement {
  readonly kind: 'judged';
  readonly run: 'simulated' | 'real';
  readonly operations: number;
  /** Those of them that had not ended when the trace did. */
  readonly unfinished: number;
  readonly files: number;
  readonly properties: readonly {
    readonly id: string;
    readonly name: string;
    readonly statement: string;
    readonly verdict: TraceVerdict;
  }[];
}

export type Judgement =
  | TraceJudgement
  /** A record has in it what no version of this library writes. */
  | { readonly kind: 'refused'; readonly problem: string };

/** @param records a whole trace, or its beginning, as {@link readTrace} gives it */
export function judgeTrace(records: readonly TraceRecord[]): Judgement {
  const [header] = records;
  const isReal = header?.kind === 'header' && aboutOf(header.about).run === 'real';
  const run = isReal ? 'real' : 'simulated';
  const files = isReal ? [...filesIn(records).values()] : [records];
  const watches: PropertyWatch[] = [];
  for (const file of files) {
    const watch = new PropertyWatch(undefined, run);
    for (const record of file) {
      try {
        watch.see([record]);
      } catch {
        return {
          kind: 'refused',
          problem: `the ${record.kind} record ${record.seq} is not as this version writes it`,
        };
      }
    }
    watches.push(watch);
  }
  const culprits = new Map(records.map((record) => [record.seq, culpritOf(record)]));
  const operations = watches.flatMap(({ facts }) => [...facts.operations.values()]);
  return {
    ...{ kind: 'judged', run, operations: operations.length },
    unfinished: operations.filter(({ status }) => status === 'running').length,
    files: operations.length === 0 ? 0 : files.length,
    properties: properties.map(({ id, name, statement }) => {
      const found = watches.map(({ verdicts }) => verdicts.get(id) as PropertyVerdict);
      const verdict = operations.length === 0 ? nothing : worstOf(found);
      if (verdict.kind !== 'violated') return { id, name, statement, verdict };
      const actor = culprits.get(verdict.seq) ?? null;
      return { id, name, statement, verdict: { ...verdict, actor } };
    }),
  };
}

const nothing: PropertyVerdict = {
  kind: 'undecided',
  because: 'there is no operation in the trace',
};

/** The first violation, or else a doubt. */
function worstOf(verdicts: readonly PropertyVerdict[]): PropertyVerdict {
  const violated = verdicts.flatMap((verdict) => (verdict.kind === 'violated' ? [verdict] : []));
  const [first] = violated.sort((a, b) => a.seq - b.seq);
  return (
    first ?? verdicts.find(({ kind }) => kind === 'undecided') ?? (verdicts[0] as PropertyVerdict)
  );
}

/**
 * The records of each file of a real run: its operations' own, and what all have in common. Of an
 * operation whose beginning is not kept nothing can be said.
 */
function filesIn(records: readonly TraceRecord[]): ReadonlyMap<string, readonly TraceRecord[]> {
  const places = placesOf(records);
  const files = new Map<string, TraceRecord[]>();
  const grids = new Map<string, TraceRecord>();
  const told = new Map<string, TraceRecord | undefined>();
  for (const record of records) {
    if (record.kind === 'grid') grids.set(record.grid, record);
    const { file, grid } = places.get(operationOf(record) ?? '') ?? {};
    if (file === undefined || grid === undefined) continue;
    const own = files.get(file) ?? [records[0] as TraceRecord];
    files.set(file, own);
    const described = grids.get(grid);
    // Again, when the grid has changed.
    if (described !== undefined && told.get(file) !== described) own.push(described);
    told.set(file, described);
    own.push(record);
  }
  const last = records.at(-1);
  // Time has gone on for all.
  for (const own of files.values()) {
    if (last !== undefined) own.push({ ...last, kind: 'clock', now: last.at });
  }
  return files;
}

interface Place {
  /** One per file and grid. */
  readonly file: string;
  readonly grid: string;
}

/** Which file of which grid each operation is on. */
function placesOf(records: readonly TraceRecord[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const { kind, operation, event, spec } of records.filter(isOfOperation)) {
    const known = places.get(operation);
    if (event !== 'started' && known === undefined) continue;
    const { file, grid } = aboutOf(spec);
    // One that makes a file has it when it ends; before, it is alone with it.
    const name = JSON.stringify(typeof file === 'string' ? [grid, file] : [kind, operation]);
    if (typeof file === 'string' || known === undefined) {
      places.set(operation, { file: name, grid: String(grid) });
    }
  }
  return places;
}

function isOfOperation(record: TraceRecord): record is TraceRecord & { kind: 'operation' } {
  return record.kind === 'operation';
}

function aboutOf(value: unknown): Partial<OperationAbout> & { readonly run?: unknown } {
  return value as Partial<OperationAbout>;
}
