/**
 * @module tree: a directory with all that is below it, as its users see it: walked through, checked,
 * counted.
 */
import { followerOf, onAbort } from '../abort.ts';
import { checkOperation, refuse, requireCount, requireObject } from '../arguments.ts';
import type { Directory } from '../directory.ts';
import { GridClosedError, OutOfRangeError } from '../errors.ts';
import type { OperationOptions } from '../runtime/options.ts';
import { type GridRecorder, type OperationRecorder, stepOf } from '../runtime/recorded.ts';
import { inOrder } from './ahead.ts';
import {
  type Examination,
  type ExamineSetting,
  type Examining,
  examine,
  verdictOf,
} from './examine.ts';
import { Gate } from './gate.ts';
import { type Known, type Met, storageIndexIn } from './met.ts';
import { isRecord, Trail, type WalkRecord } from './record.ts';
import { type DeepStats, StatsCounter } from './stats.ts';
import { type Way, walkFrom } from './walk.ts';

/** How far a walk is. */
export interface WalkProgress {
  /** Objects that were met; nobody knows how many there are. */
  readonly met: number;
  /** Of these, those that the walk is through with. */
  readonly done: number;
  /** Of these, directories that could not be read, and what could not be looked at. */
  readonly failed: number;
}

/** For walks. */
export interface WalkOptions {
  /** Aborting ends the walk with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** What it throws ends the walk; so does the rejection of an async one, if it comes before the end. */
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined;
  /** How many files and directories are asked for at once; 4 by default, 64 at most. */
  readonly concurrency?: number | undefined;
  /**
   * What a walk that was cut off has kept (`recordOf`), all of it and in order: this one goes on
   * behind it. Links that were made meanwhile in front of that place are not met.
   */
  readonly after?: Iterable<WalkRecord> | AsyncIterable<WalkRecord> | undefined;
}

/** For deep checks. */
export interface DeepCheckOptions extends WalkOptions, Examining {}

/** An object, and what there is to say of its shares. */
export interface Examined {
  /** What it is, and where. */
  readonly met: Met;
  /** What was found, and done. */
  readonly examination: Examination;
}

const concurrencyUsual = 4;
const concurrencyMax = 64;

/** What the grid gives a tree to work with. */
export interface TreeSetting extends ExamineSetting {
  readonly openDirectory: (cap: string) => Directory;
  readonly recorder: GridRecorder | undefined;
  /** @returns how to stop listening */
  readonly onClose: (listener: () => void) => () => void;
}

/** A walk that is under way. */
interface Walking {
  readonly gate: Gate;
  readonly width: number;
  readonly signal: AbortSignal;
  /** Of which every call on a directory or file is a step. */
  readonly operation: OperationRecorder | undefined;
  readonly onMet: () => void;
}

export class Tree {
  readonly #root: Known;
  readonly #setting: TreeSetting;

  constructor(root: Known, setting: TreeSetting) {
    this.#root = root;
    this.#setting = setting;
  }

  walk(options: WalkOptions): AsyncGenerator<Met, void, undefined> {
    return this.#walk('walk', options);
  }

  #walk(kind: string, options: WalkOptions): AsyncGenerator<Met, void, undefined> {
    checkWalk(options);
    return this.#told(kind, options, (walking) => this.#met(options, walking), isUnread);
  }

  deepCheck(options: DeepCheckOptions): AsyncGenerator<Examined, void, undefined> {
    checkWalk(options);
    const { verify, repair, addLease } = options;
    for (const [name, value] of Object.entries({ verify, repair, addLease })) {
      if (value !== undefined && typeof value !== 'boolean') refuse(name, value, 'true or false');
    }
    const examined = (walking: Walking) => {
      const { gate, signal, width } = walking;
      const call = { ...stepOf(walking.operation), signal };
      const work = async (met: Met): Promise<Examined> => ({
        met,
        examination: await gate.run(signal, () => examine(met, options, this.#setting, call)),
      });
      return inOrder(this.#met(options, walking), width, work);
    };
    return this.#told('deepCheck', options, examined, isFailed);
  }

  async deepStats(options: WalkOptions): Promise<DeepStats> {
    checkWalk(options);
    const counter = new StatsCounter();
    const counting = async function* () {
      for await (const record of recordsIn(options)) {
        counter.add(record);
        yield record;
      }
    };
    const all = { ...options, after: counting() };
    for await (const met of this.#walk('deepStats', all)) counter.add(met);
    return counter.stats;
  }

  async *#met(options: WalkOptions, walking: Walking): AsyncGenerator<Met, void, undefined> {
    const trail = new Trail();
    for await (const record of recordsIn(options)) trail.add(record);
    const step = stepOf(walking.operation);
    const list: Way['list'] = (cap, options) =>
      this.#setting.openDirectory(cap).listing({ ...step, ...options });
    for await (const met of walkFrom(this.#root, { ...walking, trail, list })) {
      walking.onMet();
      yield met;
    }
  }

  /** What `stage` gives, with progress; who stops to ask for more, ends all that is under way. */
  async *#told<T>(
    kind: string,
    { signal, onProgress, concurrency = concurrencyUsual }: WalkOptions,
    stage: (walking: Walking) => AsyncGenerator<T, void, undefined>,
    hasFailed: (it: T) => boolean,
  ): AsyncGenerator<T, void, undefined> {
    const { controller, letGo } = followerOf(signal);
    const stopListening = this.#setting.onClose(() => controller.abort(new GridClosedError()));
    const progress = { met: 0, done: 0, failed: 0 };
    const tell = () => {
      // Nobody waits for an async function.
      const answer: unknown = onProgress?.({ ...progress });
      Promise.resolve(answer).catch((error) => controller.abort(error));
    };
    const onMet = () => {
      progress.met++;
      tell();
    };
    const gate = new Gate(concurrency);
    const operation = this.#setting.recorder?.begin(kind, storageIndexIn(this.#root.caps) ?? null);
    const forget = signal && onAbort(signal, () => operation?.cancelled());
    try {
      const { signal } = controller;
      const all = stage({ gate, width: concurrency, signal, operation, onMet });
      for await (const it of all) {
        yield it;
        progress.done++;
        if (hasFailed(it)) progress.failed++;
        tell();
      }
    } catch (error) {
      operation?.failed(error);
      throw error;
    } finally {
      // Also where the caller has seen enough.
      operation?.succeeded();
      forget?.();
      letGo();
      stopListening();
      controller.abort();
    }
  }
}

function isUnread({ error }: Met): boolean {
  return error !== undefined;
}

function isFailed({ met, examination }: Examined): boolean {
  return verdictOf(met, examination).isFailed === true;
}

function checkWalk(options: WalkOptions): void {
  checkOperation(options as OperationOptions);
  const { concurrency = concurrencyUsual, after = [] } = options;
  requireCount('concurrency', concurrency);
  if (concurrency < 1 || concurrency > concurrencyMax) {
    const problem = `must be from 1 to ${concurrencyMax}`;
    throw new OutOfRangeError('concurrency', concurrency, problem);
  }
  const isIterable = (it: object) => Symbol.iterator in it || Symbol.asyncIterator in it;
  if (typeof after !== 'object' || after === null || !isIterable(after)) {
    refuse('after', after, 'a sequence of records');
  }
}

/** Each record is looked at when it comes: there may be many. @throws BadArgumentError */
async function* recordsIn({
  after = [],
}: WalkOptions): AsyncGenerator<WalkRecord, void, undefined> {
  let count = 0;
  for await (const record of after) {
    checkRecord(`after[${count++}]`, record);
    yield record;
  }
}

function checkRecord(argument: string, record: unknown): void {
  const wanted = 'what `recordOf` gives';
  if (!isRecord(requireObject(argument, record, wanted))) refuse(argument, record, wanted);
}
