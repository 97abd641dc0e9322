/**
 * @module coverage-report: which states and transitions of which chart some test has taken, as a
 * table.
 *
 * A reporter for vitest (`npm run coverage`): it gathers what {@link chartCoverage} left in the
 * report of each file. A chart that ships and left no record is as bad as one that has gaps.
 */
import type { Reporter, TestModule } from 'vitest/node';
import { chartLines, isStateLine, type NamedChart, shippedCharts } from './chart-lines.ts';

/** Per chart, by its name: the lines that were taken. */
type Records = Readonly<Record<string, readonly string[]>>;

export interface CoverageReport {
  readonly text: string;
  readonly isComplete: boolean;
}

/** A row per chart of `charts`; below it, one by one, what `records` lacks. */
export function coverageReport(charts: readonly NamedChart[], records: Records): CoverageReport {
  const rows = charts.map(([name, machine]) => {
    const taken = new Set(records[name] ?? []);
    const missing = chartLines(machine).filter((line) => !taken.has(line));
    const count = (isCounted: (line: string) => boolean) => {
      const counted = chartLines(machine).filter(isCounted);
      return `${counted.filter((line) => taken.has(line)).length}/${counted.length}`;
    };
    return {
      cells: [name, count(isStateLine), count((line) => !isStateLine(line))],
      missing: name in records ? missing : ['no test keeps a record of it'],
    };
  });
  const cells = [['chart', 'states', 'transitions'], ...rows.map((row) => row.cells)];
  const widths = [0, 1, 2].map((n) => Math.max(...cells.map((row) => row[n]?.length ?? 0)));
  const [head, ...lines] = cells.map((row) =>
    row
      .map((cell, n) => (n === 0 ? cell.padEnd : cell.padStart).call(cell, widths[n] ?? 0))
      .join('  '),
  );
  const body = rows.flatMap(({ missing }, i) => [
    lines[i],
    ...missing.map((line) => `  missing: ${line}`),
  ]);
  const lacking = rows.filter(({ missing }) => missing.length > 0).length;
  const end =
    lacking === 0 ? 'All are taken.' : `${lacking} of ${rows.length} charts lack something.`;
  return { text: [head, ...body, end].join('\n'), isComplete: lacking === 0 };
}

/** Prints the table at the end of a run; what is missing fails the run. */
export class CoverageReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const records: Record<string, readonly string[]> = {};
    for (const module of modules) {
      for (const [name, taken] of Object.entries(module.meta().charts ?? {})) {
        records[name] = [...(records[name] ?? []), ...taken];
      }
    }
    const { text, isComplete } = coverageReport(shippedCharts, records);
    console.log(`\n${text}`);
    if (!isComplete) process.exitCode = 1;
  }
}
