/**
 * @module quorum-trace: the steps that led to a world, in words.
 *
 * A version is called after its writer: `a` and `b` wrote their first, `A` and `B` their second,
 * `α` and `β` their third; `o` was there before, and what has rotted is struck with `~`.
 */
import { type Mark, none } from './quorum-parts.ts';
import type { Names, QuorumWorlds, Told, World } from './quorum-world.ts';

export interface TracedStep {
  /** Which of the steps of each world was taken, from the first world on. */
  readonly path: readonly number[];
  readonly last: number;
}

/** The words of one course of a world. */
export class Narrator implements Names {
  readonly #worlds: QuorumWorlds;
  readonly #names = new Map<Mark, string>([[0, 'o']]);

  constructor(worlds: QuorumWorlds) {
    this.#worlds = worlds;
  }

  writer(index: number, attempt: number): string {
    if (index >= this.#worlds.model.writers) return 'a reader';
    return String.fromCodePoint(('aAαА'.codePointAt(attempt) as number) + index);
  }

  call(mark: Mark, index: number, attempt: number): void {
    this.#names.set(mark, this.writer(index, attempt));
  }

  mark(mark: Mark): string {
    const { cast } = this.#worlds;
    if (mark === none) return '-';
    if (cast.isRotten(mark)) return `~${this.mark(cast.made(mark).plain)}`;
    return this.#names.get(mark) ?? '?';
  }

  row(id: number): string {
    const { cast } = this.#worlds;
    return cast
      .row(id)
      .map((mark) => this.mark(mark))
      .join('');
  }

  /** The lines of a step that led to `next`; null: to nothing new. */
  lines(told: Told, next: World | null): readonly string[] {
    const lines = told(this);
    if (next === null) return lines;
    const rows = next.slice(0, this.#worlds.model.servers).map((row) => this.row(row));
    return [...lines.slice(0, -1), `${lines.at(-1)}  [${rows.join(' ')}]`];
  }
}

export function traceOf(worlds: QuorumWorlds, { path, last }: TracedStep): readonly string[] {
  const narrator = new Narrator(worlds);
  const lines: string[] = [];
  let world = worlds.first();
  for (const chosen of [...path, last]) {
    let ordinal = 0;
    let reached: World = world;
    worlds.steps(world, (next, _, told) => {
      if (ordinal++ !== chosen) return;
      lines.push(...narrator.lines(told, next));
      reached = next ?? world;
    });
    world = reached;
  }
  return lines;
}
