/**
 * @module history: what has been told of the runs so far, for who joins late or reads slowly; it
 * has limits.
 *
 * When it is full, records are forgotten (`operation-records.ts` says which), but not what a page
 * that is connected is about to be sent: for that there is additional room. Messages are numbered
 * as their records, so a number that is left out says what is gone.
 */
import type { TraceRecord } from '../simulation/world-types.ts';
import { forget, type Outline, outlineOf } from './operation-records.ts';

export interface HistoryLimits {
  /** 100,000 by default: some six hundred reads of a file on thirteen servers. */
  readonly records: number;
  /** Of their JSON, in characters; 64 MiB by default. */
  readonly size: number;
}

export const historyLimits: HistoryLimits = { records: 100_000, size: 64 * 1024 * 1024 };

/** What is made room for at a time, as a part of the limits: it takes a look at everything. */
const roomShare = 0.1;

/** Of what is kept beyond the limits for those who have yet to read it, in characters. */
const unsentMax = 16 * 1024 * 1024;

interface Told extends Outline {
  readonly seq: number;
  readonly json: string;
}

export class History {
  readonly limits: HistoryLimits;
  readonly #unsentFrom: () => number;
  /** In the order of `seq`. */
  #told: Told[] = [];
  #size = 0;
  #next = 0;
  #gone = { records: 0, operations: 0 };
  /** When room is made again. */
  #ceiling: HistoryLimits;

  /** @param unsentFrom the number of the first record that somebody who reads has yet to be sent */
  constructor(
    limits: Partial<HistoryLimits> = {},
    unsentFrom: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.limits = { ...historyLimits, ...limits };
    this.#ceiling = this.limits;
    this.#unsentFrom = unsentFrom;
  }

  /** What is not kept any more; only whole operations are counted. */
  get gone(): { readonly records: number; readonly operations: number } {
    return this.#gone;
  }

  /** The number of the next record. */
  get next(): number {
    return this.#next;
  }

  /** Keeps a record and its message. */
  add(record: TraceRecord, json: string): void {
    const { seq } = record;
    this.#next = seq + 1;
    this.#told.push({ ...outlineOf(record, json.length), seq, json });
    this.#size += json.length;
    const { records, size } = this.#ceiling;
    if (this.#told.length > records || this.#size > size) this.#makeRoom();
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

  #makeRoom(): void {
    const { limits } = this;
    const share = 1 - roomShare;
    const room = { records: limits.records * share, size: limits.size * share };
    const { isGone, records, operations } = forget(this.#told, room, this.#firstUnsent());
    this.#told = this.#told.filter((_, place) => !isGone[place]);
    this.#size = this.#told.reduce((sum, { size }) => sum + size, 0);
    this.#gone = {
      records: this.#gone.records + records,
      operations: this.#gone.operations + operations,
    };
    // What could not go is not looked at again for every record.
    this.#ceiling = {
      records: Math.max(limits.records, this.#told.length / share),
      size: Math.max(limits.size, this.#size / share),
    };
  }

  /** The place from which nothing goes, as somebody is about to read it. */
  #firstUnsent(): number {
    const first = this.#indexOf(this.#unsentFrom());
    let size = 0;
    for (let place = first; place < this.#told.length && size <= unsentMax; place++) {
      size += (this.#told[place] as Told).size;
    }
    return size <= unsentMax ? first : this.#told.length;
  }
}
