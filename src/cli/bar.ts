/**
 * @module bar: a bar on a terminal, by a library that nothing else needs.
 */
import { Presets, SingleBar } from 'cli-progress';

/** A bar for one phase, drawn from now on. */
export function newBar(stream: NodeJS.WriteStream, phase: string): SingleBar {
  const format = `${phase.padEnd(8)} [{bar}] {percentage}%`;
  const options = { stream, format, barsize: 30, clearOnComplete: true, hideCursor: true };
  return new SingleBar(options, Presets.legacy);
}
