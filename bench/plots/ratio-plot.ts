/**
 * @module ratio-plot: ratios as bars to the left and the right of 1, on a logarithmic scale: a factor of
 * two is as long in either direction.
 */
import { type Figure, short } from '../figure.ts';

const rowHeight = 20;
const nameWidth = 250;
const plotWidth = 400;
const width = nameWidth + plotWidth + 60;
const top = 44;
const ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

/** An SVG file. Figures without a ratio are left out. */
export function ratioPlot(title: string, figures: readonly Figure[]): string {
  const bars = figures.flatMap(({ figure, ratio }) => (ratio === null ? [] : [{ figure, ratio }]));
  const all = bars.map(({ ratio }) => ratio);
  const low = ticks.findLast((tick) => tick <= Math.min(1, ...all)) ?? (ticks[0] as number);
  const high = ticks.find((tick) => tick >= Math.max(1, ...all)) ?? (ticks.at(-1) as number);
  const xOf = (ratio: number) => {
    const within = Math.log(Math.min(Math.max(ratio, low), high) / low) / Math.log(high / low || 2);
    return nameWidth + plotWidth * within;
  };
  const height = top + rowHeight * bars.length + 12;
  const lines = ticks
    .filter((tick) => low <= tick && tick <= high)
    .map((tick) => {
      const x = round(xOf(tick));
      const line = `<path d="M${x} ${top - 6}V${height - 8}" class="${tick === 1 ? 'one' : 'tick'}"/>`;
      return `${line}<text x="${x}" y="${top - 12}" text-anchor="middle">${tick}</text>`;
    });
  const drawn = bars.map(({ figure, ratio }, i) => {
    const y = top + rowHeight * i;
    const [from, to] = [xOf(Math.min(1, ratio)), xOf(Math.max(1, ratio))];
    const name = `<text x="${nameWidth - 8}" y="${y + 12}" text-anchor="end">${escaped(figure)}</text>`;
    const sort = ratio >= 1 ? 'better' : 'worse';
    const size = `width="${round(to - from)}" height="${rowHeight - 6}"`;
    const bar = `<rect x="${round(from)}" y="${y + 1}" ${size} class="${sort}"/>`;
    const label = `<text x="${round(to) + 4}" y="${y + 12}">${short(ratio)}</text>`;
    return `${name}${bar}${label}`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}">`,
    `<style>${style}</style><rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="8" y="18" class="title">${escaped(title)}: ratio, above 1 is better</text>`,
    ...lines,
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
}

const style = [
  'text{font:12px sans-serif;fill:#222}',
  '.title{font-weight:bold}',
  '.tick{stroke:#ddd}.one{stroke:#222}',
  '.better{fill:#2a7}.worse{fill:#c63}',
].join('');

function round(value: number): number {
  return Math.round(10 * value) / 10;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
