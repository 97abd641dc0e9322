/**
 * @module history: what has been told of the runs so far, for who joins late or reads slowly; it
 * has limits.
 *
 * When it is full, whole operations are forgotten (`operation-records.ts` says which). Messages are
 * numbered as their records, so a number that is left out says what is gone.
 */
import type { TraceRecord } from '../simulation/world-types.ts';
import { inOrderOfForgetting, isLastOfOperation, operationOf } from './operation-records.ts';

export interface HistoryLimits {
  /** 100,000 by default: some six hundred reads of a file on thirteen servers. */
  readonly records: number;
  /** Of their JSON, in characters; 64 MiB by default. */
  readonly size: number;
}

export const historyLimits: HistoryLimits = { records: 100_000, size: 64 * 1024 * 1024 };

/** What is made room for at a time, as a part of the limits: it takes a look at everything. */
const roomShare = 0.1;

interface Told {
  readonly seq: number;
  readonly operation: string | null;
  readonly json: string;
}

interface Sizes {
  records: number;
  size: number;
  isEnded: boolean;
}

export class History {
  readonly limits: HistoryLimits;
  /** In the order of `seq`. */
  #told: Told[] = [];
  /** In the order of their beginning. */
  readonly #operations = new Map<string, Sizes>();
  /** Forgotten before they were over: what comes of them is gone, too. */
  readonly #cutOff = new Set<string>();
  #size = 0;
  #next = 0;
  #gone = { records: 0, operations: 0 };

  constructor(limits: Partial<HistoryLimits> = {}) {
    this.limits = { ...historyLimits, ...limits };
  }

  /** What is not kept any more. */
  get gone(): { readonly records: number; readonly operations: number } {
    return this.#gone;
  }

  /** The number of the next record. */
  get next(): number {
    return this.#next;
  }

  /** Keeps a record and its message, unless it is of an operation that is forgotten. */
  add(record: TraceRecord, json: string): void {
    const { seq } = record;
    this.#next = seq + 1;
    const operation = operationOf(record);
    if (operation !== null) {
      const isLast = isLastOfOperation(record);
      if (this.#cutOff.has(operation)) {
        this.#gone.records++;
        if (isLast) this.#cutOff.delete(operation);
        return;
      }
      const sizes = this.#operations.get(operation) ?? { records: 0, size: 0, isEnded: false };
      this.#operations.set(operation, sizes);
      sizes.records++;
      sizes.size += json.length;
      sizes.isEnded ||= isLast;
    }
    this.#told.push({ seq, operation, json });
    this.#size += json.length;
    if (!this.#isWithin(1, this.#told.length)) this.#makeRoom();
  }

  /**
   * The messages of the records from number `from` on, as many as fit into `size` characters, but
   * one at least if there is one; and the number to go on with.
   */
  read(
    from: number,
    size: number,
  ): { readonly messages: readonly string[]; readonly next: number } {
    const messages: string[] = [];
    let [next, left] = [from, size];
    for (let i = this.#indexOf(from); i < this.#told.length; i++) {
      const { seq, json } = this.#told[i] as Told;
      if (messages.length > 0 && json.length > left) return { messages, next };
      messages.push(json);
      left -= json.length;
      next = seq + 1;
    }
    return { messages, next };
  }

  #indexOf(from: number): number {
    let [low, high] = [0, this.#told.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#told[middle] as Told).seq < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isWithin(share: number, count: number): boolean {
    const { records, size } = this.limits;
    return count <= records * share && this.#size <= size * share;
  }

  #makeRoom(): void {
    let count = this.#told.length;
    for (const name of inOrderOfForgetting(this.#operations)) {
      if (this.#isWithin(1 - roomShare, count)) break;
      const { records, size, isEnded } = this.#operations.get(name) as Sizes;
      this.#operations.delete(name);
      if (!isEnded) this.#cutOff.add(name);
      count -= records;
      this.#size -= size;
      this.#gone.records += records;
      this.#gone.operations++;
    }
    this.#told = this.#told.filter(
      ({ operation }) => operation === null || this.#operations.has(operation),
    );
  }
}
