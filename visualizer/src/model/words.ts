/**
 * @module words: a record as a line for people.
 */
import type { TraceRecord } from '../../../src/simulation/world.ts';

/**
 * Null: nothing that a person needs to be told.
 * @param named names servers in words as a person does
 */
export function wordsOf(
  record: TraceRecord,
  named: (words: string) => string = (words) => words,
): string | null {
  const sentence = sentenceOf(record);
  return sentence === null ? null : short(named(sentence));
}

function short(words: string): string {
  return words.replace(/v0-[a-z2-7]{20,}/g, (id) => `${id.slice(0, 10)}…`);
}

function sentenceOf(record: TraceRecord): string | null {
  switch (record.kind) {
    case 'step':
      if (record.event === 'xstate.init') return `${record.actor} begins in ${record.state}`;
      if (record.transitions.length === 0) return `${record.actor} ignores ${record.event}`;
      return `${record.actor} → ${record.state}`;
    case 'event':
      return record.type.startsWith('xstate.') ? null : `${record.actor} hears ${record.type}`;
    case 'end':
      return record.status === 'done' ? `${record.actor} is done` : null;
    case 'message':
      return `${record.operation} ${record.server} ${record.what}: ${record.phase} ${record.event}${errorOf(record.detail)}`;
    case 'place':
      return `${record.server} sh${record.shnum}: ${record.before ?? 'nothing'} → ${record.after ?? 'nothing'}`;
    case 'operation':
      return `${record.operation} ${record.event}${outcomeOf(record.result)}`;
    case 'server':
      return `${record.server}: ${record.event}`;
    case 'clock':
      return `the clock shows ${record.now / 1000} s`;
    default:
      return null;
  }
}

/** Why a call is lost. */
function errorOf(detail: unknown): string {
  const { error } = (detail ?? {}) as Record<string, unknown>;
  return typeof error === 'string' ? `: ${error}` : '';
}

function outcomeOf(result: unknown): string {
  const { ok, error, message } = (result ?? { ok: true }) as Record<string, unknown>;
  return ok === true ? '' : `: ${error}: ${message}`;
}
