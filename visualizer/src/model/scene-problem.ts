/**
 * @module scene-problem: what is wrong with a scene that somebody sent, by the name of the field,
 * before a world is made of it.
 */
import type { Rule } from '../../../machines/rules.ts';
import type { Mode } from '../../../machines/servermap.ts';
import type { Format } from '../../../src/caps.ts';
import type { RotField } from '../../../src/simulation/disk.ts';
import { faultKinds } from '../../../src/simulation/faults.ts';
import type { Task } from '../../../src/simulation/operations.ts';
import { quoted } from './quoted.ts';

/** The most that a scene may have: a page is to show it, and every share is written and signed. */
const [serversMax, operationsMax, sharesMax, bytesMax] = [255, 64, 255, 10_000_000];
const numberMax = 1_000_000;

/** What is wrong with a value, if anything; it begins with the name of the field. */
type Check = (name: string, value: unknown) => string | null;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const whole =
  (min: number, max: number): Check =>
  (name, value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? null
      : `${name} is ${shown(value)}, no whole number from ${min} to ${max}`;

const flag: Check = (name, value) =>
  typeof value === 'boolean' ? null : `${name} is ${shown(value)}, neither true nor false`;

/** One of the keys; the compiler sees to it that none is missing. */
const oneOf =
  <Word extends string>(words: Readonly<Record<Word, true>>): Check =>
  (name, value) =>
    typeof value === 'string' && Object.hasOwn(words, value)
      ? null
      : `${name} is ${shown(value)}, none of ${Object.keys(words).join(', ')}`;

const name: Check = (of, value) =>
  typeof value === 'string' && /^[A-Za-z]\w{0,31}$/.test(value)
    ? null
    : `${of} is ${shown(value)}, no name of letters and digits`;

const list =
  (max: number, each: Check): Check =>
  (of, value) => {
    if (!Array.isArray(value)) return `${of} is ${shown(value)}, no list`;
    if (value.length > max) return `${of} has ${value.length} entries; the limit is ${max}`;
    return firstOf(value.map((entry, i) => () => each(`${of}[${i}]`, entry)));
  };

/** An object with these fields; any that is not there is fine unless it is needed. */
const fields =
  (checks: Readonly<Record<string, Check>>, needed: readonly string[] = []): Check =>
  (of, value) => {
    if (!isObject(value)) return `${of} is ${shown(value)}, no object`;
    const own = (field: string) => (Object.hasOwn(value, field) ? value[field] : undefined);
    const missing = needed.find((field) => own(field) === undefined);
    if (missing !== undefined) return `${of} has no ${missing}`;
    const there = Object.entries(checks).filter(([field]) => own(field) !== undefined);
    return firstOf(
      there.map(
        ([field, check]) =>
          () =>
            check(`${of}.${field}`, own(field)),
      ),
    );
  };

const rules = oneOf<Rule>({ ours: true, fix2015: true, ticket: true });
const kinds = oneOf<Task['kind']>({
  ...({ create: true, overwrite: true, modify: true, update: true, append: true } as const),
  ...({ link: true, read: true, map: true, verify: true, repair: true, call: true } as const),
});
const modes = oneOf<Mode>({ anything: true, read: true, write: true, check: true, repair: true });
const rot = oneOf<RotField>({
  ...({ prefix: true, offsets: true, key: true, signature: true } as const),
  ...({ privkey: true, chain: true, tree: true, blocks: true } as const),
});

const count = whole(0, numberMax);
const bytes = whole(0, bytesMax);
const shnum = whole(0, 255);

const share: Check = (of, value) =>
  isObject(value)
    ? fields({ shnum, seqnum: count, series: count, rot, isForeign: flag }, ['shnum'])(of, value)
    : shnum(of, value);

const encoding: Check = (of, value) => {
  const positive = whole(1, sharesMax);
  const problem = fields({ required: positive, happy: positive, total: positive }, [
    ...['required', 'total'],
  ])(of, value);
  if (problem !== null) return problem;
  const { required, happy, total } = value as Readonly<Record<string, number>>;
  const atMost = whole(1, total as number);
  return (
    atMost(`${of}.required`, required) ??
    (happy === undefined ? null : atMost(`${of}.happy`, happy))
  );
};

const task: Check = (of, value) =>
  fields(
    { kind: kinds, attempts: count, offset: bytes, mode: modes },
    (value as { kind?: unknown } | null)?.kind === 'map' ? ['kind', 'mode'] : ['kind'],
  )(of, value);

const operation = fields({ name, task, rule: rules, client: name, size: bytes, force: flag }, [
  'name',
  'task',
]);

const options = fields({
  seed: count,
  format: oneOf<Format>({ sdmf: true, mdmf: true }),
  isDirectory: flag,
  encoding: (of, value) => fields({}, ['happy'])(of, value) ?? encoding(of, value),
  losable: whole(0, serversMax),
  fileEncoding: encoding,
  servers: list(serversMax, fields({ shares: list(256, share), joinsLater: flag })),
  size: bytes,
  operations: list(operationsMax, operation),
  faults: list(
    faultKinds.length,
    oneOf(Object.fromEntries(faultKinds.map((kind) => [kind, true as const]))),
  ),
  headLength: whole(1, bytesMax),
  isDeaf: flag,
});

/** Null: nothing is wrong; it can be played. */
export function problemOfScene(value: unknown): string | null {
  const { sides } = (value ?? {}) as { readonly sides?: unknown };
  if (!Array.isArray(sides) || sides.length < 1 || sides.length > 2) {
    return 'a scene has one side, or two';
  }
  return firstOf(sides.map((side, i) => () => problemOfSide(side, `side ${i + 1}`)));
}

function problemOfSide(side: unknown, of: string): string | null {
  const { title, short, options: given } = (side ?? {}) as Readonly<Record<string, unknown>>;
  const { servers, operations } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof title !== 'string' || typeof short !== 'string') return `${of} has no title`;
  if (!Array.isArray(servers)) return `${of} has no list of servers`;
  if (!Array.isArray(operations)) return `${of} has no list of operations`;
  const problem = options('options', given);
  if (problem !== null) return `${of}, ${problem.replace(/^options\./, '')}`;
  const names = operations.map(({ name: own }) => own as string);
  const twice = names.find((own, i) => names.indexOf(own) < i);
  return twice === undefined ? null : `${of}, operations: two are called ${quoted(twice)}`;
}

function firstOf(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const problem = check();
    if (problem !== null) return problem;
  }
  return null;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
