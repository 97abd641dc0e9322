/**
 * @module bar: a bar on a terminal, by a library that nothing else needs.
 */
import { Presets, SingleBar } from 'cli-progress';

/** A bar, drawn from now on; it is told its `phase` with each update. */
export function newBar(stream: NodeJS.WriteStream): SingleBar {
  const format = '{phase} [{bar}] {percentage}%';
  const options = { stream, format, barsize: 30, clearOnComplete: true, hideCursor: true };
  return new SingleBar(options, Presets.legacy);
}
