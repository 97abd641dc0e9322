/**
 * @module read-trace: the text of a trace as its records, for whoever opens one: the page, the
 * judge.
 *
 * Somebody sent it, so nothing in it is believed: a line that is no record is named by its number,
 * a format of another time by its name. One thing is no fault: the process that wrote may have been
 * killed, so the last line may be cut off anywhere. No run-time import of a machine.
 */
import { type TraceRecord, traceFormat } from '../simulation/world-types.ts';
import { chartProblem } from './chart-problem.ts';

export type ReadTrace =
  | {
      readonly kind: 'trace';
      /**
       * Their `seq` grows; what lies deeper in them than the fields of their kind is not checked.
       * None where the first line is cut off.
       */
      readonly records: readonly TraceRecord[];
      /** What is to be said of a trace that is not whole, in a sentence without an end. */
      readonly note: string | null;
    }
  /** `problem` goes on after the name of the file: `line 7: is no record: …`, or `is empty`. */
  | { readonly kind: 'refused'; readonly problem: string };

/** @param trace JSON lines in UTF-8; the last one may be a part of one */
export function readTrace(trace: string | Uint8Array): ReadTrace {
  const reader = new TraceReader();
  reader.add(typeof trace === 'string' ? new TextEncoder().encode(trace) : trace);
  return reader.end();
}

/** Reads a trace piece by piece, since no text can be as long as a trace may be. */
export class TraceReader {
  readonly #records: TraceRecord[] = [];
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** The first two bytes. */
  #head: readonly number[] = [];
  #lines = 0;
  /** What is behind the last line feed, in pieces. */
  #rest: string[] = [];
  #problem: string | undefined;

  /** @returns whether more of it is wanted: nothing is, behind what is wrong */
  add(bytes: Uint8Array): boolean {
    if (this.#head.length < 2) {
      this.#head = [...this.#head, ...bytes.subarray(0, 2 - this.#head.length)];
      this.#problem ??= encodingProblem(this.#head);
    }
    if (this.#problem === undefined) this.#addText(this.#decode(bytes));
    return this.#problem === undefined;
  }

  end(): ReadTrace {
    if (this.#problem !== undefined) return refused(this.#problem);
    // A letter may be cut off, too, and is a part of a line that is then.
    const rest = this.#rest.join('') + (this.#isLetterOpen() ? '\uFFFD' : '');
    const records = this.#records;
    if (rest.trim() === '') {
      return records.length === 0 ? refused('is empty') : { kind: 'trace', records, note: null };
    }
    const line = this.#lines + 1;
    const problem = add(records, rest);
    if (problem === undefined) return { kind: 'trace', records, note: null };
    // Of a line that is not whole nothing can be said, but that it does not begin like one.
    const isCutOff = parsed(rest) === undefined && rest.startsWith('{');
    if (!isCutOff) return refused(`line ${line}: ${problem}`);
    return { kind: 'trace', records, note: `line ${line}, the last one, is cut off` };
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch {
      this.#problem = notUtf8;
      return '';
    }
  }

  #isLetterOpen(): boolean {
    try {
      this.#decoder.decode();
      return false;
    } catch {
      return true;
    }
  }

  #addText(text: string): void {
    const [first = '', ...more] = text.split('\n');
    this.#rest.push(first);
    for (const next of more) {
      const line = this.#rest.join('');
      this.#rest = [next];
      this.#lines++;
      const problem = line.trim() === '' ? undefined : add(this.#records, line);
      if (problem === undefined) continue;
      this.#problem = `line ${this.#lines}: ${problem}`;
      return;
    }
  }
}

const notUtf8 = 'is not UTF-8';

/** What tools and editors make of a trace, by the first two bytes of it. */
function encodingProblem([first, second]: readonly number[]): string | undefined {
  if (first === 0x1f && second === 0x8b) return 'is compressed (gzip)';
  // UTF-16 without a mark: of `{` one of two bytes is 0.
  return first === 0 || second === 0 ? notUtf8 : undefined;
}

function refused(problem: string): ReadTrace {
  return { kind: 'refused', problem };
}

/** Adds what a line says. @returns what is wrong with it */
function add(records: TraceRecord[], line: string): string | undefined {
  const value = parsed(line);
  if (value === undefined) return 'is no JSON';
  const last = records.at(-1);
  const problem = last === undefined ? headerProblem(value) : recordProblem(value, last.seq);
  if (problem === undefined) records.push(value as TraceRecord);
  return problem;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Why the first line is no header of ours. */
function headerProblem(value: unknown): string | undefined {
  const { format, kind } = fieldsOf(value);
  if (typeof format === 'string' && format !== traceFormat) {
    return `the format is ${JSON.stringify(format)}; only ${JSON.stringify(traceFormat)} is read`;
  }
  if (kind === 'header' && format !== undefined) return recordProblem(value, -1);
  const isRecord = typeof kind === 'string' && shapes.has(kind);
  return isRecord
    ? `there is no header, as in traces before ${JSON.stringify(traceFormat)}, the only format that is read`
    : 'is no header of a trace';
}

export function recordProblem(value: unknown, lastSeq: number): string | undefined {
  const record = fieldsOf(value);
  const { kind, seq } = record;
  if (typeof kind !== 'string') return 'is no record: it has no kind';
  const shape = shapes.get(kind);
  if (shape === undefined) return `is no record: ${JSON.stringify(kind)} is no kind of one`;
  const wrong = wrongField(record, { ...stamp, ...shape });
  if (wrong !== undefined) return `is no ${kind} record: field ${wrong} is not as it should be`;
  if ((seq as number) > lastSeq) return undefined;
  return `its seq, ${seq}, is not above ${lastSeq}, the one before`;
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

/** None for what has none. */
function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function wrongField(value: Fields, shape: Shape): string | undefined {
  return Object.keys(shape).find(
    (field) => !shape[field]?.(Object.hasOwn(value, field) ? value[field] : undefined),
  );
}

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && value >= 0;
const isObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** What JSON has, but for what is not there at all. */
const isJson: Check = (value) => value !== undefined;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const objectOf =
  (shape: Shape): Check =>
  (value) =>
    isObject(value) && wrongField(value as Fields, shape) === undefined;
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);

const stamp: Shape = { seq: Number.isSafeInteger, at: isNumber, step: isNumber };
const transition = objectOf({
  ...{ source: isText, event: isText, target: orNull(isText) },
  index: (value) => typeof value === 'number',
});
const encoding = objectOf({ required: isNumber, happy: isNumber, total: isNumber });

/** The fields of each kind of record, as far as readers take them for granted. */
const shapes: ReadonlyMap<string, Shape> = new Map(
  Object.entries({
    header: { format: isText, about: isObject },
    choice: { index: isNumber, label: isText },
    grid: {
      ...{ grid: isText, encoding, deadlines: isObject },
      servers: listOf(objectOf({ id: isText, nickname: orNull(isText) })),
    },
    chart: { chart: (value) => chartProblem(value) === undefined },
    operation: {
      ...{ operation: isText, event: oneOf('started', 'ended', 'killed', 'cancelled') },
      ...{ spec: isObject, result: orNull(isObject) },
    },
    message: {
      ...{ event: isText, id: orNull(isText), operation: isText, server: isText, what: isText },
      ...{ phase: isText, detail: isJson },
    },
    place: {
      ...{ server: isText, shnum: isNumber, operation: orNull(isText) },
      ...{ before: orNull(isText), after: orNull(isText) },
    },
    server: { server: isText, event: isText, shnum: orNull(isNumber), field: orNull(isText) },
    advice: { operation: isText, server: isText, shnum: isNumber, reason: isText },
    contents: { operation: isText, seen: orNull(listOf(isText)), made: listOf(isText) },
    clock: { now: isNumber },
    actor: { actor: isText, chart: isText, parent: orNull(isText), input: isJson },
    event: { actor: isText, source: orNull(isText), type: isText, data: isJson },
    step: {
      ...{ actor: isText, chart: isText, event: isText, state: isText },
      ...{ transitions: listOf(transition), context: isJson },
    },
    end: {
      actor: isText,
      chart: isText,
      status: oneOf('done', 'stopped', 'error'),
      output: isJson,
    },
  } satisfies Record<TraceRecord['kind'], Shape>),
);
