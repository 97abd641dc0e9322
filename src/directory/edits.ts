/**
 * @module edits: the changes of a directory, each as what it makes of a table.
 *
 * An edit runs again from what is there when another writer came first, and that may hold its own
 * change already: an attempt can have landed and been reported as collided. So each remembers what
 * it first found and what it made. What is there of its own it leaves alone, and it takes away
 * nothing but what it has seen.
 */
import { equalBytes } from '../bytes.ts';
import { ExistingChildError, NoSuchChildError, UnusableEntryError } from '../errors.ts';
import { capsUnder, type Holder, isSameChild, type Link, linkOf, packChild } from './child.ts';
import type { JsonObject } from './json.ts';
import { parseMetadata, relinked, withoutTimes } from './metadata.ts';
import type { Writer } from './rw-field.ts';
import type { Entry, Table } from './table.ts';
import type { CapTexts } from './target.ts';

/** Whether a child that has the name may be replaced; `only-files`: if it is known to be a file. */
export type Replace = boolean | 'only-files';

/** Changes a draft. It is called once for each attempt. */
export type Edit = (draft: Draft) => Promise<void>;

/** A directory that can be changed, and when that happens. */
export interface Editor extends Holder {
  readonly writer: Writer;
  /** Seconds since 1970. */
  readonly now: number;
}

/** A child that is to be linked. */
export interface Addition {
  /** In NFC. */
  readonly name: string;
  readonly caps: CapTexts;
  /** Those of the name stay if there are none here. */
  readonly metadata?: JsonObject | undefined;
}

/** A table while it is changed. */
export class Draft {
  readonly #before: Table;
  readonly #named = new Map<string, Entry[]>();
  #isChanged = false;

  constructor(table: Table) {
    this.#before = table;
    for (const entry of table.entries) {
      if (entry.name === undefined) continue;
      const there = this.#named.get(entry.name);
      if (there === undefined) this.#named.set(entry.name, [entry]);
      else there.push(entry);
    }
  }

  /** All entries of a name, of which the last is the child. */
  entriesOf(name: string): readonly Entry[] {
    return this.#named.get(name) ?? [];
  }

  /** The child of a name. */
  get(name: string): Entry | undefined {
    return this.entriesOf(name).at(-1);
  }

  /** Puts an entry in the place of all that have its name. */
  put(name: string, entry: Entry): void {
    const [there, ...more] = this.entriesOf(name);
    if (there && more.length === 0 && equalBytes(there.bytes, entry.bytes)) return;
    this.#named.set(name, [entry]);
    this.#isChanged = true;
  }

  /** Takes away all entries of a name. */
  drop(name: string): void {
    if (this.#named.delete(name)) this.#isChanged = true;
  }

  /** What came of it; undefined where nothing was changed. */
  get changed(): Table | undefined {
    if (!this.#isChanged) return undefined;
    const { entries, tail } = this.#before;
    const nameless = entries.filter(({ name }) => name === undefined);
    return { entries: [...[...this.#named.values()].flat(), ...nameless], tail };
  }
}

/**
 * Links children, all of them or none.
 * @param isMove then a name that leads to its child already, from an earlier move, is no obstacle
 */
export function adding(
  additions: readonly Addition[],
  replace: Replace,
  editor: Editor,
  isMove = false,
): Edit {
  const links = additions.map((addition) => ({ ...addition, mine: new OwnEntry() }));
  return async (draft) => {
    for (const { name, caps, metadata, mine } of links) {
      const there = draft.get(name);
      if (mine.hasLanded(there)) continue;
      const old = there?.fields && parseMetadata(there.fields.metadata);
      const all = relinked(old, metadata, editor.now);
      const entry = await packChild(editor.writer, name, capsUnder(all, caps), all);
      const isSame = there !== undefined && isSameChild(there, entry);
      if (!(isMove && isSame)) await requireReplaceable(draft, name, replace, editor);
      mine.made(entry, there);
      draft.put(name, entry);
    }
  };
}

/** What an edit has put under a name, as it looks for it in later attempts. */
class OwnEntry {
  #entry: Entry | undefined;
  #wasThere = false;

  /** @param before what the name led to */
  made(entry: Entry, before: Entry | undefined): void {
    if (this.#entry === undefined)
      this.#wasThere = before !== undefined && isSameChild(before, entry);
    this.#entry = entry;
  }

  /** Whether an earlier attempt has brought the child there, whatever became of its metadata. */
  hasLanded(there: Entry | undefined): boolean {
    const entry = this.#entry;
    return (
      entry !== undefined && there !== undefined && !this.#wasThere && isSameChild(there, entry)
    );
  }
}

async function requireReplaceable(
  draft: Draft,
  name: string,
  replace: Replace,
  holder: Holder,
): Promise<void> {
  const existing = draft.entriesOf(name);
  if (replace === true || existing.length === 0) return;
  if (replace === false) throw new ExistingChildError(name);
  for (const entry of existing) {
    const link = await linkOf(entry, holder);
    const kind = 'problem' in link ? 'broken entry' : link.target.kind;
    if (kind !== 'file') throw new ExistingChildError(name, kind);
  }
}

/**
 * Takes a name away.
 * @param only what it must lead to; else it stays, and that is no error
 */
export function unlinking(name: string, only?: Entry): Edit {
  let first = only;
  return async (draft) => {
    const there = draft.get(name);
    if (first === undefined && there === undefined) throw new NoSuchChildError(name);
    first ??= there;
    // Who put another child there meanwhile did so after this.
    if (there !== undefined && isSameChild(there, first as Entry)) draft.drop(name);
  };
}

/** Gives a child another name, in one step. */
export function renaming(from: string, to: string, replace: Replace, editor: Editor): Edit {
  const mine = new OwnEntry();
  return async (draft) => {
    const there = draft.get(to);
    if (from !== to && mine.hasLanded(there)) return;
    const { target, metadata } = await movable(draft, from, editor);
    if (from === to) return;
    await requireReplaceable(draft, to, replace, editor);
    const old = there?.fields && parseMetadata(there.fields.metadata);
    const all = relinked(old, withoutTimes(metadata), editor.now);
    const { write: rw, read: ro } = target.caps;
    const entry = await packChild(editor.writer, to, capsUnder(all, { rw, ro }), all);
    mine.made(entry, there);
    draft.put(to, entry);
    draft.drop(from);
  };
}

/** Gives the link of a name other metadata; its times are not the caller's. */
export function describing(name: string, metadata: JsonObject, editor: Editor): Edit {
  return async (draft) => {
    const link = await movable(draft, name, editor);
    const all = relinked(link.metadata, metadata, editor.now);
    const { write: rw, read: ro } = link.target.caps;
    draft.put(name, await packChild(editor.writer, name, capsUnder(all, { rw, ro }), all));
  };
}

/**
 * The link of a name, to be made anew.
 * @throws NoSuchChildError; UnusableEntryError where that would make something else of it
 */
export async function movable(draft: Draft, name: string, holder: Holder): Promise<Link> {
  const [entry, ...more] = draft.entriesOf(name);
  if (entry === undefined) throw new NoSuchChildError(name);
  if (more.length > 0) throw new UnusableEntryError(name, 'more than one entry has this name');
  const link = await linkOf(entry, holder);
  const problem = 'problem' in link ? link.problem : link.target.warning;
  if (problem !== undefined) throw new UnusableEntryError(name, problem);
  return link as Link;
}

/** The first table of a directory: metadata are as they are given, and links have no times. */
export async function firstTable(writer: Writer, children: readonly Addition[]): Promise<Table> {
  const entries = await Promise.all(
    children.map(({ name, caps, metadata = new Map() }) => packChild(writer, name, caps, metadata)),
  );
  return { entries, tail: new Uint8Array(0) };
}
