/**
 * @module interruption: Ctrl-C, and other ways to be asked to end.
 *
 * The first signal aborts what is under way, so that nothing half-done stays behind; the process
 * then ends of that same signal, as shells expect. A second one ends it at once.
 */
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Somebody pressed Ctrl-C, or asked us to end in another way. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly signal: (typeof signals)[number];

  constructor(signal: (typeof signals)[number]) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }

  /** As a shell puts it. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal];
  }
}

/** Calls `interrupt` at the first of the signals. @returns how to stop listening */
export function onInterruption(interrupt: (reason: Interruption) => void): () => void {
  const stops = signals.map((signal) => {
    const listener = () => interrupt(new Interruption(signal));
    process.once(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  return () => {
    for (const stop of stops) stop();
  };
}
