/**
 * @module svg: a placed chart as SVG text, the same for the page and for the files in docs/.
 *
 * Every state carries `data-state` and every transition `data-transition`, so that a page can tell
 * what is active with a class and never has to draw again. A line carries all that it stands for,
 * with spaces between, and each line of its label the one that it names. The style is apart: a
 * page with a strict content security policy has it in a file, a file has it inside.
 */
import {
  type Box,
  fontSizes,
  isBox,
  type PlacedChart,
  type PlacedEdge,
  type PlacedState,
  type Point,
} from './layout.ts';

const round = 6;

/**
 * Only `<svg>`, without style, and with room around its lines for a mouse; `label` is read to those
 * who do not see it.
 */
export function toSvg(chart: PlacedChart, label: string): string {
  const hits = chart.edges.map(({ ids, points }) => drawLine('hit', ids, points, ''));
  return svg(chart, label, { role: 'group', style: '', hits });
}

/** A file that can be looked at by itself, in light and dark. */
export function toSvgFile(chart: PlacedChart, label: string): string {
  const style = `<style>${fileStyle}</style>\n`;
  return `${svg(chart, label, { role: 'img', style, hits: [] })}\n`;
}

interface Dress {
  /** A picture, or a group of parts that explain themselves. */
  readonly role: 'img' | 'group';
  readonly style: string;
  readonly hits: readonly string[];
}

function svg(chart: PlacedChart, label: string, { role, style, hits }: Dress): string {
  const { id, width, height } = chart;
  const arrow = `arrow-${id.replace(/\W+/g, '-')}`;
  const starts = chart.starts.map(
    ({ x, y }) => `<circle class="start" cx="${x}" cy="${y}" r="5"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="${role}" aria-label="${text(label)}"` +
      ` viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `${style}<defs><marker id="${arrow}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"` +
      ' markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0.5 8 4 0 7.5z"/></marker></defs>',
    ...chart.states.map(drawState),
    ...starts,
    ...chart.edges.map((edge) => drawEdge(edge, arrow)),
    ...hits,
    // Labels last: no line runs over a word.
    ...chart.edges.map(drawLabel).filter((line) => line !== ''),
    '</svg>',
  ].join('\n');
}

function drawState(state: PlacedState): string {
  const { path, title, kind, description, rows, x, y, width, height } = state;
  const inner =
    kind === 'final' ? rect({ x: x + 3, y: y + 3, width: width - 6, height: height - 6 }, 4) : '';
  const titleX = isBox(state) ? x + 12 : x + width / 2;
  const titleY = isBox(state) || rows.length > 0 ? y + 17.5 : y + height / 2 + 4.5;
  return [
    `<g class="state ${kind === 'parallel' ? 'compound parallel' : kind}" data-state="${text(path)}">`,
    description === '' ? '' : `<title>${text(description)}</title>`,
    rect(state, round),
    inner,
    `<text class="title" x="${one(titleX)}" y="${one(titleY)}">${text(title)}</text>`,
    ...rows.map(
      (row, i) =>
        `<text class="row" data-transition="${nameOf([row.id])}" x="${x + 10}" y="${y + 35 + i * 17}">` +
        `${text(row.text)}</text>`,
    ),
    '</g>',
  ].join('');
}

function rect({ x, y, width, height }: Box, radius: number): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`;
}

function drawEdge({ ids, points }: PlacedEdge, arrow: string): string {
  return drawLine('edge', ids, points, ` marker-end="url(#${arrow})"`);
}

function drawLine(
  kind: string,
  ids: readonly string[],
  points: readonly Point[],
  end: string,
): string {
  const line = points.map(({ x, y }) => `${x} ${y}`).join('L');
  return `<path class="${kind}" data-transition="${nameOf(ids)}" d="M${line}"${end}/>`;
}

function drawLabel({ label }: PlacedEdge): string {
  if (label === null) return '';
  const { x, y, width, lines } = label;
  const step = fontSizes.label * 1.3;
  const spans = lines.map((line, i) => {
    const guard = line.text.startsWith('[') ? ' class="guard"' : '';
    const name = `${guard} data-transition="${nameOf([line.id])}"`;
    const at = `x="${one(x + width / 2)}" y="${one(y + step * (i + 0.8))}"`;
    return `<tspan${name} ${at}>${text(line.text)}</tspan>`;
  });
  return `<g class="label"><text>${spans.join('')}</text></g>`;
}

/** Names of events may have spaces, in a machine that somebody else made. */
function nameOf(ids: readonly string[]): string {
  return text(ids.map((id) => id.replaceAll(' ', space)).join(' '));
}

/** What a `data-transition` stands for. */
export function idsIn(name: string): readonly string[] {
  return name.split(' ').map((id) => id.replaceAll(space, ' '));
}

/** U+00A0, which is not the one between names. */
const space = '\u00a0';

function one(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(raw: string): string {
  return raw.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

const fileStyle = `
svg{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
--paper:#fff;--ink:#1b1f24;--line:#59636e;--box:#f3f5f7;--inner:#fff}
@media (prefers-color-scheme:dark){svg{--paper:#0f1318;--ink:#e6eaee;--line:#9aa5b1;--box:#1a2027;--inner:#232b33}}
svg{background:var(--paper)}
.state rect{fill:var(--inner);stroke:var(--line)}.state.compound rect{fill:var(--box)}
text{fill:var(--ink)}.title{font-size:${fontSizes.title}px;font-weight:600;text-anchor:middle}
.compound .title{text-anchor:start}.row,.label{font-size:${fontSizes.label}px}.label{text-anchor:middle}
.guard,.row{fill:var(--line)}
.edge{fill:none;stroke:var(--line)}.head,.start{fill:var(--line)}`;
