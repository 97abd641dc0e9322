/**
 * @module plots: `npm run bench:plots`: what `npm run bench` and `npm run bench:tahoe` have found, kept in
 * docs/performance/ as JSON, as pictures beside it and as tables in docs/performance.md.
 *
 *     npm run --silent bench -- --json > docs/performance/bench.json
 *     npm run --silent bench:tahoe -- --json > docs/performance/tahoe.json
 *     npm run bench:plots
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figure.ts';
import { markdownTable } from './plots/markdown.ts';
import { ratioPlot } from './plots/ratio-plot.ts';
import { projectRoot } from './root.ts';

const folder = join(projectRoot, 'docs/performance');
const page = join(projectRoot, 'docs/performance.md');

const sources = { bench: 'npm run bench', tahoe: 'npm run bench:tahoe' } as const;

const pictures = [
  { name: 'bounds', source: 'bench', of: /^(pipeline|encode|decode) /, title: 'By itself' },
  {
    name: 'cpu',
    source: 'tahoe',
    of: /^cpu (?!.*(A against A|the first))/,
    title: 'CPU time against Tahoe',
  },
  {
    name: 'wall',
    source: 'tahoe',
    of: /^wall (?!.*(A against A| at |the first))/,
    title: 'Wall time',
  },
  { name: 'far', source: 'tahoe', of: /^wall .* at 50 ms$|^depth /, title: 'Servers 50 ms away' },
  {
    name: 'wire',
    source: 'tahoe',
    of: /^(requests|bytes|memory) /,
    title: 'Requests, bytes, memory',
  },
] as const;

let text = readFileSync(page, 'utf8');
for (const [source, command] of Object.entries(sources)) {
  const path = join(folder, `${source}.json`);
  const figures: readonly Figure[] = JSON.parse(readFileSync(path, 'utf8'));
  for (const { name, of, title } of pictures.filter((picture) => picture.source === source)) {
    const shown = figures.filter(({ figure }) => of.test(figure));
    writeFileSync(join(folder, `${name}.svg`), ratioPlot(title, shown));
  }
  const date = statSync(path).mtime.toISOString().slice(0, 10);
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`;
  const where = `\`${command}\`, ${date}, Node ${process.version}, ${machine}`;
  text = between(text, source, `${where}\n\n${markdownTable(figures)}`);
}
writeFileSync(page, text);

/** The page with something else between the two marks of a source. */
function between(page: string, source: string, content: string): string {
  const [start, end] = [`<!-- figures of ${source} -->`, `<!-- end of ${source} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${source}`);
  return `${page.slice(0, from)}${start}\n${content}\n${page.slice(to)}`;
}
