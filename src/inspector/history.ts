/**
 * @module history: what has been told of the runs so far, for who joins late; it has a limit.
 *
 * When it is full, whole runs are forgotten, the oldest first, and it says which numbers are
 * missing: half a run would be a riddle. A run is a chart that a caller started and all below it.
 */
import { goneMessage, type WireMessage } from './wire.ts';

/** As JSON, in characters: some hundred reads of a file on ten servers. */
export const historyMax = 16 * 1024 * 1024;

/** Names of forgotten runs that may not be over yet. There is one per operation under way. */
const forgottenMax = 1000;

interface Told {
  readonly position: number;
  readonly json: string;
  /** The numbers of the records in it. */
  readonly seqs: readonly number[];
}

interface Run {
  readonly told: Told[];
  size: number;
}

export class History {
  readonly #max: number;
  /** By name, the oldest first. */
  readonly #runs = new Map<string, Run>();
  readonly #forgotten = new Set<string>();
  #size = 0;
  #position = 0;

  constructor(max: number = historyMax) {
    this.#max = max;
  }

  /** Keeps a message, unless it is of a run that is forgotten. @returns what to tell, as JSON */
  add(message: WireMessage): readonly string[] {
    const seqs = 'made' in message ? [message.made.seq, message.seq] : [message.seq];
    const [name = ''] = message.sessionId.split('/', 1);
    if (this.#forgotten.has(name)) return seqs.map((seq) => gone(seq, seq + 1));
    const run = this.#runs.get(name) ?? { told: [], size: 0 };
    this.#runs.set(name, run);
    const json = JSON.stringify(message);
    run.told.push({ position: this.#position++, json, seqs });
    run.size += json.length;
    this.#size += json.length;
    this.#forgetOldest();
    return [json];
  }

  /** What is kept, in order, after what says which numbers are not. */
  messages(): readonly string[] {
    const told = [...this.#runs.values()].flatMap((run) => run.told);
    told.sort((a, b) => a.position - b.position);
    const gaps = gapsIn(told.flatMap(({ seqs }) => seqs));
    return [...gaps.map(([from, until]) => gone(from, until)), ...told.map(({ json }) => json)];
  }

  #forgetOldest(): void {
    for (const [name, { size }] of this.#runs) {
      if (this.#size <= this.#max) return;
      this.#runs.delete(name);
      this.#size -= size;
      this.#forgotten.add(name);
      const [first] = this.#forgotten;
      if (this.#forgotten.size > forgottenMax) this.#forgotten.delete(first!);
    }
  }
}

function gone(from: number, until: number): string {
  return JSON.stringify(goneMessage(from, until));
}

/** The ranges of numbers, up to the highest, that are not in `seqs`; their ends are exclusive. */
function gapsIn(seqs: readonly number[]): readonly (readonly [number, number])[] {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    if (seq > next) gaps.push([next, seq]);
    next = seq + 1;
  }
  return gaps;
}
