/**
 * @module table: the contents of a directory's file: one netstring for each child, and nothing else
 * (`dirnode.py` `_unpack_contents`, `_pack_normalized_children`).
 *
 *     ns( ns(name) ns(read cap) ns(encrypted write cap) ns(metadata) )
 *
 * An entry keeps its bytes until it is changed. So what is not understood of one, and what it has
 * behind its four fields, survives every change of the others. Where no entry can be told from the
 * bytes any more, the rest of them is the tail, which is kept as well, and stays last.
 */
import { concatBytes, netstring, utf8 } from '../bytes.ts';
import { BeyondLimitError } from '../errors.ts';
import { readNetstring } from './netstring.ts';

/** The fields behind the name, undeciphered. */
export interface Fields {
  readonly ro: Uint8Array;
  readonly rw: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface Entry {
  /** What its netstring holds. */
  readonly bytes: Uint8Array;
  /** In NFC; undefined where there is none, or none in UTF-8, or none that can be put in NFC. */
  readonly name: string | undefined;
  /** Undefined where there are fewer than four. */
  readonly fields: Fields | undefined;
}

export interface Table {
  /** As they follow each other: of two with one name the later is the child. */
  readonly entries: readonly Entry[];
  /** Bytes that are no entry, nor lead to one. */
  readonly tail: Uint8Array;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes that are UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** More marks in a row, and to put them in order takes the square of their number. */
const TOO_MANY_MARKS = /\p{M}{65}/u;

/** A name in NFC; undefined where that would take too long. No script comes near it. */
export function nfcOf(name: string): string | undefined {
  return TOO_MANY_MARKS.test(name) ? undefined : name.normalize('NFC');
}

/** Entries of a directory that is read at all; each takes more memory than it has bytes. */
const entriesMax = 2 ** 18;

/**
 * Takes contents apart, whatever they are; in time linear in their length.
 * @throws BeyondLimitError
 */
export function parseTable(contents: Uint8Array): Table {
  const entries: Entry[] = [];
  let at = 0;
  while (at < contents.length) {
    const found = readNetstring(contents, at);
    if (found === undefined) break;
    if (entries.length === entriesMax) {
      throw new BeyondLimitError('entries of a directory', entriesMax + 1, entriesMax);
    }
    entries.push(entryOf(found.bytes));
    at = found.end;
  }
  return { entries, tail: contents.subarray(at) };
}

function entryOf(bytes: Uint8Array): Entry {
  const name = readNetstring(bytes, 0);
  const text = name && textOf(name.bytes);
  const ro = name && readNetstring(bytes, name.end);
  const rw = ro && readNetstring(bytes, ro.end);
  const metadata = rw && readNetstring(bytes, rw.end);
  return {
    bytes,
    name: text === undefined ? undefined : nfcOf(text),
    fields: metadata && { ro: ro.bytes, rw: rw.bytes, metadata: metadata.bytes },
  };
}

/** An entry made anew. @param name in NFC */
export function newEntry(name: string, fields: Fields): Entry {
  const { ro, rw, metadata } = fields;
  const bytes = concatBytes(...[utf8(name), ro, rw, metadata].map(netstring));
  return { bytes, name, fields };
}

/** The contents, sorted as Tahoe sorts them; entries without a name come behind all others. */
export function packTable({ entries, tail }: Table): Uint8Array {
  const named = entries.flatMap((entry) =>
    entry.name === undefined ? [] : [{ entry, key: utf8(entry.name) }],
  );
  // Stable, so that of two entries with one name the later stays the later.
  named.sort((a, b) => compareBytes(a.key, b.key));
  const nameless = entries.filter(({ name }) => name === undefined);
  const all = [...named.map(({ entry }) => entry), ...nameless];
  return joined([...all.map(({ bytes }) => netstring(bytes)), tail]);
}

/** `concatBytes` of more pieces than a function can be given. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** By code point, which for names in UTF-16 is another order than JavaScript's. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
