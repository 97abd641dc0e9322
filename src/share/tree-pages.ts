/**
 * @module tree-pages: of a large hash tree, the pages that lead from some segments to its
 * root. The hashes are as they were read: whoever takes one has it checked.
 */
import { nodeCount, pathRuns } from './hashtree.ts';
import { pageNodes } from './limits.ts';

/** Of a tree as it is stored, `count` nodes from node `first` on. */
export type ReadHashes = (first: number, count: number) => Promise<readonly Uint8Array[]>;

export class TreePages {
  readonly #segmentCount: number;
  #pages: ReadonlyMap<number, readonly Uint8Array[]> = new Map();

  constructor(segmentCount: number) {
    this.#segmentCount = segmentCount;
  }

  /** Reads what the segments need and is not here; what they do not need is forgotten. */
  async turnTo(readHashes: ReadHashes, firstSegment: number, count: number): Promise<void> {
    const wanted = this.#pagesFor(firstSegment, count);
    const read = async (page: number): Promise<readonly [number, readonly Uint8Array[]]> => {
      const held = this.#pages.get(page);
      if (held !== undefined) return [page, held];
      const first = firstOf(page);
      const end = Math.min(firstOf(page + 1), nodeCount(this.#segmentCount));
      return [page, await readHashes(first, end - first)];
    };
    this.#pages = new Map(await Promise.all(wanted.map(read)));
  }

  /** The hash of a node on the way of the segments that were turned to. */
  hashAt(node: number): Uint8Array {
    const page = this.#pages.get(pageOf(node));
    const hash = page?.[node - firstOf(pageOf(node))];
    if (hash === undefined) throw new Error(`node ${node} is on no page that was read`);
    return hash;
  }

  #pagesFor(firstSegment: number, count: number): number[] {
    const pages = new Set([0]);
    for (const { first, last } of pathRuns(this.#segmentCount, firstSegment, count)) {
      for (let page = pageOf(first); page <= pageOf(last); page++) pages.add(page);
    }
    return [...pages].sort((a, b) => a - b);
  }
}

/**
 * A level begins with node 2^n - 1. Pages begin at such odd nodes too, so siblings share a page.
 */
function pageOf(node: number): number {
  return Math.floor((node + 1) / pageNodes);
}

function firstOf(page: number): number {
  return Math.max(0, page * pageNodes - 1);
}
