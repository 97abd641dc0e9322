import { expect, test } from 'vitest';
import { markdownTable } from '../../bench/plots/markdown.ts';
import { ratioPlot } from '../../bench/plots/ratio-plot.ts';

const figures = [
  { figure: 'read <2 KiB', ours: 10, anchor: 40, ratio: 4, unit: 'ms' },
  { figure: 'create', ours: 812.34, anchor: 203.1, ratio: 0.25, unit: 'ms' },
  { figure: 'encode', ours: 3, anchor: null, ratio: null, unit: 'MB/s' },
];

test('the table of a page has a line for each figure', () => {
  expect(markdownTable(figures)).toBe(
    [
      '| figure | ours | anchor | unit | ratio |',
      '| --- | --: | --: | --- | --: |',
      '| read <2 KiB | 10 | 40 | ms | 4 |',
      '| create | 812 | 203 | ms | 0.25 |',
      '| encode | 3 |  | MB/s |  |',
    ].join('\n'),
  );
});

test('bars begin at 1, and are as long for a factor in either direction', () => {
  const svg = ratioPlot('Times', figures);
  const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"[^>]* class="(\w+)"/g)];
  const [better, worse] = bars.map(([, x, length, sort]) => ({
    from: Number(x),
    to: Number(x) + Number(length),
    sort,
  }));
  expect(bars).toHaveLength(2);
  expect([better?.sort, worse?.sort]).toEqual(['better', 'worse']);
  expect(worse?.to).toBeCloseTo(better?.from ?? 0, 0);
  expect(svg).toContain('read &lt;2 KiB');
  expect(svg).not.toContain('encode');
});

test('there is a picture of nothing', () => {
  expect(ratioPlot('Nothing', [])).toContain('</svg>');
});
