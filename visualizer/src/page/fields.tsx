/**
 * @module fields: values as nested lists. What has changed says so by a word and a shape, long
 * lists are folded around it.
 */
import { useState } from 'preact/hooks';
import type { Json } from '../../../src/runtime/trace.ts';
import { changesIn, type Field } from '../model/changes.ts';
import { nameOfServer } from '../recording-store.ts';

/** More fields than this are folded. */
const longest = 16;
/** Of those, so many are shown beside what has changed. */
const shownAnyway = 6;
/** Deeper than this is folded, unless something in it has changed. */
const deepOpen = 2;

interface Props {
  readonly list: readonly Field[];
  readonly depth?: number;
}

export function Fields({ list, depth = 0 }: Props) {
  const [isWhole, showWhole] = useState(false);
  const isLong = list.length > longest;
  const shown =
    isLong && !isWhole
      ? list.filter(({ change }, i) => change !== 'same' || i < shownAnyway)
      : list;
  return (
    <ul class="fields">
      {shown.slice(0, isWhole ? list.length : longest).map((field) => (
        <FieldRow key={field.key} field={field} depth={depth} />
      ))}
      {isLong && (
        <li>
          <button
            type="button"
            class="fold"
            aria-expanded={isWhole}
            onClick={() => showWhole(!isWhole)}
          >
            all {list.length}
          </button>
        </li>
      )}
    </ul>
  );
}

function FieldRow({ field, depth }: { readonly field: Field; readonly depth: number }) {
  const { key, change, value, was, fields } = field;
  const inside = fields === null ? 0 : changesIn(fields);
  const [isOpenByHand, open] = useState<boolean | null>(null);
  const name = nameOfServer(key);
  const title = name === key ? undefined : key;
  const isTree = fields !== null && fields.length > 0;
  const isOpen = isOpenByHand ?? (inside > 0 || depth < deepOpen);
  return (
    <li class={change === 'changed' && inside > 0 ? 'same' : change}>
      {isTree ? (
        <button
          type="button"
          class="fold"
          title={title}
          aria-expanded={isOpen}
          onClick={() => open(!isOpen)}
        >
          {name} <span class="none">({fields.length})</span>
        </button>
      ) : (
        <>
          <span class="key" title={title}>
            {name}:
          </span>{' '}
          <span class="value" title={idIn(value)}>
            {textOf(value)}
          </span>
        </>
      )}
      {inside === 0 && <Mark change={change} was={was} />}
      {isTree && isOpen && <Fields list={fields} depth={depth + 1} />}
    </li>
  );
}

function Mark({ change, was }: Pick<Field, 'change' | 'was'>) {
  if (change === 'same') return null;
  if (change === 'added') return <b class="mark"> + added</b>;
  if (change === 'removed') return <b class="mark"> − removed</b>;
  return (
    <b class="mark">
      {' '}
      ≠ changed, was <span class="value">{textOf(was ?? null)}</span>
    </b>
  );
}

/** Of a server that is shown by its nickname. */
function idIn(value: Json): string | undefined {
  return typeof value === 'string' && nameOfServer(value) !== value ? value : undefined;
}

const longText = 300;

function textOf(value: Json): string {
  if (Array.isArray(value)) return value.length === 0 ? 'empty list' : `${value.length} entries`;
  if (typeof value === 'object' && value !== null) {
    const size = Object.keys(value).length;
    return size === 0 ? 'empty' : `${size} fields`;
  }
  const text = typeof value === 'string' ? nameOfServer(value) : String(value);
  return text.length > longText ? `${text.slice(0, longText)}…` : text;
}
