/**
 * @module json: metadata as Python's `json` reads and writes them, so that a change of one member
 * leaves the bytes of the others as Tahoe would.
 *
 * `JSON.parse` forgets the difference between `1.0` and `1`, digits beyond 2^53, and the order of
 * members that look like numbers. So a number stays its text here, and an object is a `Map`.
 */

/** A number, as Python writes it. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Json = null | boolean | string | NumberText | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** Levels of nesting; Python ends at some thousand. */
const depthMax = 200;
/** Characters of a number; Python ends there too. */
const numberTextMax = 4300;
const NUMBER = /-?(?:(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|Infinity)|NaN/y;
const BLANKS = /[ \t\n\r]*/y;
const WORDS = new Map<string, null | boolean>([
  ['null', null],
  ['true', true],
  ['false', false],
]);

/** Where no JSON is. */
class NoJson extends Error {}

/** What `text` says; undefined where it is no JSON, or deeper or longer than is read. */
export function parseJson(text: string): Json | undefined {
  try {
    return new Parser(text).document();
  } catch (error) {
    if (error instanceof NoJson || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(0);
    if (this.#at < this.#text.length) throw new NoJson();
    return value;
  }

  /** A value with the blanks around it. */
  #value(depth: number): Json {
    if (depth > depthMax) throw new NoJson();
    this.#match(BLANKS);
    const value = this.#bareValue(depth);
    this.#match(BLANKS);
    return value;
  }

  #bareValue(depth: number): Json {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#list(depth);
      case '"':
        return this.#string();
    }
    for (const [word, value] of WORDS) if (this.#skip(word)) return value;
    const [text, fraction, exponent] = this.#match(NUMBER);
    if (text.length > numberTextMax) throw new NoJson();
    const isFloat = fraction !== undefined || exponent !== undefined;
    return new NumberText(isFloat ? floatText(Number(text), text) : text.replace(/^-0$/, '0'));
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>();
    this.#at++;
    this.#match(BLANKS);
    if (this.#skip('}')) return members;
    do {
      this.#match(BLANKS);
      if (this.#text[this.#at] !== '"') throw new NoJson();
      const key = this.#string();
      this.#match(BLANKS);
      if (!this.#skip(':')) throw new NoJson();
      members.set(key, this.#value(depth + 1));
    } while (this.#skip(','));
    if (!this.#skip('}')) throw new NoJson();
    return members;
  }

  #list(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    this.#match(BLANKS);
    if (this.#skip(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#skip(','));
    if (!this.#skip(']')) throw new NoJson();
    return items;
  }

  #string(): string {
    const start = this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #skip(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw new NoJson();
    this.#at += found[0].length;
    return found;
  }
}

/** As `json.dumps` writes it: in ASCII, with a blank behind each comma and colon. */
export function dumpJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return stringText(value);
  if (value instanceof NumberText) return value.text;
  if (!isObject(value)) return `[${value.map(dumpJson).join(', ')}]`;
  const members = [...value].map(([key, item]) => `${stringText(key)}: ${dumpJson(item)}`);
  return `{${members.join(', ')}}`;
}

/** What a program works with; numbers are JavaScript's. */
export function plainOf(value: Json): unknown {
  if (value instanceof NumberText) return Number(value.text);
  if (isObject(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [key, plainOf(item)]));
  }
  return Array.isArray(value) ? value.map(plainOf) : value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/** A number of seconds, which is a float in Python, also when it is whole. */
export function floatOf(value: number): NumberText {
  return new NumberText(floatText(value, String(value)));
}

function stringText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Python's `repr` of a float. @param source what stands for one that is too large for it */
function floatText(value: number, source: string): string {
  if (!Number.isFinite(value)) return source;
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  // Between these, JavaScript writes no exponent but for what is below 1e-6, which 1e-4 is not.
  const text = String(value);
  return Number.isInteger(value) ? `${text}.0` : text;
}
