/**
 * @module focus: which coordinator is shown: the same on both sides, so that they can be compared.
 */
import { coordinatorOf, latest, latestAtWork, trackNamed } from './culprit.ts';
import { markAt, type TraceModel, type Track } from './trace-model.ts';

export interface SideAt {
  readonly model: TraceModel;
  readonly position: number;
}

export interface Wanted {
  /** By the reader. */
  readonly chosen: string | null;
  /** Who broke a property at this step, per side. */
  readonly culprits: readonly (string | null)[];
  /** Whether the sides run different charts of this name. */
  readonly isDifferent: (chart: string) => boolean;
}

/**
 * The path of the coordinator to show; null when nothing has begun. The reader's choice comes first;
 * then who broke a property right now; then the chart in which the sides differ, for that is what
 * two sides are there for; then what moved last on the first side that has anything.
 */
export function focusOf(sides: readonly SideAt[], wanted: Wanted): string | null {
  const { chosen, culprits, isDifferent } = wanted;
  if (chosen !== null && sides.some((side) => isBegun(side, chosen))) return chosen;
  for (const [i, { model, position }] of sides.entries()) {
    const name = culprits[i] ?? null;
    const track = name === null ? undefined : trackNamed(model, name, position);
    if (track !== undefined) return coordinatorOf(model, track).actor;
  }
  const choose = (select: (side: SideAt) => Track | undefined): Track | undefined => {
    for (const side of sides) {
      const track = select(side);
      if (track !== undefined) return track;
    }
    return undefined;
  };
  const differing = choose(({ model, position }) =>
    latest(
      model.coordinators.filter(({ chart }) => isDifferent(chart)),
      position,
    ),
  );
  return (
    (differing ?? choose(({ model, position }) => latestAtWork(model.coordinators, position)))
      ?.actor ?? null
  );
}

/** The track to show on a side: of a chart that has not begun there, what is at work instead. */
export function shownOn(side: SideAt, focus: string | null): Track | undefined {
  const track = side.model.tracks.get(focus ?? '');
  if (track !== undefined && markAt(track, side.position) !== undefined) return track;
  return latestAtWork(side.model.coordinators, side.position);
}

function isBegun({ model, position }: SideAt, actor: string): boolean {
  const track = model.tracks.get(actor);
  return track !== undefined && markAt(track, position) !== undefined;
}
