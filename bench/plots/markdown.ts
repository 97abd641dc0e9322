/**
 * @module markdown: figures as a table of a page.
 */
import { type Figure, short } from '../figure.ts';

export function markdownTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ figure, ours, anchor, ratio, unit }) => [
    figure,
    short(ours),
    anchor === null ? '' : short(anchor),
    unit,
    ratio === null ? '' : short(ratio),
  ]);
  const head = ['figure', 'ours', 'anchor', 'unit', 'ratio'];
  return [head, ['---', '--:', '--:', '---', '--:'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
