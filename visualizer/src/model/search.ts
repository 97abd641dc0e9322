/**
 * @module search: which operations of a recording are meant by some words and filters, and at which
 * records the words are. An index grows with its model.
 *
 * A word is found where it is part of what a record says: of an operation its name, kind, file and
 * error; of a chart its states and events; of a storage call what it is, its server and its error.
 */
import { operationOf } from '../../../src/inspector/operation-records.ts';
import type { TraceRecord } from '../../../src/simulation/world-types.ts';
import type { Operation } from './run-model.ts';
import type { TraceModel } from './trace-model.ts';

/** Null: any. */
export interface Filters {
  readonly text: string;
  readonly file: string | null;
  readonly server: string | null;
  readonly outcome: Operation['outcome'] | null;
}

export const noFilters: Filters = { text: '', file: null, server: null, outcome: null };

export interface Found {
  /** In the order of their beginning. */
  readonly operations: readonly Operation[];
  /** Indices of records, in their order; none without words. */
  readonly hits: readonly number[];
}

/** What is remembered of a record, for words and for filters. */
interface Entry {
  readonly operation: string;
  readonly text: string;
}

export class SearchIndex {
  readonly #model: TraceModel;
  readonly #entries: (Entry | null)[] = [];
  readonly #serversOf = new Map<string, Set<string>>();

  constructor(model: TraceModel) {
    this.#model = model;
  }

  /** The servers that an operation has had to do with. */
  serversOf(operation: string): ReadonlySet<string> {
    this.#grow();
    return this.#serversOf.get(operation) ?? none;
  }

  find({ text, file, server, outcome }: Filters): Found {
    this.#grow();
    const all = [...this.#model.run.operations.values()].filter(
      (operation) =>
        (file === null || operation.file === file) &&
        (outcome === null || operation.outcome === outcome) &&
        (server === null || this.serversOf(operation.name).has(server)),
    );
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return { operations: all, hits: [] };
    return this.#search(all, words);
  }

  /** Every word has to be somewhere in the operation; hits have all of those that they can have. */
  #search(candidates: readonly Operation[], words: readonly string[]): Found {
    // What is said of the operation itself is said of each of its records.
    const open = new Map(
      candidates.map((operation) => {
        const about = aboutOf(operation);
        const rest = words.filter((word) => !about.includes(word));
        return [operation.name, { rest, missing: new Set(rest), all: [], some: [] } as Search];
      }),
    );
    this.#entries.forEach((entry, position) => {
      const search = entry === null ? undefined : open.get(entry.operation);
      if (entry === null || search === undefined) return;
      const had = search.rest.filter((word) => entry.text.includes(word));
      if (had.length === 0) return;
      for (const word of had) search.missing.delete(word);
      (had.length === search.rest.length ? search.all : search.some).push(position);
    });
    const operations = candidates.filter(({ name }) => open.get(name)?.missing.size === 0);
    const hits = operations.flatMap(({ name, started, ended }) => {
      const { rest, all, some } = open.get(name) as Search;
      // Nothing but the operation is meant: how it ended, or else that it began.
      if (rest.length === 0) return [(ended ?? started).position - 1];
      return all.length > 0 ? all : some;
    });
    return { operations, hits: hits.sort((a, b) => a - b) };
  }

  #grow(): void {
    const { records } = this.#model;
    for (let i = this.#entries.length; i < records.length; i++) {
      const record = records[i] as TraceRecord;
      const operation = operationOf(record);
      if (operation === null) {
        this.#entries.push(null);
        continue;
      }
      const server = this.#serverOf(record);
      if (server !== null) this.#note(operation, server);
      const nickname = this.#model.run.nicknames.get(server ?? '') ?? '';
      const text = `${textOf(record)} ${server ?? ''} ${nickname}`.toLowerCase();
      this.#entries.push({ operation, text });
    }
  }

  #serverOf(record: TraceRecord): string | null {
    if (record.kind === 'message' || record.kind === 'advice') return record.server;
    return 'actor' in record ? (this.#model.tracks.get(record.actor)?.server ?? null) : null;
  }

  #note(operation: string, server: string): void {
    const servers = this.#serversOf.get(operation) ?? new Set();
    this.#serversOf.set(operation, servers.add(server));
  }
}

interface Search {
  /** The words that the operation itself does not have. */
  readonly rest: readonly string[];
  readonly missing: Set<string>;
  /** Records that have all of them, and records that have some. */
  readonly all: number[];
  readonly some: number[];
}

const none: ReadonlySet<string> = new Set();

function aboutOf({ name, kind, file, outcome, error }: Operation): string {
  const words = [name, kind, file, outcome, error?.name, error?.message];
  return words.join(' ').toLowerCase();
}

/** What a record says, without what is said of its operation. */
function textOf(record: TraceRecord): string {
  switch (record.kind) {
    case 'actor':
      return `${record.actor} ${record.chart}`;
    case 'event':
      return `${record.actor} ${record.type}`;
    case 'step': {
      const { failure } = (record.context ?? {}) as { failure?: { detail?: unknown } | null };
      return `${record.actor} ${record.state} ${record.event} ${failure?.detail ?? ''}`;
    }
    case 'end':
      return `${record.actor} ${record.status}`;
    case 'message': {
      const { error } = (record.detail ?? {}) as { error?: unknown };
      return `${record.what} ${record.event} ${error ?? ''}`;
    }
    case 'advice':
      return record.reason;
    default:
      return '';
  }
}
