/**
 * @module progress: a bar on stderr for what takes long, on a terminal only.
 */
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../runtime/options.ts';

/** Quicker operations show nothing. */
const patienceMs = 400;

/** A bar for one operation; its phases take turns on the same line. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #start = Date.now();
  #bar: SingleBar | undefined;
  #phase = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  readonly show = ({ phase, done, total }: Progress): void => {
    if (!this.#stream.isTTY || Date.now() - this.#start < patienceMs) return;
    if (this.#bar === undefined || phase !== this.#phase) {
      this.stop();
      this.#phase = phase;
      this.#bar = new SingleBar(
        {
          stream: this.#stream,
          format: `${phase.padEnd(8)} [{bar}] {percentage}%`,
          barsize: 30,
          clearOnComplete: true,
          hideCursor: true,
        },
        Presets.legacy,
      );
      this.#bar.start(total, done);
    }
    this.#bar.setTotal(total);
    this.#bar.update(Math.min(done, total));
  };

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
