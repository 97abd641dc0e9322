/**
 * @module culprit: the chart of an actor or an operation by its name, so that what broke a property
 * can be shown.
 */
import { isManager, markAt, type TraceModel, type Track } from './trace-model.ts';

/** The track of that name at `position`; of an operation, the coordinator that moved last. */
export function trackNamed(model: TraceModel, name: string, position: number): Track | undefined {
  const track = model.tracks.get(name);
  if (track !== undefined) return track;
  const own = model.coordinators.filter(({ operation }) => operation === name);
  return latestAtWork(own, position);
}

/** The coordinator of a child; any other is its own. */
export function coordinatorOf(model: TraceModel, track: Track): Track {
  if (!track.isOneOfMany || track.parent === null) return track;
  return model.tracks.get(track.parent) ?? track;
}

/** Of those that have begun, the one that moved last, its children included. */
export function latest(tracks: readonly Track[], position: number): Track | undefined {
  const moved = (track: Track) => markAt(track, position)?.position ?? 0;
  const last = (track: Track) => Math.max(moved(track), ...track.children.map(moved));
  const begun = tracks.filter((track) => moved(track) > 0);
  return [...begun].sort((a, b) => last(a) - last(b)).at(-1);
}

/** The same, but one that only invokes others comes last. */
export function latestAtWork(tracks: readonly Track[], position: number): Track | undefined {
  const workers = tracks.filter((track) => !isManager(track));
  return latest(workers, position) ?? latest(tracks, position);
}

/** `w1’s servermap update`, `w1’s publish at s2` */
export function actorWords({ operation, chart, server, actor }: Track): string {
  const above = actor.split('/').at(-2)?.replace(/~\d+$/, '') ?? chart;
  const own = server === null ? chartWords(chart) : `${chartWords(above)} at ${server}`;
  return `${operation}’s ${own}`;
}

/** `servermapUpdate (old rule)` as a person says it: `servermap update`. */
export function chartWords(chart: string): string {
  return chart.replace(/ \(.*\)$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
