/**
 * @module difference: where two runs of one schedule part.
 */
import type { Frame, SideFrame } from '../engine/protocol.ts';

/** The first step after which the charts or the messages of the two sides differ. */
export function firstDifference(frames: readonly Frame[]): number | null {
  const step = frames.findIndex(({ sides }) => {
    const [one, other] = sides;
    return one !== undefined && other !== undefined && gist(one) !== gist(other);
  });
  return step < 0 ? null : step;
}

/** What charts did and what is in flight; contexts name the rule, so they differ anyway. */
function gist({ records, messages }: SideFrame): string {
  const moves = records.flatMap((record) =>
    record.kind === 'step' ? [[record.actor, record.event, record.state]] : [],
  );
  return JSON.stringify([moves, messages.map(({ label, phase }) => [label, phase])]);
}
