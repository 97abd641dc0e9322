/**
 * @module order-counts: how many orders there are from a state, and how many of them violate a
 * property, without going through them one by one.
 */
import type { OrderNode } from './order-graph.ts';

/** Of the orders from a state to their ends. */
export interface OrderCount {
  /** Those of which every step is known. */
  readonly orders: bigint;
  /** Those of them that violate a property, there or before. */
  readonly violating: bigint;
  /**
   * How many there may be in all: where some steps of a state are not known yet, they are taken to
   * be like the others. Exact when none is missing.
   */
  readonly estimate: number;
}

const none: OrderCount = { orders: 0n, violating: 0n, estimate: 0 };

export class OrderCounts {
  readonly #known = new Map<OrderNode, OrderCount>();

  of(node: OrderNode): OrderCount {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const count = this.#count(node);
    this.#known.set(node, count);
    return count;
  }

  #count(node: OrderNode): OrderCount {
    const isViolated = node.violated.length > 0;
    if (node.choices.length === 0) {
      return { orders: 1n, violating: isViolated ? 1n : 0n, estimate: 1 };
    }
    if (node.edges.size === 0) return none;
    let { orders, violating, estimate } = none;
    for (const { to } of node.edges.values()) {
      const after = this.of(to);
      orders += after.orders;
      violating += after.violating;
      estimate += after.estimate;
    }
    estimate *= node.choices.length / node.edges.size;
    return { orders, violating: isViolated ? orders : violating, estimate };
  }
}

/** The choices that lead to the nearest state with a violation, and what is violated there. */
export function shortestViolation(
  root: OrderNode,
): { readonly labels: readonly string[]; readonly property: string } | undefined {
  const ways = new Map<OrderNode, { readonly before: OrderNode; readonly label: string } | null>();
  ways.set(root, null);
  const queue = [root];
  for (const node of queue) {
    const [property] = node.violated;
    if (property !== undefined) return { labels: wayTo(node, ways), property };
    for (const [label, { to }] of node.edges) {
      if (ways.has(to)) continue;
      ways.set(to, { before: node, label });
      queue.push(to);
    }
  }
  return undefined;
}

function wayTo(
  node: OrderNode,
  ways: ReadonlyMap<OrderNode, { readonly before: OrderNode; readonly label: string } | null>,
): readonly string[] {
  const labels: string[] = [];
  for (let way = ways.get(node); way; way = ways.get(way.before)) labels.unshift(way.label);
  return labels;
}
