/**
 * @module documented: docs/json.md, as the schema that it is.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.ts';

interface Field {
  readonly type: string;
  readonly isOptional: boolean;
}
type Shape = ReadonlyMap<string, Field>;

/** By the titles of their sections. */
const shapes = new Map<string, Shape>();
for (const section of readFileSync(join(root, 'docs/json.md'), 'utf8').split(/^### /m).slice(1)) {
  const [title = ''] = section.split('\n', 1);
  const rows = section.matchAll(/^\| (?:`([^`?]+)(\??)`|(all of \w+)) \|([^|]*)\|/gm);
  const fields = [...rows].map(([, name, mark, all, type = '']) => {
    return [name ?? (all as string), { type: type.trim(), isOptional: mark === '?' }] as const;
  });
  shapes.set(title.trim(), new Map(fields));
}

/** The commands and shapes that are described. */
export const described: readonly string[] = [...shapes.keys()];

function fieldsOf(name: string): Shape {
  const shape = shapes.get(name);
  if (shape === undefined) throw new Error(`docs/json.md has no ${name}`);
  const fields = [...shape].flatMap(([field, what]) => {
    const [, other] = /^all of (\w+)$/.exec(field) ?? [];
    return other === undefined ? [[field, what] as const] : [...fieldsOf(other)];
  });
  return new Map(fields);
}

/** What of a value is not as the section of that name says; empty if all is. */
export function misfits(value: object, name: string, where = name): readonly string[] {
  const fields = fieldsOf(name);
  const unknown = Object.keys(value).filter((key) => !fields.has(key));
  return [
    ...unknown.map((key) => `${where}.${key} is not in docs/json.md`),
    ...[...fields].flatMap(([key, { type, isOptional }]) => {
      if (key in value) return mismatch(Reflect.get(value, key), type, `${where}.${key}`);
      return isOptional ? [] : [`${where}.${key} is missing`];
    }),
  ];
}

function mismatch(value: unknown, type: string, where: string): readonly string[] {
  const [, nullable] = /^(.*) or null$/.exec(type) ?? [];
  if (nullable !== undefined) return value === null ? [] : mismatch(value, nullable, where);
  const [, item] = /^(.*)\[\]$/.exec(type) ?? [];
  if (item !== undefined) {
    if (!Array.isArray(value)) return [`${where} is no list`];
    return value.flatMap((one, i) => mismatch(one, item, `${where}[${i}]`));
  }
  if (type === 'any') return [];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const [, inMap] = /^map of (.*)$/.exec(type) ?? [];
  if (inMap !== undefined) {
    if (!isObject) return [`${where} is no object`];
    return Object.entries(value).flatMap(([key, one]) => mismatch(one, inMap, `${where}.${key}`));
  }
  if (/^[a-z]/.test(type)) return typeof value === type ? [] : [`${where} is no ${type}`];
  return isObject ? misfits(value, type, where) : [`${where} is no object`];
}
