/**
 * @module real-trace: the trace of a real run, made by hand: reads of some files from some servers,
 * one after the other, with their storage calls and their times. One server may refuse to answer,
 * another may stay silent.
 */
import type { TraceRecord } from '../../src/simulation/world-types.ts';

export interface MadeRun {
  readonly operations: number;
  readonly servers: number;
  /** Index of the server whose calls are lost at once; none by default. */
  readonly lost?: number;
  /** Index of the server that never answers; none by default. */
  readonly silent?: number;
  /** Index of the operation that fails; none by default. */
  readonly failing?: number;
  /** Whether they all begin at once; one after the other by default. */
  readonly isAtOnce?: boolean;
}

export const lostReason = 'connect ECONNREFUSED 127.0.0.1:40411';
const deadlines = { queryMs: 2000, verifyMs: 2000, readMs: 5000, writeMs: 5000 };

export const fileOf = (operation: number) =>
  `${'abcdefgh'[operation % 8]}z3kq5bm2vhsd7uwjx4trnoy6e`.slice(0, 26);

type Written = TraceRecord extends infer R
  ? R extends R
    ? Omit<R, 'seq' | 'step'>
    : never
  : never;

export function madeRun(options: MadeRun): readonly TraceRecord[] {
  const written: Written[] = [];
  const write = (record: unknown) => written.push(record as Written);
  const ids = Array.from({ length: options.servers }, (_, i) => `v0-server${i}`);
  const about = { run: 'real', began: '2026-11-27T18:00:00.000Z', version: '1.0.0' };
  write({ kind: 'header', at: 0, format: 'tahoe-mutable-trace 2', about });
  write({
    ...{ kind: 'grid', at: 0, grid: 'home', deadlines },
    encoding: { required: 3, happy: 7, total: 10 },
    servers: ids.map((id, i) => ({ id, nickname: i % 5 === 4 ? null : `box-${i}` })),
  });
  for (let n = 0; n < options.operations; n++) read(options, ids, n, write);
  return written
    .map((record, i) => [record, i] as const)
    .sort(([a, i], [b, j]) => a.at - b.at || i - j)
    .map(([record], seq) => ({ ...record, seq, step: 0 }) as TraceRecord);
}

function read(
  { lost, silent, failing, isAtOnce }: MadeRun,
  ids: readonly string[],
  n: number,
  write: (record: unknown) => void,
): void {
  const name = n === 0 ? 'read' : `read~${n + 1}`;
  const began = 10 + (isAtOnce ? n : n * (silent === undefined ? 60 : 2100));
  const root = `${name}/readFile`;
  const update = `${root}/servermapUpdate`;
  const spec = { kind: 'read', file: fileOf(n), grid: 'home' };
  const operation = { kind: 'operation', operation: name, spec };
  const actor = (path: string, chart: string, parent: string | null, at: number) =>
    write({ kind: 'actor', at, actor: path, chart, parent, input: null });
  const step = (
    path: string,
    chart: string,
    event: string,
    state: string,
    at: number,
    c?: unknown,
  ) =>
    write({
      kind: 'step',
      at,
      actor: path,
      chart,
      event,
      state,
      transitions: [],
      context: c ?? null,
    });
  const end = (path: string, chart: string, at: number) =>
    write({ kind: 'end', at, actor: path, chart, status: 'done', output: null });

  write({ ...operation, at: began, event: 'started', result: null });
  actor(root, 'readFile', null, began);
  step(root, 'readFile', 'xstate.init', 'mapping', began);
  actor(update, 'servermapUpdate', root, began);
  step(update, 'servermapUpdate', 'xstate.init', 'collecting.awaiting', began);
  const over = silent === undefined ? began + 50 : began + 1 + deadlines.queryMs;
  for (const [i, server] of ids.entries()) {
    const query = `${update}/query:${server}`;
    const child = (failure: unknown) => ({ server, shnums: [], judged: {}, failure });
    const call = { kind: 'message', id: `${name} c${i}`, operation: name, server, what: 'list' };
    actor(query, 'serverQuery', update, began + 1);
    step(query, 'serverQuery', 'xstate.init', 'querying', began + 1, child(null));
    const request = { bytes: 300 };
    write({ ...call, at: began + 1, event: 'sent', phase: 'request', detail: request });
    if (i === lost) {
      const detail = { bytes: 0, error: lostReason };
      write({ ...call, at: began + 4, event: 'lost', phase: 'response', detail });
      const failure = { kind: 'unreachable', detail: lostReason };
      step(query, 'serverQuery', 'answered', 'failed', began + 4, child(failure));
      end(query, 'serverQuery', began + 4);
    } else if (i === silent) {
      const failure = { kind: 'timeout', detail: 'no answer within 2000 ms' };
      step(query, 'serverQuery', 'after queryDeadline', 'failed', over, child(failure));
      end(query, 'serverQuery', over);
      write({ ...call, at: over, event: 'abandoned', phase: 'response', detail: { bytes: 0 } });
    } else {
      const answered = began + 5 + i * 2;
      const detail = { bytes: 4200 };
      write({ ...call, at: answered, event: 'delivered', phase: 'response', detail });
      step(query, 'serverQuery', 'answered', 'verifying', answered, child(null));
      step(query, 'serverQuery', 'share.judged', 'good', answered + 8, child(null));
      end(query, 'serverQuery', answered + 8);
    }
  }
  step(update, 'servermapUpdate', '', 'done', over);
  end(update, 'servermapUpdate', over);
  const isFailing = n === failing;
  step(root, 'readFile', 'mapped', isFailing ? 'undeliverable' : 'done', over + 2);
  end(root, 'readFile', over + 2);
  const message = 'not enough shares of the newest version: 2 of 3';
  const result = isFailing ? { ok: false, error: 'NotEnoughSharesError', message } : { ok: true };
  write({ ...operation, at: over + 2, event: 'ended', result });
}

/** As a file has it. */
export function traceText(records: readonly TraceRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}
