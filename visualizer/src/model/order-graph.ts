/**
 * @module order-graph: the states that a search has seen, what leads from one to another, and where
 * to look next. Pure: it walks no world.
 *
 * Orders that come to one state go on as one. And of two deliveries that commute, one order is
 * walked: where `a` was all about one server and `b`, before and after it, about another, `b` then
 * `a` comes to where `a` then `b` came to. For what a coordinator knows is a book with a page per
 * server, and what it does next depends on the book alone; after `a` then `b` it did nothing, so
 * with the same book it does nothing. A walk that comes through such a step looks whether it is so.
 */

/** What a walker sees at a place. */
export interface Stop {
  readonly key: string;
  /** What can happen next; nothing when the order is over. */
  readonly choices: readonly string[];
  /** Ids of properties. */
  readonly violated: readonly string[];
  /** The only server that the last step was about, if there is one. */
  readonly local: string | null;
}

interface Edge {
  readonly to: OrderNode;
  readonly local: string | null;
}

export interface OrderNode {
  readonly key: string;
  readonly choices: readonly string[];
  readonly violated: readonly string[];
  /** By label. */
  readonly edges: Map<string, Edge>;
  /** Where it was come from. */
  readonly from: {
    readonly node: OrderNode;
    readonly label: string;
    readonly local: string | null;
  }[];
}

export class OrderGraph {
  readonly root: OrderNode;
  readonly #nodes = new Map<string, OrderNode>();
  readonly #claimed = new Map<OrderNode, Set<string>>();
  /** Nodes that may have something to try, the last one found on top. */
  readonly #open: OrderNode[] = [];
  readonly #isReduced: boolean;
  /** Steps that were walked for what comes of them, and steps that were known without. */
  walked = 0;
  commuted = 0;

  constructor(start: Stop, isReduced = true) {
    this.#isReduced = isReduced;
    this.root = this.#node(start);
  }

  get states(): number {
    return this.#nodes.size;
  }

  #node({ key, choices, violated }: Stop): OrderNode {
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node: OrderNode = { key, choices, violated, edges: new Map(), from: [] };
    this.#nodes.set(key, node);
    this.#claimed.set(node, new Set());
    this.#open.push(node);
    return node;
  }

  /** A step to try, the deepest first; it counts as tried from now on. */
  claim(): { readonly node: OrderNode; readonly label: string } | undefined {
    for (let node = this.#open.at(-1); node !== undefined; node = this.#open.at(-1)) {
      const label = this.claimAt(node);
      if (label !== undefined) return { node, label };
      this.#open.pop();
    }
    return undefined;
  }

  /** The same from this node. */
  claimAt(node: OrderNode): string | undefined {
    const claimed = this.#claimed.get(node) as Set<string>;
    for (const label of node.choices) {
      if (claimed.has(label) || node.edges.has(label)) continue;
      if (this.#isReduced && this.#commutes(node, label)) continue;
      claimed.add(label);
      return label;
    }
    return undefined;
  }

  /** What came of a step. */
  add(from: OrderNode, label: string, stop: Stop): OrderNode {
    this.walked++;
    const to = this.#node(stop);
    this.#connect(from, label, { to, local: stop.local });
    return to;
  }

  /** The choices from the root to here, by the way that was found last. */
  pathTo(node: OrderNode): readonly string[] {
    const labels: string[] = [];
    for (let at = node; at !== this.root; ) {
      const { node: before, label } = at.from.at(-1) as OrderNode['from'][number];
      labels.unshift(label);
      at = before;
    }
    return labels;
  }

  /**
   * Looks whether a walk saw what the graph says.
   * @throws Error when two orders were taken for one that are not
   */
  confirm(labels: readonly string[], stops: readonly Stop[]): void {
    let node = this.root;
    for (const [i, label] of ['', ...labels].entries()) {
      if (i > 0) node = (node.edges.get(label) as Edge).to;
      if (node.key === stops[i]?.key) continue;
      throw new Error(
        `“${label}” did not come to the state it was taken to come to; please report`,
      );
    }
  }

  #connect(from: OrderNode, label: string, edge: Edge): void {
    from.edges.set(label, edge);
    edge.to.from.push({ node: from, label, local: edge.local });
  }

  /** Whether what comes of the step follows from what is known. */
  #commutes(node: OrderNode, label: string): boolean {
    for (const { node: before, label: other, local } of node.from) {
      if (local === null) continue;
      const first = before.edges.get(label);
      if (first === undefined || first.local === null || first.local === local) continue;
      const second = first.to.edges.get(other);
      if (second?.local !== local) continue;
      const all = [node, first.to, second.to];
      if (all.some(({ violated }) => String(violated) !== String(before.violated))) continue;
      this.#connect(node, label, { to: second.to, local: first.local });
      this.commuted++;
      return true;
    }
    return false;
  }
}
