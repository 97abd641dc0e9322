/**
 * @module quorum-explore: several writers over a quorum, every interleaving, breadth first.
 *
 * Of a world that was met only its fingerprint is kept, and from which other one it was met; a trace
 * is the same steps once more.
 */
import { Fingerprints } from './quorum-fingerprint.ts';
import { Met, Numbers, Recent } from './quorum-met.ts';
import type { Kernels, QuorumModel, Violation } from './quorum-model.ts';
import { type Print, type TracedStep, traceOf } from './quorum-trace.ts';
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

export function exploreQuorum(model: QuorumModel, options: QuorumOptions): QuorumFindings {
  const { limit, seconds = Number.POSITIVE_INFINITY, first = false, kernels, onProgress } = options;
  const until = performance.now() + seconds * 1000;
  const worlds = new QuorumWorlds(model, kernels);
  const prints = new Fingerprints(worlds);
  const met = new Met();
  const recent = new Recent(worlds.length);
  const queue = new Queue(worlds.length);
  const parents = new Numbers();
  // Of each world that waits, or did.
  const highs = new Numbers();
  const lows = new Numbers();
  const broken = new Map<Violation, TracedStep>();
  let transitions = 0;
  let violations = 0;

  const isMet = (world: World) => {
    prints.take(world);
    return met.has(prints.nowHigh, prints.nowLow, prints.past);
  };
  const reach = (world: World, parent: number) => {
    if (!recent.add(world) || worlds.isOver(world) || isMet(world)) return;
    const { high, low, nowHigh, nowLow, past } = prints;
    for (const younger of worlds.youngerOf(world)) if (isMet(younger)) return;
    met.add(nowHigh, nowLow, past);
    queue.push(world);
    parents.push(parent);
    highs.push(high);
    lows.push(low);
  };
  /** Whether another one was met since in which more may have been heard. */
  const isOutdone = (world: World) => {
    prints.take(world);
    return !met.isNewest(prints.nowHigh, prints.nowLow, prints.past);
  };
  const pathTo = (at: number): Print[] => {
    const path: Print[] = [];
    for (let i = at; parents.at(i) >= 0; i = parents.at(i)) path.unshift([highs.at(i), lows.at(i)]);
    return path;
  };
  const found = (ended: QuorumFindings['ended']): QuorumFindings => ({
    ...{ states: met.size, transitions, ended, violations },
    traces: Object.fromEntries([...broken].map(([name, step]) => [name, traceOf(worlds, step)])),
  });

  let isLate = false;
  reach(worlds.first(), -1);
  for (let at = 0; ; at++) {
    if (at % 10_000 === 0) onProgress?.(met.size, limit);
    const world = queue.shift();
    if (world === undefined) return found('exhausted');
    if (first && violations > 0) return found('first');
    if (met.size > limit) return found('limit');
    if (isLate) return found('time');
    if (isOutdone(world)) continue;
    worlds.steps(world, (next, violation) => {
      if (isLate) return;
      if ((++transitions & 255) === 0) isLate = performance.now() > until;
      if (violation !== undefined) {
        violations++;
        if (!broken.has(violation)) broken.set(violation, { path: pathTo(at), violation });
      }
      if (next !== null) reach(next, at);
    });
  }
}
