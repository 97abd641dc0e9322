/**
 * @module progress: a bar on stderr for what takes long, on a terminal only.
 */
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../runtime/options.ts';
import { counted } from './plain-text.ts';

/** Quicker operations show nothing. */
const patienceMs = 400;

/** An operation has met another writer, and does it again after a while. */
interface Waiting {
  readonly phase: 'waiting';
  /** The one that failed, from 1 on. */
  readonly attempt: number;
  readonly attempts: number;
  readonly seconds: number;
}

function waitText({ attempt, attempts, seconds }: Waiting): string {
  const wait = counted(Math.ceil(seconds), 'second');
  return `attempt ${attempt} of ${attempts} has met another writer; waiting ${wait}`;
}

/** A bar for one operation; its phases take turns on the same line. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #start = Date.now();
  #bar: SingleBar | undefined;
  #phase = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  readonly show = (progress: Progress | Waiting): void => {
    // A bar is drawn by moving the cursor, which a dumb terminal cannot.
    if (!this.#stream.isTTY || process.env.TERM === 'dumb') return;
    if (Date.now() - this.#start < patienceMs) return;
    if ('attempt' in progress) {
      this.stop();
      this.#stream.write(`${waitText(progress)}\n`);
      return;
    }
    const { phase, done, total } = progress;
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
