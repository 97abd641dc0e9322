/**
 * @module read-trace: the text of a trace (JSON lines) as records. Nothing that is wrong with it
 * gets past here: who reads on may believe the types.
 *
 * A process that is killed leaves a last line that is cut off. That is no error: what is whole is
 * read, and a note says so. Pure, and without a module of Node: the page and the command line read
 * by this.
 */
import { TraceError } from '../errors.ts';
import { type TraceRecord, traceFormat } from '../simulation/world-types.ts';

export interface ReadTrace {
  /** The header is the first one. */
  readonly records: readonly TraceRecord[];
  /** What a reader should know: the end is cut off. */
  readonly note: string | null;
}

/**
 * @param name of the file, for the message
 * @throws TraceError which names the line: it is no JSON, no record, or of another format
 */
export function readTrace(name: string, text: string): ReadTrace {
  const problem = (what: string) => new TraceError(name, what);
  const lines = text.split('\n');
  const records: TraceRecord[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const value = parsed(line);
    if (value === undefined) {
      // Only the last one has no end of line.
      if (i === lines.length - 1 && records.length > 0) {
        return { records, note: `Line ${i + 1}, the last one, is cut off: the end is missing.` };
      }
      throw problem(`line ${i + 1} is no JSON`);
    }
    const wrong = records.length === 0 ? wrongHeader(value, i + 1) : wrongRecord(value, i + 1);
    if (wrong !== null) throw problem(wrong);
    records.push(value as TraceRecord);
  }
  if (records.length === 0) throw problem('there is nothing in it');
  return { records, note: null };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

const again = 'Record the run again with this version, or open it with the version that wrote it';

function wrongHeader(value: unknown, line: number): string | null {
  const record = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof record.kind !== 'string') return `line ${line} is no record of a trace`;
  if (record.kind !== 'header') {
    return `it has no header, as traces older than ‘${traceFormat}’ have none. ${again}`;
  }
  if (record.format === traceFormat) return wrongRecord(value, line, true);
  return `its format is ‘${String(record.format).slice(0, 60)}’; this version reads ‘${traceFormat}’. ${again}`;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => Number.isFinite(value);
const isObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const objectOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && wrongField(value as object, fields) === undefined;

const stamps = { seq: isNumber, at: isNumber, step: isNumber };
const isServer = objectOf({ id: isText, nickname: orNull(isText) });
const isTaken = objectOf({
  source: isText,
  event: isText,
  index: isNumber,
  target: orNull(isText),
});
const isDeadlines = objectOf({
  ...{ queryMs: isNumber, verifyMs: isNumber, readMs: isNumber, writeMs: isNumber },
});
const isState: Check = (value) =>
  objectOf({ path: isText, key: isText, kind: isText, states: listOf(isState) })(value);
const isTransition = objectOf({
  ...{ id: isText, source: isText, target: orNull(isText), event: isText, guard: isText },
});

/** What readers of each kind rely on. */
const fieldsOf = new Map<string, Readonly<Record<string, Check>>>([
  ['header', {}],
  ['choice', { index: isNumber, label: isText }],
  ['grid', { grid: isText, encoding: isObject, servers: listOf(isServer), deadlines: isDeadlines }],
  ['chart', { chart: objectOf({ id: isText, root: isState, transitions: listOf(isTransition) }) }],
  ['operation', { operation: isText, event: isText, result: orNull(isObject) }],
  [
    'message',
    { event: isText, id: orNull(isText), operation: isText, server: isText, what: isText },
  ],
  ['place', { server: isText, shnum: isNumber, before: orNull(isText), after: orNull(isText) }],
  ['server', { server: isText, event: isText }],
  ['advice', { operation: isText, server: isText, shnum: isNumber, reason: isText }],
  ['contents', { operation: isText }],
  ['clock', { now: isNumber }],
  ['actor', { actor: isText, chart: isText, parent: orNull(isText) }],
  ['event', { actor: isText, source: orNull(isText), type: isText }],
  [
    'step',
    { actor: isText, chart: isText, event: isText, state: isText, transitions: listOf(isTaken) },
  ],
  ['end', { actor: isText, chart: isText, status: isText }],
]);

function wrongRecord(value: unknown, line: number, isFirst = false): string | null {
  const { kind } = (value ?? {}) as { readonly kind?: unknown };
  if (typeof kind !== 'string') return `line ${line} is no record of a trace`;
  const fields = fieldsOf.get(kind);
  if (fields === undefined)
    return `line ${line} is a record of an unknown kind, ‘${kind.slice(0, 60)}’`;
  if (kind === 'header' && !isFirst) return `line ${line} is a second header: these are two traces`;
  const wrong = wrongField(value as object, { ...stamps, ...fields });
  return wrong === undefined ? null : `line ${line}: \`${wrong}\` of this ${kind} is wrong`;
}

function wrongField(value: object, fields: Readonly<Record<string, Check>>): string | undefined {
  const entries = Object.entries(fields);
  return entries.find(([name, check]) => !check((value as Record<string, unknown>)[name]))?.[0];
}
