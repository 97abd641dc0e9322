/**
 * @module progress: a bar on stderr for what takes long, on a terminal only.
 */
import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../runtime/options.ts';
import { counted } from './plain-text.ts';

/** Quicker operations show nothing. */
const patienceMs = 400;

/** Any phase, also one that is not known here. */
type Shown = Omit<Progress, 'phase'> & {
  readonly phase: string;
  /** An attempt has met another writer; the next one comes in so many milliseconds. */
  readonly waitMs?: number | undefined;
};

function waitText(attempt: number, attempts: number, ms: number, standoff: Standoff): string {
  const wait = counted(Math.ceil(ms / 1000), 'second');
  const why = standoff && ` (${standoffText(standoff)})`;
  return `attempt ${attempt} of ${attempts} has met another writer${why ?? ''}; waiting ${wait}`;
}

type Standoff = Progress['standoff'];

function standoffText({ seqnums, silent }: NonNullable<Standoff>): string {
  const rivals = `versions ${seqnums.join(', ')} stand against each other`;
  return silent.length === 0 ? rivals : `${rivals}, and ${silent.join(', ')} are silent`;
}

function unconfirmedText({ seqnum, silent }: NonNullable<Progress['unconfirmed']>): string {
  const because = silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`;
  return `version ${seqnum} may not be the newest that was acknowledged${because}`;
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

  readonly show = ({ phase, done, total, waitMs, standoff, unconfirmed }: Shown): void => {
    if (unconfirmed !== undefined) {
      this.stop();
      this.#stream.write(`${unconfirmedText(unconfirmed)}\n`);
      return;
    }
    // A bar is drawn by moving the cursor, which a dumb terminal cannot.
    if (!this.#stream.isTTY || process.env.TERM === 'dumb') return;
    if (Date.now() - this.#start < patienceMs) return;
    if (waitMs !== undefined) {
      this.stop();
      this.#stream.write(`${waitText(done, total, waitMs, standoff)}\n`);
      return;
    }
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
