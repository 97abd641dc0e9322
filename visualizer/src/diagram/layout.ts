/**
 * @module layout: where the parts of a chart go. ELK (Eclipse Layout Kernel, by elkjs) decides;
 * this module puts the question and reads the answer.
 *
 * The layout engine comes in by parameter: Node gives the whole one, the page gives one in a
 * worker. Text is in a monospace font, so its size is known without measuring, and a picture is the
 * same on every machine.
 */
import {
  type Chart,
  type ChartState,
  type ChartTransition,
  statesIn,
} from '../../../src/inspector/chart.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Box {
  readonly path: string;
  readonly title: string;
  readonly kind: ChartState['kind'];
  readonly description: string;
  /** What happens in the state without leaving it. */
  readonly rows: readonly Line[];
}

/** One line for all that leads from one state to the same other one. */
export interface PlacedEdge {
  /** Of the transitions; `initial:collecting` for where a compound state begins. */
  readonly ids: readonly string[];
  readonly points: readonly Point[];
  readonly label: (Box & { readonly lines: readonly Line[] }) | null;
}

/** A line of text, and the transition that it is about. */
export interface Line {
  readonly id: string;
  readonly text: string;
}

/** A chart on paper, in CSS pixels; outer states come before inner ones. */
export interface PlacedChart {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly states: readonly PlacedState[];
  readonly starts: readonly Point[];
  readonly edges: readonly PlacedEdge[];
}

/** What elkjs exports. */
export interface LayoutEngine {
  layout(graph: never): Promise<unknown>;
}

/** Font sizes in CSS pixels, and the advance of the widest usual monospace font in em. */
export const fontSizes = { title: 13, label: 11 } as const;
const advance = 0.61;
const lineHeight = 1.3;
const titleHeight = 26;
const rowHeight = 17;
const padding = 10;
const startSize = 10;
/** What is wider than this on its way down goes to the right: half a screen, a page of text. */
const pageWidth = 900;

interface ElkNode {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  children?: ElkNode[];
  edges?: ElkEdge[];
  layoutOptions?: Record<string, string>;
}

interface ElkEdge {
  id: string;
  /** Of the transitions; ELK hands back what it does not know. */
  ids: readonly string[];
  sources: string[];
  targets: string[];
  layoutOptions?: Record<string, string>;
  labels?: (Partial<Box> & { text: string; lines: readonly Line[] })[];
  sections?: { startPoint: Point; bendPoints?: Point[]; endPoint: Point }[];
}

const directions = {
  down: { 'elk.direction': 'DOWN' },
  /** What leads to many states has them in a column, in the order of their declaration. */
  right: {
    'elk.direction': 'RIGHT',
    'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
    'elk.layered.crossingMinimization.forceNodeModelOrder': 'true',
  },
};

const rootOptions = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.spacing.edgeLabel': '3',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
};

/**
 * What may happen in every state begins at a box of its own: lines from everywhere hide the rest.
 * It comes before all states, as nothing leads back to it.
 */
const anywhere: ChartState = {
  path: 'anywhere',
  key: 'anywhere',
  kind: 'atomic',
  description: 'Whatever the state.',
  initial: null,
  states: [],
};

function withAnywhere(chart: Chart): Chart {
  const { id, root, transitions } = chart;
  const isFromAnywhere = ({ source, target }: ChartTransition) => source === '' && target !== null;
  if (!transitions.some(isFromAnywhere)) return chart;
  return {
    id,
    root: { ...root, states: [anywhere, ...root.states] },
    transitions: transitions.map((it) =>
      isFromAnywhere(it) ? { ...it, source: anywhere.path } : it,
    ),
  };
}

/** Places everything in `of`, from above to below; where that is too wide, to the right. */
export async function place(of: Chart, engine: LayoutEngine): Promise<PlacedChart> {
  const chart = withAnywhere(of);
  const down = await placeTowards('down', chart, engine);
  if (down.width <= pageWidth) return down;
  const right = await placeTowards('right', chart, engine);
  return right.width < down.width ? right : down;
}

async function placeTowards(
  direction: keyof typeof directions,
  chart: Chart,
  engine: LayoutEngine,
): Promise<PlacedChart> {
  const question = graphOf(chart, { ...rootOptions, ...directions[direction] });
  const graph = (await engine.layout(question as never)) as ElkNode;
  const boxes = new Map(nodesIn(graph).map((node) => [node.id, boxOf(node)]));
  const states = statesIn(chart.root).filter(({ path }) => path !== '');
  return {
    id: chart.id,
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    states: states.map((state) => ({
      ...(boxes.get(state.path) as Box),
      path: state.path,
      title: state.key,
      kind: state.kind,
      description: state.description,
      rows: rowsOf(chart, state),
    })),
    starts: [...boxes].filter(([id]) => id.startsWith('start:')).map(([, box]) => centreOf(box)),
    edges: (graph.edges ?? []).map(edgeOf),
  };
}

function graphOf(chart: Chart, layoutOptions: Record<string, string>): ElkNode {
  const moving = chart.transitions.filter(({ target }) => target !== null);
  const starts = statesIn(chart.root).filter(({ initial }) => initial !== null);
  const order = statesIn(chart.root).map(({ path }) => path);
  // What is declared first stands above; in a cycle, the edges back are those that lead up.
  const isForward = ({ source, target }: ChartTransition) =>
    order.indexOf(source) < order.indexOf(target as string);
  return {
    id: 'root',
    layoutOptions,
    children: childrenOf(chart, chart.root),
    edges: [
      ...starts.map(({ path, initial }) => ({
        id: `initial:${path}`,
        ids: [`initial:${path}`],
        sources: [`start:${path}`],
        targets: [initial as string],
        layoutOptions: downward(20),
      })),
      ...bundlesOf(moving).map(({ first, all }) => ({
        id: first.id,
        ids: all.map(({ id }) => id),
        sources: [first.source],
        targets: [first.target as string],
        labels: labelsOf(all),
        layoutOptions: downward(isForward(first) ? 10 : 1),
      })),
    ],
  };
}

/**
 * Those that lead from one state to the same other one, together. What fires by itself is apart:
 * below an event its guard would read as the guard of that event.
 */
function bundlesOf(transitions: readonly ChartTransition[]) {
  const alike = (one: ChartTransition) => (other: ChartTransition) =>
    one.source === other.source &&
    one.target === other.target &&
    (one.event === '') === (other.event === '');
  return transitions
    .filter((one, i) => transitions.findIndex(alike(one)) === i)
    .map((first) => ({ first, all: transitions.filter(alike(first)) }));
}

function downward(priority: number): Record<string, string> {
  return { 'elk.layered.priority.direction': `${priority}` };
}

function childrenOf(chart: Chart, state: ChartState): ElkNode[] {
  const inside = state.states.map((child) => nodeOf(chart, child));
  // Regions begin all at once: no dot between them.
  if (state.initial === null) return inside;
  return [{ id: `start:${state.path}`, width: startSize, height: startSize }, ...inside];
}

function nodeOf(chart: Chart, state: ChartState): ElkNode {
  const rows = rowsOf(chart, state);
  const texts = rows.map(({ text }) => widthOf(text, fontSizes.label));
  const width = Math.max(widthOf(state.key, fontSizes.title), ...texts) + 2 * padding;
  const height = titleHeight + rows.length * rowHeight;
  const size = { width, height };
  const sizeOptions = {
    // The lines that meet it keep their distance.
    'elk.nodeSize.constraints': 'PORTS MINIMUM_SIZE',
    'elk.nodeSize.minimum': `(${width},${height})`,
  };
  if (!isBox(state)) return { id: state.path, ...size, layoutOptions: sizeOptions };
  return {
    id: state.path,
    children: childrenOf(chart, state),
    layoutOptions: {
      ...sizeOptions,
      'elk.padding': `[top=${height + 10},left=12,bottom=12,right=12]`,
    },
  };
}

/** Whether states are drawn in it. */
export function isBox({ kind }: Pick<ChartState, 'kind'>): boolean {
  return kind === 'compound' || kind === 'parallel';
}

function rowsOf(chart: Chart, { path }: ChartState): PlacedState['rows'] {
  return chart.transitions
    .filter(({ source, target }) => source === path && target === null)
    .map((transition) => ({ id: transition.id, text: `↻ ${linesOf(transition).join(' ')}` }));
}

function labelsOf(transitions: readonly ChartTransition[]): NonNullable<ElkEdge['labels']> {
  const lines = transitions.flatMap((it) => linesOf(it).map((text) => ({ id: it.id, text })));
  if (lines.length === 0) return [];
  const width = Math.max(...lines.map(({ text }) => widthOf(text, fontSizes.label))) + 4;
  const height = lines.length * fontSizes.label * lineHeight;
  // ELK gives no place to a label without text.
  const text = lines.map((line) => line.text).join('\n');
  return [{ text, width: Math.ceil(width), height: Math.ceil(height), lines }];
}

function linesOf({ event, guard }: ChartTransition): string[] {
  return [event, guard === '' ? '' : `[${guard}]`].filter((line) => line !== '');
}

function widthOf(text: string, size: number): number {
  return Math.ceil(text.length * size * advance);
}

// --- reading the answer -------------------------------------------------------------------------

function nodesIn(node: ElkNode): ElkNode[] {
  return (node.children ?? []).flatMap((child) => [child, ...nodesIn(child)]);
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

function centreOf({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 };
}

function edgeOf({ ids, sections = [], labels = [] }: ElkEdge): PlacedEdge {
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  const [label] = labels;
  return {
    ids,
    points: points.map(({ x, y }) => ({ x: round(x), y: round(y) })),
    label: label === undefined ? null : { ...boxOf(label), lines: label.lines },
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
