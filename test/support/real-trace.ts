/**
 * @module real-trace: what of a simulated trace a real run of the same would have recorded: no disk,
 * no choice, no contents, one file on one grid, and an end wherever its process died.
 */
import { defaultDeadlines } from '../../src/runtime/run.ts';
import type { Encoding } from '../../src/encoding.ts';
import type { OperationSpec } from '../../src/simulation/operations.ts';
import type { TraceRecord } from '../../src/simulation/world.ts';

/** @param whose only these operations are those of the process that records; all by default */
export function asRealRun(
  trace: readonly TraceRecord[],
  whose: (operation: string) => boolean = () => true,
): readonly TraceRecord[] {
  const kept = trace.flatMap((record) => {
    const operation = operationOf(record);
    return operation === undefined || whose(operation) ? asReal(record) : [];
  });
  // With the process all of its operations die.
  const death = kept.findIndex(
    (record) => record.kind === 'operation' && record.event === 'killed',
  );
  return death < 0 ? kept : kept.slice(0, death);
}

function operationOf(record: TraceRecord): string | undefined {
  if ('operation' in record) return record.operation ?? undefined;
  return 'actor' in record ? record.actor.split('/')[0] : undefined;
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
      return [{ ...record, about, ...stamp }, grid];
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
