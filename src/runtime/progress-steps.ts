/**
 * @module progress-steps: the progress of a call that consists of several on files: what earlier ones
 * have done counts, and only the end of all is the end.
 */
import { type Complain, observing, warn } from './observing.ts';
import type { OperationOptions, Progress, WorkBytes } from './options.ts';

type Tell = NonNullable<OperationOptions['onProgress']>;

/** Those that are told of a step: what is called with one is a part of it. */
const ofSteps = new WeakSet<Tell>();

/** @param work is given options for the calls that it consists of */
export async function inSteps<Options extends OperationOptions, T>(
  options: Options,
  work: (options: Options) => Promise<T>,
  complain: Complain = warn,
): Promise<T> {
  const { onProgress } = options;
  if (onProgress === undefined || ofSteps.has(onProgress)) return work(options);
  const tell = observing('onProgress', onProgress, complain);
  let before: WorkBytes = { spooled: 0, heard: 0, read: 0, encoded: 0, sent: 0, stored: 0 };
  let last: Progress | undefined;
  const ofStep: Tell = (progress) => {
    const { done, total } = progress;
    const bytes = sumOf(before, progress.bytes);
    const doneInAll = Object.values(bytes).reduce((sum, n) => sum + n);
    const all = { ...progress, bytes, done: doneInAll, total: doneInAll + total - done };
    if (done < total) return tell(all);
    // Another step may follow.
    before = bytes;
    last = all;
  };
  ofSteps.add(ofStep);
  const value = await work({ ...options, onProgress: ofStep });
  if (last !== undefined) tell(last);
  return value;
}

function sumOf(a: WorkBytes, b: WorkBytes): WorkBytes {
  return {
    spooled: a.spooled + b.spooled,
    heard: a.heard + b.heard,
    read: a.read + b.read,
    encoded: a.encoded + b.encoded,
    sent: a.sent + b.sent,
    stored: a.stored + b.stored,
  };
}
