/**
 * @module operations: what the clients of a simulated grid do, by calls of the real client.
 */
import type { Rule } from '../../machines/rules.ts';
import type { Mode } from '../../machines/servermap.ts';
import { utf8 } from '../bytes.ts';
import type { SigningKey } from '../crypto/primitives.ts';
import type { Grid } from '../grid.ts';
import type { MutableFile } from '../mutable-file.ts';
import { type Json, toJson } from '../runtime/trace.ts';
import { contentsOf, emptyFile, namesOf, wordsOf } from './contents.ts';
import type { SimulatedFile } from './disk.ts';

/** What an operation of a world does. The contents of its file are words. */
export type Task =
  /** A first version, of the words `[name]`. */
  | { readonly kind: 'create' }
  /** Whatever was there: the words `[name]` now. */
  | { readonly kind: 'overwrite' }
  /** Appends its name to the words. */
  | { readonly kind: 'modify'; readonly attempts?: number | undefined }
  /** Writes its name at an offset, in place if possible. */
  | { readonly kind: 'update'; readonly offset: number }
  /** Writes its name behind the last byte. */
  | { readonly kind: 'append'; readonly attempts?: number | undefined }
  /** Links its name in the directory that the file is. */
  | { readonly kind: 'link'; readonly attempts?: number | undefined }
  | { readonly kind: 'read' }
  | { readonly kind: 'map'; readonly mode: Mode }
  | { readonly kind: 'verify' }
  | { readonly kind: 'repair' }
  /** Whatever a program does with a grid; nothing is known of its words. */
  | { readonly kind: 'call'; readonly run: Program };

/** A program under test. It waits for nothing but the grid: time is the world's. */
export type Program = (client: ProgramClient) => Promise<unknown>;

/** What a {@link Program} has to work with. */
export interface ProgramClient {
  /** Its servers answer when the world lets them. */
  readonly grid: Grid;
  /** The file of the world, for writing. */
  readonly file: MutableFile;
  /** Its signing key, for `grid.create` where no server holds the file yet. */
  readonly key: SigningKey;
  /** For the calls that it makes: they end when the operation is cancelled. */
  readonly options: {
    readonly signal: AbortSignal;
    /** Where it is meant: not every call takes it. */
    readonly force?: boolean | undefined;
  };
}

/** An operation of a world. */
export interface OperationSpec {
  /** `w1`: in the labels of its messages and in the paths of its actors. */
  readonly name: string;
  /** What it does. */
  readonly task: Task;
  /** `ours` by default. */
  readonly rule?: Rule | undefined;
  /**
   * Operations of one client share what it remembers (the private key). By default each is alone.
   */
  readonly client?: string | undefined;
  /** Bytes that an overwrite fills the file up to. */
  readonly size?: number | undefined;
  /** Write even over what would be lost; false by default. */
  readonly force?: boolean | undefined;
}

/** How an operation ended. `seen` is what a modifier was given last, or what a reader got. */
export type OperationResult =
  | { readonly ok: true; readonly seen: readonly string[] | null; readonly value: Json }
  | {
      readonly ok: false;
      readonly error: string;
      readonly message: string;
      readonly seen: readonly string[] | null;
    };

export interface RunContext {
  readonly grid: Grid;
  /** The client's file; `create` puts it here. */
  file: MutableFile | undefined;
  readonly simulated: Pick<SimulatedFile, 'cap'>;
  readonly key: SigningKey;
  readonly signal: AbortSignal;
  /** What the next version of this operation is meant to hold, and what its writer saw before. */
  readonly onContents: (seen: readonly string[] | null, made: readonly string[]) => void;
}

/** Runs one operation to its end; it never rejects. */
export async function perform(spec: OperationSpec, context: RunContext): Promise<OperationResult> {
  const seen: { words: readonly string[] | null } = { words: null };
  try {
    const value = await call(spec, context, seen);
    return { ok: true, seen: seen.words, value: toJson(value) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { ok: false, error: name, message, seen: seen.words };
  }
}

async function call(
  { name, task, size = 0, force = false }: OperationSpec,
  context: RunContext,
  seen: { words: readonly string[] | null },
): Promise<unknown> {
  const { grid, simulated, key, signal, onContents } = context;
  const options = { signal, ...(force ? { force } : {}) };
  if (task.kind === 'create') {
    const { format } = simulated.cap;
    const contents = contentsOf([name], size);
    onContents(null, [name]);
    context.file = await grid.create({ format, key, contents, ...options });
    return null;
  }
  context.file ??= grid.open(simulated.cap);
  const { file } = context;
  switch (task.kind) {
    case 'overwrite':
      onContents(null, [name]);
      return file.overwrite(contentsOf([name], size), options);
    case 'modify': {
      const { attempts = 4 } = task;
      const modifier = (contents: Uint8Array) => {
        seen.words = wordsOf(contents);
        const isThere = seen.words.includes(name);
        const made = isThere ? seen.words : [...seen.words, name];
        onContents(seen.words, made);
        return isThere ? undefined : contentsOf(made, contents.length);
      };
      return file.modify(modifier, { ...options, attempts });
    }
    case 'link': {
      const { attempts = 4 } = task;
      const directory = grid.openDirectory(simulated.cap);
      watch(directory.file as MutableFile, (before, after) => {
        seen.words = namesOf(before);
        onContents(seen.words, namesOf(after ?? before));
      });
      const { write } = await directory.add(name, emptyFile, { ...options, attempts });
      return write;
    }
    case 'update':
      return file.update(utf8(name), task.offset, options);
    case 'append':
      return file.append(utf8(`+${name}`), { ...options, retry: { attempts: task.attempts ?? 1 } });
    case 'read': {
      const contents = await file.read({ signal });
      seen.words = simulated.cap.directory ? namesOf(contents) : wordsOf(contents);
      return { words: [...seen.words], size: contents.length };
    }
    case 'map':
      return file.servermap({ signal, mode: task.mode });
    case 'verify':
      return file.verify({ signal });
    case 'repair':
      return file.repair(options);
    case 'call':
      return task.run({ grid, file, key, options });
  }
}

/** Sees what the modifiers of a file are given, and what they make of it; undefined: nothing. */
function watch(
  file: MutableFile,
  see: (before: Uint8Array, after: Uint8Array | undefined) => void,
): void {
  const modify = file.modify.bind(file);
  file.modify = (modifier, options) =>
    modify(async (before, attempt) => {
      const after = await modifier(before, attempt);
      // The edits of a directory give bytes.
      see(before, after as Uint8Array | undefined);
      return after;
    }, options);
}
