/**
 * @module bar: a bar on a terminal, by a library that nothing else needs.
 */
import { Presets, SingleBar } from 'cli-progress';

/**
 * A bar, drawn from now on; it is told its `phase` with each update, and the `amount` that is done,
 * which is shown in its place where nobody knows where the end is.
 */
export function newBar(stream: NodeJS.WriteStream, hasEnd: boolean): SingleBar {
  const format = hasEnd ? '{phase} [{bar}] {percentage}%' : '{phase} {amount}';
  const options = { stream, format, barsize: 30, clearOnComplete: true, hideCursor: true };
  return new SingleBar(options, Presets.legacy);
}
