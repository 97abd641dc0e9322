/**
 * @module room: keeps the page's model bounded, by the rule of the process that is watched
 * (`operation-records.ts`).
 */
import { forget, outlineOf } from '../../../src/inspector/operation-records.ts';
import { TraceModel } from './trace-model.ts';

/** Records of a live run that the page keeps. */
export const recordsMax = 100_000;
/** What stays, as a part of that, when room is made: all that stays is folded again. */
const keptShare = 0.75;

export interface Room {
  readonly model: TraceModel;
  readonly records: number;
  readonly operations: number;
}

/** Drops nothing while there is room: then it is null. Otherwise a new model, and what is gone. */
export function makeRoom(model: TraceModel, max = recordsMax): Room | null {
  if (model.records.length <= max) return null;
  const { isGone, records, operations } = forget(
    model.records.map((record) => outlineOf(record)),
    { records: max * keptShare, size: Number.POSITIVE_INFINITY },
  );
  const kept = new TraceModel(model.byStep);
  // Nothing of what stays is among them.
  kept.expectGaps(Number.POSITIVE_INFINITY);
  kept.add(model.records.filter((_, place) => !isGone[place]));
  kept.expectGaps(0);
  for (const { name, isCut } of model.run.running) {
    const operation = kept.run.operations.get(name);
    if (operation !== undefined) operation.isCut = isCut;
  }
  return { model: kept, records, operations };
}

/** The place of a record in the new model; of the next one that is there, if it is gone. */
export function placeIn(model: TraceModel, seq: number): number {
  let [low, high] = [0, model.records.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((model.records[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, Math.max(0, model.records.length - 1));
}
