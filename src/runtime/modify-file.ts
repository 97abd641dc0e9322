/**
 * @module modify-file: the IO of `modify`: read, let the caller change it, write, and on a
 * collision do it again.
 */
import { fromPromise } from 'xstate';
import type {
  AttemptInput,
  Failure,
  MapResult,
  ModifierResult,
  PublishAttemptResult,
  ReadBaseResult,
} from '../../machines/io.ts';
import { modifyMachine } from '../../machines/modify.machine.ts';
import { bestVersion, type Servermap, type Version } from '../../machines/servermap.ts';
import { refuse } from '../arguments.ts';
import {
  type Facts,
  NewerVersionSeenError,
  NotEnoughSharesError,
  UncoordinatedWriteError,
  UnrecoverableFileError,
} from '../errors.ts';
import { isBytes, plaintextOf } from '../share/plaintext.ts';
import { mapForWriting, publishWhole, readVersion, type WriteOptions } from './file-io.ts';
import type { WriteOutcome } from './outcome.ts';
import { unrecoverable } from './outcome.ts';
import { runMachine } from './run.ts';
import type { Session } from './session.ts';

/**
 * Gets the contents and gives new ones, or nothing for "no change". It runs again after every
 * collision, and the contents may then already hold its earlier change: it must not mind.
 */
export type Modifier = (
  contents: Uint8Array,
  attempt: { readonly attempt: number; readonly seqnum: number },
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

export interface ModifyOptions extends WriteOptions {
  /** How often to try at most; 8 by default. */
  readonly attempts?: number | undefined;
  /** The first wait after a collision, in milliseconds; each one is longer. 250 by default. */
  readonly backoffMs?: number | undefined;
}

/** Longest wait after a collision, in milliseconds. */
const backoffMaxMs = 20_000;

/** Waits that grow by e, each jittered to 50–150 %, so that two writers do not stay in step. */
export function backoffsOf(attempts: number, firstMs: number, random: () => number): number[] {
  return Array.from({ length: attempts - 1 }, (_, i) =>
    Math.round(Math.min(backoffMaxMs, firstMs * Math.E ** i) * (0.5 + random())),
  );
}

/** What one attempt knows, between the states of the chart. */
interface Attempt {
  readonly session: Session;
  readonly map: Servermap;
  readonly base: Version;
  readonly contents?: Uint8Array;
  readonly changed?: Uint8Array;
  readonly outcome?: WriteOutcome;
}

/**
 * @param newSession a session per attempt: nothing that was read before a collision is used after
 * @returns the outcome of the write, or undefined when the modifier wanted no change
 * @throws UncoordinatedWriteError when every attempt collided
 * @throws whatever the modifier throws
 */
export async function modifyFile(
  newSession: () => Session,
  modifier: Modifier,
  options: ModifyOptions,
): Promise<WriteOutcome | undefined> {
  const { attempts = 8, backoffMs = 250, signal, onProgress } = options;
  const { engine } = newSession();
  let current: Attempt | undefined;
  let lastError: unknown;
  const attempt = () => current as Attempt;

  /** Runs one step; an error that another writer can cause leads to another attempt. */
  const step = async <T>(work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      lastError = error;
      if (!isContention(error)) throw error;
      return { kind: 'contended', failure: failureOf(error) } as const;
    }
  };

  const machine = modifyMachine.provide({
    actors: {
      mapServers: fromPromise<MapResult, AttemptInput>(({ input }) =>
        step(async () => {
          const session = newSession();
          // The first attempt looks as far as a writer must; after a collision everybody is asked.
          const hasKey = session.keyring.writer !== undefined;
          const mode = input.attempt > 0 && hasKey ? 'check' : 'write';
          const map = await mapForWriting(session, options, mode);
          const base = bestVersion(map);
          if (base === undefined) throw unrecoverable(map);
          current = { session, map, base };
          return { kind: 'mapped', mode: map.mode, base: base.id };
        }),
      ),
      readBase: fromPromise<ReadBaseResult, AttemptInput>(() =>
        step(async () => {
          const { session, map, base } = attempt();
          const whole = [0, base.dataLength] as const;
          const contents = await readVersion(session, map, base, whole, options);
          current = { ...attempt(), contents };
          return { kind: 'read' };
        }),
      ),
      applyModifier: fromPromise<ModifierResult, AttemptInput>(async ({ input }) => {
        const { base, contents = new Uint8Array(0) } = attempt();
        try {
          const about = { attempt: input.attempt, seqnum: base.seqnum };
          const changed: unknown = await modifier(contents.slice(), about);
          if (changed !== undefined && !isBytes(changed)) {
            refuse('what the modifier gave', changed, 'a Uint8Array, or undefined for no change');
          }
          // After a collision the contents are written even if they need no change: the version
          // that holds our change may be one that nobody was told is safe.
          if (changed === undefined && input.attempt === 0) return { kind: 'unchanged' };
          current = { ...attempt(), changed: changed ?? contents };
          return { kind: 'changed' };
        } catch (error) {
          lastError = error;
          return { kind: 'threw' };
        }
      }),
      publishVersion: fromPromise<PublishAttemptResult, AttemptInput>(() =>
        step(async () => {
          const { session, map, changed = new Uint8Array(0) } = attempt();
          const outcome = await publishWhole(session, map, plaintextOf(changed), options);
          current = { ...attempt(), outcome };
          return { kind: 'published' };
        }),
      ),
    },
  });
  const report = await runMachine(engine, machine, {
    input: { backoffsMs: backoffsOf(attempts, backoffMs, engine.random) },
    signal,
    onEmitted: ({ attempt, waitMs }) =>
      onProgress?.({ phase: 'waiting', done: attempt + 1, total: attempts, waitMs }),
  });
  if (report.kind === 'unchanged') return undefined;
  if (report.kind === 'published') return attempt().outcome;
  throw lastError ?? new Error(report.failure?.detail ?? report.kind);
}

/** What another writer, half way, makes us see. */
function isContention(error: unknown): error is Error {
  return (
    error instanceof UncoordinatedWriteError ||
    (error instanceof NewerVersionSeenError && hasSeenVersions(error)) ||
    error instanceof NotEnoughSharesError ||
    (error instanceof UnrecoverableFileError && hasSeenVersions(error))
  );
}

/** Not so when servers are silent: no other writer is about. */
function hasSeenVersions({ facts }: Error & { readonly facts: Facts }): boolean {
  return Array.isArray(facts.seen) && facts.seen.length > 0;
}

function failureOf(error: Error): Failure {
  return { kind: 'replaced', detail: error.message };
}
