/**
 * @module quorum-explore: several writers over a quorum, every interleaving, breadth first.
 *
 * Of a world that was met only its fingerprint is kept, and which step of which other one led to
 * it; a trace is the same steps once more.
 */
import { Fingerprints, Met, Recent } from './quorum-fingerprint.ts';
import type { Kernels, QuorumModel, Violation } from './quorum-model.ts';
import { type TracedStep, traceOf } from './quorum-trace.ts';
import { QuorumWorlds, type World } from './quorum-world.ts';

export interface QuorumFindings {
  readonly states: number;
  readonly transitions: number;
  readonly ended: 'exhausted' | 'limit' | 'time' | 'first';
  /** Steps that broke something. */
  readonly violations: number;
  /** A shortest path to each kind of them. */
  readonly traces: Readonly<Partial<Record<Violation, readonly string[]>>>;
}

export interface QuorumOptions {
  /** States. */
  readonly limit: number;
  /** Seconds after which it ends, whatever it came to. */
  readonly seconds?: number | undefined;
  /** Whether to stop at the first violation. */
  readonly first?: boolean;
  readonly kernels?: Kernels | undefined;
  readonly onProgress?: (states: number, limit: number) => void;
}

/** Worlds that wait, in the order in which they were met. */
class Queue {
  readonly #length: number;
  readonly #chunks: Int32Array[] = [];
  #from = 0;
  #to = 0;

  constructor(length: number) {
    this.#length = length;
  }

  push(world: World): void {
    if (this.#to % worldsInChunk === 0) {
      this.#chunks.push(new Int32Array(worldsInChunk * this.#length));
    }
    this.#chunks.at(-1)?.set(world, (this.#to++ % worldsInChunk) * this.#length);
  }

  shift(): World | undefined {
    if (this.#from === this.#to) return undefined;
    const place = this.#from % worldsInChunk;
    if (place === 0 && this.#from > 0) this.#chunks.shift();
    this.#from++;
    const at = place * this.#length;
    return [...(this.#chunks[0] as Int32Array).subarray(at, at + this.#length)];
  }
}

const worldsInChunk = 1 << 14;

/** Numbers of 32 bits, as many as come. */
class Numbers {
  #items = new Int32Array(1 << 16);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const items = new Int32Array(this.#length * 2);
      items.set(this.#items);
      this.#items = items;
    }
    this.#items[this.#length++] = value;
  }

  at(i: number): number {
    return this.#items[i] as number;
  }
}

export function exploreQuorum(model: QuorumModel, options: QuorumOptions): QuorumFindings {
  const { limit, seconds = Number.POSITIVE_INFINITY, first = false, kernels, onProgress } = options;
  const until = performance.now() + seconds * 1000;
  const worlds = new QuorumWorlds(model, kernels);
  const prints = new Fingerprints(worlds);
  const met = new Met();
  const recent = new Recent(worlds.length);
  const queue = new Queue(worlds.length);
  const parents = new Numbers();
  const ordinals = new Numbers();
  const broken = new Map<Violation, TracedStep>();
  let transitions = 0;
  let violations = 0;

  const isMet = (world: World) => {
    prints.take(world);
    return met.has(prints.high, prints.low);
  };
  const reach = (world: World, parent: number, ordinal: number) => {
    if (!recent.add(world) || worlds.isOver(world)) return;
    if (isMet(world)) return;
    const { high, low } = prints;
    for (const younger of worlds.youngerOf(world)) if (isMet(younger)) return;
    met.add(high, low);
    queue.push(world);
    parents.push(parent);
    ordinals.push(ordinal);
  };
  const pathTo = (at: number): number[] => {
    const path: number[] = [];
    for (let i = at; parents.at(i) >= 0; i = parents.at(i)) path.unshift(ordinals.at(i));
    return path;
  };
  const found = (ended: QuorumFindings['ended']): QuorumFindings => ({
    ...{ states: met.size, transitions, ended, violations },
    traces: Object.fromEntries([...broken].map(([name, step]) => [name, traceOf(worlds, step)])),
  });

  let isLate = false;
  reach(worlds.first(), -1, 0);
  for (let at = 0; ; at++) {
    if (at % 10_000 === 0) onProgress?.(met.size, limit);
    const world = queue.shift();
    if (world === undefined) return found('exhausted');
    if (first && violations > 0) return found('first');
    if (met.size > limit) return found('limit');
    if (isLate) return found('time');
    let ordinal = 0;
    worlds.steps(world, (next, violation) => {
      if (isLate) return;
      if ((++transitions & 255) === 0) isLate = performance.now() > until;
      const step = ordinal++;
      if (violation !== undefined) {
        violations++;
        if (!broken.has(violation)) broken.set(violation, { path: pathTo(at), last: step });
      }
      if (next !== null) reach(next, at, step);
    });
  }
}
