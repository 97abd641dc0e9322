/**
 * @module explore: every order in which the messages of a scene can arrive, counted and judged.
 *
 * Walkers lead worlds through the states that `order-graph.ts` knows of, each step of them once; what
 * is known then is enough to count the orders, and those that violate a property.
 */
import { OrderCounts, shortestViolation } from '../model/order-counts.ts';
import { OrderGraph, type OrderNode } from '../model/order-graph.ts';
import type { Exploration, Search } from './protocol.ts';
import { isTimed, type Walker } from './walker.ts';

export interface ExploreOptions {
  /** Called now and then. */
  readonly onProgress?: (exploration: Exploration) => void;
  readonly statesMax?: number;
  /**
   * Whether deliveries that commute are walked in one order. By default so where no time passes while
   * a call is open: how long one is waited for does depend on the order.
   */
  readonly isReduced?: boolean;
}

export interface Explored {
  readonly exploration: Exploration;
  readonly graph: OrderGraph;
}

/** Between two reports, in milliseconds. */
const reportEveryMs = 400;
/** Counting takes long in a large graph: so many times as long, at least, it is searched then. */
const searchPerCount = 10;

/** @param walkers they walk at the same time */
export async function explore(
  search: Search,
  walkers: readonly Walker[],
  { onProgress, statesMax = 50_000, isReduced = !isTimed(search) }: ExploreOptions = {},
): Promise<Explored> {
  const [first] = walkers as readonly [Walker];
  const [start] = await first.walk(search, []);
  const graph = new OrderGraph(start as NonNullable<typeof start>, isReduced);
  let busy = 0;
  let wake: (() => void)[] = [];
  const isFull = () => graph.states >= statesMax;
  const report = onProgress && reporter(graph, onProgress);
  report?.();
  const tell = () => {
    for (const wakeUp of wake) wakeUp();
    wake = [];
    report?.();
  };

  const goOn = async (walker: Walker): Promise<void> => {
    while (!isFull()) {
      const claimed = graph.claim();
      if (claimed === undefined) {
        if (busy === 0) break;
        await new Promise<void>((resolve) => wake.push(resolve));
        continue;
      }
      busy++;
      await follow(walker, claimed.node, claimed.label);
      busy--;
      tell();
    }
    tell();
  };

  /** To a node and on from there, as long as there is something to try. */
  const follow = async (walker: Walker, target: OrderNode, label: string): Promise<void> => {
    const path = graph.pathTo(target);
    graph.confirm(path, await walker.walk(search, path));
    let node = target;
    for (let next: string | undefined = label; next !== undefined; ) {
      node = graph.add(node, next, await walker.step(next));
      tell();
      next = isFull() ? undefined : graph.claimAt(node);
    }
  };

  await Promise.all(walkers.map(goOn));
  return { exploration: reportOf(graph, isFull() ? 'limit' : 'exhausted'), graph };
}

/** Tells of the states as often as one looks, of the orders as often as it can count them. */
function reporter(graph: OrderGraph, onProgress: (exploration: Exploration) => void): () => void {
  let counts = reportOf(graph, 'running');
  let [toldAt, countAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return () => {
    const now = performance.now();
    if (now - toldAt < reportEveryMs) return;
    if (now >= countAt) {
      counts = reportOf(graph, 'running');
      const took = performance.now() - now;
      countAt = now + took * (1 + searchPerCount);
    }
    toldAt = performance.now();
    const { states, walked, commuted } = graph;
    onProgress({ ...counts, states, walked, commuted });
  };
}

function reportOf(graph: OrderGraph, status: Exploration['status']): Exploration {
  const { orders, violating, estimate } = new OrderCounts().of(graph.root);
  const { states, walked, commuted } = graph;
  const found = shortestViolation(graph.root) ?? null;
  const counts = { orders: String(orders), violating: String(violating), estimate };
  return { status, states, walked, commuted, ...counts, found };
}
