/**
 * @module real-trace: what of a simulated trace a real run of the same would have recorded: no disk,
 * no choice, no contents, one file on one grid, and an end wherever its process died.
 */
import { StateMachine } from 'xstate';
import * as machines from '../../machines/index.ts';
import type { Encoding } from '../../src/encoding.ts';
import { chartOf } from '../../src/inspector/chart.ts';
import { operationOf } from '../../src/inspector/operation-records.ts';
import { defaultDeadlines } from '../../src/runtime/run.ts';
import { judgeTrace, type TraceVerdict } from '../../src/simulation/judge-trace.ts';
import type { OperationSpec } from '../../src/simulation/operations.ts';
import type { TraceRecord, World } from '../../src/simulation/world.ts';

/** @param whose only these operations are those of the process that records; all by default */
export function asRealRun(
  trace: readonly TraceRecord[],
  whose: (operation: string) => boolean = () => true,
): readonly TraceRecord[] {
  const kept = trace.flatMap((record) => {
    const operation = operationOf(record);
    return operation === null || whose(operation) ? asReal(record) : [];
  });
  // With the process all of its operations die.
  const death = kept.findIndex(
    (record) => record.kind === 'operation' && record.event === 'killed',
  );
  const told = withCharts(death < 0 ? kept : kept.slice(0, death));
  return told.map((record, seq) => ({ ...record, seq }));
}

const charts = new Map(
  Object.values(machines).flatMap((machine) =>
    machine instanceof StateMachine ? [[machine.id, chartOf(machine)] as const] : [],
  ),
);

/** Each chart before its first actor. */
function withCharts(records: readonly TraceRecord[]): readonly TraceRecord[] {
  const told = new Set<string>();
  return records.flatMap((record) => {
    const chart = record.kind === 'actor' ? charts.get(record.chart) : undefined;
    if (chart === undefined || told.has(chart.id)) return [record];
    told.add(chart.id);
    const { seq, at, step } = record;
    return [{ kind: 'chart' as const, chart, seq, at, step }, record];
  });
}

function asReal(record: TraceRecord): readonly TraceRecord[] {
  const stamp = { seq: record.seq, at: record.at, step: 0 };
  switch (record.kind) {
    case 'header': {
      const { encoding, servers } = record.about as unknown as {
        encoding: Encoding;
        servers: readonly { id: string }[];
      };
      const about = { run: 'real', began: '2026-11-27T00:00:00.000Z', version: '0.0.0' };
      const grid = {
        ...stamp,
        kind: 'grid' as const,
        ...{ grid: 'grid~1', encoding, deadlines: defaultDeadlines },
        servers: servers.map(({ id }) => ({ id, nickname: null })),
      };
      return [{ ...record, about }, grid];
    }
    case 'operation': {
      const { spec, result } = record;
      const { kind } = (spec as unknown as OperationSpec).task;
      const about = { kind, file: 'aaaaaaaaaaaaaaaaaaaaaaaaaa', grid: 'grid~1' };
      const told = result?.ok ? { ok: true } : result;
      return [{ ...record, spec: about, result: told as typeof result, ...stamp }];
    }
    case 'message':
      if (!/^(sent|delivered|lost|abandoned)$/.test(record.event)) return [];
      return [{ ...record, detail: { bytes: 0 }, ...stamp }];
    case 'actor':
    case 'event':
    case 'step':
    case 'end':
    case 'advice':
      return [{ ...record, ...stamp }];
    default:
      return [];
  }
}

/** Why a trace of a real run of `world` is judged otherwise than the world itself. */
export function falselyJudged({ trace, operations }: Pick<World, 'trace' | 'operations'>) {
  const verdicts = verdictsOf(trace);
  const [first] = operations.map(({ spec }) => spec.name);
  // All in one process; or one alone, or all but that one, and the rest are somebody else's.
  const processes: ((name: string) => boolean)[] = [
    () => true,
    (name) => name === first,
    (name) => name !== first,
  ];
  return processes.flatMap((whose, i) =>
    [...verdictsOf(asRealRun(trace, whose))].flatMap(([id, verdict]) => {
      const isFalse = verdict.kind === 'violated' && verdicts.get(id)?.kind !== 'violated';
      // What others did is not in the trace, nor what came after its process had died.
      const isMissed = i === 0 && verdict.kind === 'holds' && verdicts.get(id)?.kind === 'violated';
      return isFalse || (isMissed && !hasDeath(trace))
        ? [{ id, because: `${verdict.kind} in process ${i}: ${JSON.stringify(verdict)}` }]
        : [];
    }),
  );
}

function hasDeath(trace: readonly TraceRecord[]): boolean {
  return trace.some((record) => record.kind === 'operation' && record.event === 'killed');
}

function verdictsOf(trace: readonly TraceRecord[]): ReadonlyMap<string, TraceVerdict> {
  const judged = judgeTrace(trace);
  if (judged.kind === 'refused') throw new Error(judged.problem);
  return new Map(judged.properties.map(({ id, verdict }) => [id, verdict]));
}
