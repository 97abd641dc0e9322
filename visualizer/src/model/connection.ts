/**
 * @module connection: how the page stands to the process that it watches, in words.
 */
import { counted, inWords } from './numbers.ts';

export type Connection =
  | { readonly kind: 'connecting' }
  /** Connected; nothing has run yet. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'running' }
  /** The process has ended the inspector. */
  | { readonly kind: 'over' }
  /** Nobody listens at the address any more. */
  | { readonly kind: 'gone'; readonly attempt: number }
  | { readonly kind: 'refused' }
  /** The process is there, the connection is not. */
  | { readonly kind: 'reconnecting'; readonly attempt: number };

/** What is not shown, and why. */
export interface Missing {
  /** Forgotten by the process before they were asked for. */
  readonly records: number;
  readonly operations: number;
  /** How many records the process keeps. */
  readonly keep: number;
  /** Dropped by this page. */
  readonly droppedRecords: number;
  readonly droppedOperations: number;
}

export const nothingMissing: Missing = {
  ...{ records: 0, operations: 0, keep: 0 },
  ...{ droppedRecords: 0, droppedOperations: 0 },
};

/** How many times in a row the page looks for a process that is away; then somebody has to ask. */
export const attemptsMax = 20;

/** Before attempt number `attempt`, from 1; in milliseconds. */
export function pauseBefore(attempt: number): number {
  return Math.min(250 * 2 ** (attempt - 1), 5000);
}

export interface ConnectionWords {
  /** One or two words. */
  readonly state: string;
  readonly detail: string;
  readonly tone: 'good' | 'busy' | 'bad';
}

export function wordsOfConnection(connection: Connection): ConnectionWords {
  switch (connection.kind) {
    case 'connecting':
      return { state: 'connecting', detail: '', tone: 'busy' };
    case 'waiting':
      return {
        ...{ state: 'waiting for the first record', tone: 'busy' },
        detail: 'The process is there. Nothing has run yet in it that is inspected.',
      };
    case 'running':
      return { state: 'running', detail: '', tone: 'good' };
    case 'over':
      return {
        ...{ state: 'over', tone: 'good' },
        detail: 'The process has ended its inspector. All that it told is here.',
      };
    case 'gone':
      return {
        ...{ state: 'process gone', tone: 'bad' },
        detail: `Nobody listens there any more. What had come until then is here. ${lookedFor(connection.attempt)}`,
      };
    case 'refused':
      return {
        ...{ state: 'token refused', tone: 'bad' },
        detail:
          'Another process listens there now, or the link is not whole: open the address that your program has printed.',
      };
    case 'reconnecting':
      return {
        ...{ state: 'reconnecting', tone: 'busy' },
        detail: `The connection was lost, the process is there. Attempt ${connection.attempt}.`,
      };
  }
}

function lookedFor(attempt: number): string {
  if (attempt >= attemptsMax) return `Looked for it ${attempt} times, and stopped.`;
  return `Looking for it again, attempt ${attempt}.`;
}

/** One sentence for each reason; none when all is there. */
export function wordsOfMissing(missing: Missing): readonly string[] {
  const { records, operations, keep, droppedRecords, droppedOperations } = missing;
  const words: string[] = [];
  if (records > 0) {
    const of = operations > 0 ? ` of ${counted(operations, 'operation')}` : '';
    const kept = keep > 0 ? `: the process keeps at most ${inWords(keep)}` : '';
    words.push(
      `${counted(records, 'record')}${of} had been forgotten before they were asked for${kept}.`,
    );
  }
  if (droppedRecords > 0) {
    const of = counted(droppedOperations, 'operation');
    words.push(
      `${counted(droppedRecords, 'record')} of ${of} had to make room in this page: a trace in a file (‘trace’) keeps all.`,
    );
  }
  return words;
}
