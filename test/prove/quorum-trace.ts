/**
 * @module quorum-trace: the steps that led to a world, in words.
 *
 * A version is called after its writer: `a` and `b` wrote their first, `A` and `B` their second,
 * `α` and `β` their third; `o` was there before, and what has rotted is struck with `~`.
 */
import { Fingerprints } from './quorum-fingerprint.ts';
import type { Violation } from './quorum-model.ts';
import { type Mark, none } from './quorum-parts.ts';
import type { Names, QuorumWorlds, Told, World } from './quorum-world.ts';

/** The fingerprint of a world. */
export type Print = readonly [high: number, low: number];

export interface TracedStep {
  /** The worlds that led there, from the first step on. */
  readonly path: readonly Print[];
  /** What the step broke. */
  readonly violation: Violation;
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

export function traceOf(worlds: QuorumWorlds, { path, violation }: TracedStep): readonly string[] {
  const narrator = new Narrator(worlds);
  const prints = new Fingerprints(worlds);
  const lines: string[] = [];
  let world = worlds.first();
  /** Takes the first step of which this is true. */
  const take = (isIt: (next: World | null, broken: Violation | undefined) => boolean) => {
    let reached: World | null = null;
    worlds.everyStep(world, (next, broken, told) => {
      if (reached !== null || !isIt(next, broken)) return;
      lines.push(...narrator.lines(told, next));
      reached = next ?? world;
    });
    world = reached ?? world;
  };
  for (const [high, low] of path) {
    take((next) => {
      if (next !== null) prints.take(next);
      return next !== null && prints.high === high && prints.low === low;
    });
  }
  take((_, broken) => broken === violation);
  return lines;
}
