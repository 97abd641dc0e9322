/**
 * @module command: what all benchmarks understand on their command line.
 *
 *     npm run bench -- [--quick] [--json] [PART …]
 *
 * `--quick` takes fewer samples of everything; `--json` prints the figures and nothing else.
 */
import { parseArgs } from 'node:util';
import { type Row, toJson, toTable } from './figure.ts';

export interface Wishes {
  readonly quick: boolean;
  readonly json: boolean;
  /** Of the parts there are: those that were named, else all. */
  readonly parts: readonly string[];
}

/** @throws Error naming the parts there are when another one is asked for */
export function wishesIn(args: readonly string[], parts: readonly string[]): Wishes {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const unknown = positionals.find((name) => !parts.includes(name));
  if (unknown !== undefined) throw new Error(`no part ${unknown}: there are ${parts.join(', ')}`);
  const { quick = false, json = false } = values;
  const wanted = parts.filter((name) => positionals.length === 0 || positionals.includes(name));
  return { quick, json, parts: wanted };
}

/**
 * Runs the parts one after the other, says so on stderr, and prints what they found. One that fails takes
 * nothing from the others; the process then ends with 1.
 */
export async function runParts(
  wishes: Wishes,
  measure: (part: string) => Promise<readonly Row[]>,
): Promise<void> {
  const rows: Row[] = [];
  for (const part of wishes.parts) {
    const startedAt = performance.now();
    try {
      rows.push(...(await measure(part)));
    } catch (error) {
      console.error(`${part} failed:`, error);
      process.exitCode = 1;
    }
    console.error(`${part}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  }
  console.log(wishes.json ? toJson(rows) : toTable(rows));
}
