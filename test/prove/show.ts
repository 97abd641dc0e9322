/**
 * @module show: tables on stdout; a bar on stderr while it takes long, on a terminal only.
 */
import { Presets, SingleBar } from 'cli-progress';

/** A row of cells: numbers are set flush right and in groups of three. */
export type Row = readonly (string | number)[];

function textOf(cell: string | number): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}

/** Prints rows as they come, below one line of headings. */
export class Table {
  readonly #widths: readonly number[];

  constructor(headings: readonly (readonly [name: string, width: number])[]) {
    this.#widths = headings.map(([, width]) => width);
    this.row(headings.map(([name]) => name));
  }

  row(cells: Row): void {
    const line = cells.map((cell, i) => textOf(cell).padStart(this.#widths[i] ?? 0)).join('  ');
    process.stdout.write(`${line.trimEnd()}\n`);
  }
}

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** What `work` gives, with a bar for as long as it runs. */
export function withBar<Result>(
  name: string,
  work: (onProgress: (done: number, of: number) => void) => Result,
): Result {
  const { stderr } = process;
  if (!stderr.isTTY) return work(() => {});
  const format = `${name} [{bar}] {percentage}% {duration_formatted}`;
  const bar = new SingleBar(
    { stream: stderr, format, barsize: 30, clearOnComplete: true, hideCursor: true },
    Presets.legacy,
  );
  bar.start(1, 0);
  try {
    return work((done, of) => {
      bar.setTotal(of);
      bar.update(done);
    });
  } finally {
    bar.stop();
  }
}
