/**
 * @module progress: a bar on stderr for what takes long, on a terminal only.
 */
import type { Progress } from '../runtime/options.ts';
import { listed, standoffText } from '../version-name.ts';
import type { newBar } from './bar.ts';
import { amountText, counted } from './plain-text.ts';
import { type Named, serverName } from './servermap-view.ts';

/** Quicker operations show nothing. */
const patienceMs = 400;

/** Any phase, also one that is not known here. */
export type Shown = Partial<Omit<Progress, 'phase' | 'total'>> & {
  readonly phase: string;
  readonly done: number;
  /** Undefined where nobody knows; a bar is told so from its beginning. */
  readonly total: number | undefined;
};

function waitText(attempt: number, attempts: number, ms: number, why: string): string {
  const wait = counted(Math.ceil(ms / 1000), 'second');
  return `attempt ${attempt} of ${attempts} has met another writer; ${why}waiting ${wait}`;
}

function unconfirmedText(seqnum: number, silent: readonly string[]): string {
  const because = silent.length === 0 ? '' : `; no answer from ${listed(silent)}`;
  return `version ${seqnum} may not be the newest that was acknowledged${because}`;
}

/** Whether a bar can be drawn: that is done by moving the cursor, which a dumb terminal cannot. */
export function isDrawnOn(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env.TERM !== 'dumb';
}

/** A bar for one operation, which goes through its phases, and to the end only where that is over. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #servers: readonly Named[];
  readonly #newBar: typeof newBar | undefined;
  readonly #start = Date.now();
  #bar: ReturnType<typeof newBar> | undefined;

  /**
   * @param servers who have nicknames
   * @param draw what draws bars, on a terminal that can show them
   */
  constructor(
    stream: NodeJS.WriteStream,
    servers: readonly Named[] = [],
    draw: typeof newBar | undefined = undefined,
  ) {
    this.#stream = stream;
    this.#servers = servers;
    this.#newBar = draw;
  }

  readonly show = (shown: Shown): void => {
    const { phase, done, total, waitMs, standoff, unconfirmed } = shown;
    if (unconfirmed !== undefined) {
      this.stop();
      const { seqnum, silent } = unconfirmed;
      this.#stream.write(`${unconfirmedText(seqnum, this.#namesOf(silent))}\n`);
      return;
    }
    if (this.#newBar === undefined) return;
    if (Date.now() - this.#start < patienceMs) return;
    if (waitMs !== undefined) {
      this.stop();
      const why = standoff && standoffText(standoff.rivals, this.#namesOf(standoff.silent));
      const { attempt = 1, attempts = 1 } = shown;
      this.#stream.write(`${waitText(attempt, attempts, waitMs, why ? `${why}; ` : '')}\n`);
      return;
    }
    const label = { phase: phase.padEnd(8), amount: amountText(done) };
    const end = total ?? done;
    if (this.#bar === undefined) {
      this.#bar = this.#newBar(this.#stream, total !== undefined);
      this.#bar.start(end, done, label);
    }
    this.#bar.setTotal(end);
    this.#bar.update(Math.min(done, end), label);
  };

  #namesOf(ids: readonly string[]): readonly string[] {
    return ids.map((id) => serverName(this.#servers, id));
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
