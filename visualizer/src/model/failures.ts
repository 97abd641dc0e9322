/**
 * @module failures: what went wrong, found in what a trace tells of an actor.
 */
import type { Json } from '../../../src/runtime/trace.ts';

export interface FailureText {
  /** `failures.0`; '' is the value itself. */
  readonly where: string;
  /** `timeout: no answer to the query` */
  readonly text: string;
}

/** More are of no use to anybody. */
const most = 20;

/**
 * Every failure in a value of JSON: `{ kind, detail }` as charts have them, `{ error, message }` as
 * errors are recorded, `{ kind, reason }` of a share that is not good.
 */
export function failuresIn(value: Json): readonly FailureText[] {
  const found: FailureText[] = [];
  // Without recursion: what somebody sent may be as deep as it likes.
  const left: [string, Json][] = [['', value]];
  while (left.length > 0 && found.length < most) {
    const [where, next] = left.shift() as [string, Json];
    if (typeof next !== 'object' || next === null) continue;
    const text = textOf(next as Readonly<Record<string, Json | undefined>>);
    if (text !== null) found.push({ where, text });
    for (const [key, field] of Object.entries(next)) {
      left.push([where === '' ? key : `${where}.${key}`, field ?? null]);
    }
  }
  return found;
}

const pairs = [
  ['kind', 'detail'],
  ['error', 'message'],
  ['kind', 'reason'],
] as const;

function textOf(value: Readonly<Record<string, Json | undefined>>): string | null {
  for (const [name, words] of pairs) {
    const [title, text] = [own(value, name), own(value, words)];
    if (typeof title === 'string' && typeof text === 'string') return `${title}: ${text}`;
  }
  return null;
}

function own(value: Readonly<Record<string, Json | undefined>>, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
