/**
 * @module shares: along one run, how many of the orders that are left at each step violate a property.
 */
import { Prng } from '../../../src/simulation/prng.ts';
import { OrderCounts } from '../model/order-counts.ts';
import type { OrderNode } from '../model/order-graph.ts';
import type { Explored } from './explore.ts';
import type { OrderShare, Search } from './protocol.ts';
import { LocalWalker } from './walker.ts';

/** Orders that are drawn at a step where there are too many to count. */
const sampleSize = 24;

/**
 * Counted where every order is known, else drawn.
 * @param labels of a run, from the beginning of the search on
 * @returns one per step, the first before any; fewer when the run does what was not explored
 */
export async function sharesAlong(
  search: Search,
  { graph, exploration }: Explored,
  labels: readonly string[],
): Promise<readonly OrderShare[]> {
  if (exploration.status === 'exhausted') return counted(graph.root, labels);
  const shares: OrderShare[] = [];
  for (let i = 0; i <= labels.length; i++) {
    const share = await drawn(search, labels.slice(0, i));
    if (share === undefined) break;
    shares.push(share);
  }
  return shares;
}

function counted(root: OrderNode, labels: readonly string[]): readonly OrderShare[] {
  const counts = new OrderCounts();
  const shares: OrderShare[] = [];
  let node: OrderNode | undefined = root;
  for (const label of [...labels, null]) {
    if (node === undefined) break;
    const { orders, violating } = counts.of(node);
    shares.push({ orders: String(orders), violating: String(violating), isDrawn: false });
    node = label === null ? undefined : node.edges.get(label)?.to;
  }
  return shares;
}

/** Seeded: the same orders every time. What comes next is drawn among all that can. */
async function drawn(search: Search, labels: readonly string[]): Promise<OrderShare | undefined> {
  const prng = new Prng(1);
  const walker = new LocalWalker();
  let violating = 0;
  for (let i = 0; i < sampleSize; i++) {
    const stops = await walker.walk(search, labels).catch((error) => {
      if (error instanceof RangeError) return undefined;
      throw error;
    });
    let stop = stops?.at(-1);
    if (stop === undefined) return undefined;
    while (stop.choices.length > 0 && stop.violated.length === 0) {
      stop = await walker.step(prng.pick(stop.choices));
    }
    if (stop.violated.length > 0) violating++;
  }
  return { orders: String(sampleSize), violating: String(violating), isDrawn: true };
}
