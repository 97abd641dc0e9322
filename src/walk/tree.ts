/**
 * @module tree: a directory with all that is below it, as its users see it: walked through, checked,
 * counted.
 */
import { followerOf, onAbort } from '../abort.ts';
import type { Directory } from '../directory.ts';
import { GridClosedError } from '../errors.ts';
import { refuse, requireObject } from '../refusal.ts';
import { type Complain, observing, warn } from '../runtime/observing.ts';
import { type GridRecorder, type OperationRecorder, stepOf } from '../runtime/recorded.ts';
import { inOrder } from './ahead.ts';
import { type Examination, type ExamineSetting, examine, verdictOf } from './examine.ts';
import { Gate } from './gate.ts';
import { type Met, storageIndexIn } from './met.ts';
import { isRecord, Trail, type WalkRecord } from './record.ts';
import type { Known } from './root.ts';
import { type DeepStats, StatsCounter } from './stats.ts';
import { type Way, walkFrom } from './walk.ts';
import {
  checkDeepCheck,
  checkWalk,
  concurrencyUsual,
  type DeepCheckOptions,
  type WalkOptions,
} from './walk-options.ts';

/** An object, and what there is to say of its shares. */
export interface Examined {
  /** What it is, and where. */
  readonly met: Met;
  /** What was found, and done. */
  readonly examination: Examination;
}

/** What the grid gives a tree to work with. */
export interface TreeSetting extends ExamineSetting {
  readonly openDirectory: (cap: string) => Directory;
  readonly recorder: GridRecorder | undefined;
  readonly complain: Complain | undefined;
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
    checkDeepCheck(options);
    const { deadlines } = options;
    const examined = (walking: Walking) => {
      const { gate, signal, width } = walking;
      const call = { ...stepOf(walking.operation), signal, deadlines };
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
    const step = { ...stepOf(walking.operation), deadlines: options.deadlines };
    const list: Way['list'] = (cap, call) =>
      this.#setting.openDirectory(cap).listing({ ...step, ...call });
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
    const { complain = warn } = this.#setting;
    const observer = onProgress && observing('onProgress', onProgress, complain);
    const tell = () => observer?.({ ...progress });
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
