/**
 * @module main: `npm run simulate -- --seeds N [--seed S]`: random worlds, one integer each.
 *
 * Seeds are shared out among worker threads. A seed that breaks a property is shrunk and written as
 * a scenario file; `--seed S` alone runs that one again.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Presets, SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { type FaultKind, faultKinds, faults } from '../../src/simulation/faults.ts';
import { properties } from '../../src/simulation/properties.ts';
import { parseScenario, playScenario } from '../../src/simulation/scenario.ts';
import { shrink, toScenario } from '../../src/simulation/shrink.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import { falselyJudged } from '../support/real-trace.ts';

/** What a worker tells of one seed. */
interface SeedReport {
  readonly seed: number;
  readonly steps: number;
  readonly records: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly inOrder: number;
  readonly ends: readonly string[];
  readonly violations: readonly { readonly id: string; readonly because: string }[];
}

interface Share {
  readonly first: number;
  readonly count: number;
  readonly stride: number;
  readonly allowed: readonly FaultKind[];
}

interface Settings {
  readonly seeds?: string;
  readonly seed: string;
  readonly workers: string;
  readonly without: string;
  readonly out: string;
  readonly trace?: string;
  readonly json?: true;
}

/** Of so many worlds one is judged again with what a real run of it would have recorded. */
const realOf = 4;

async function work({ first, count, stride, allowed }: Share): Promise<void> {
  for (let i = 0; i < count; i++) {
    const seed = first + i * stride;
    const { world, counts, inOrder, ...found } = await simulate(seed, { faults: allowed });
    const falsely = seed % realOf === 0 ? falselyJudged(world) : [];
    const violations = [
      ...found.violations,
      ...falsely.map(({ id, because }) => ({ id, because: `judged as a real run: ${because}` })),
    ];
    const ends = world.operations.map(({ spec, status, result }) => {
      const end = result === undefined ? status : result.ok ? 'ok' : result.error;
      return `${spec.task.kind} ${end}`;
    });
    const { length: steps } = world.path;
    const { length: records } = world.trace;
    parentPort?.postMessage({
      seed,
      steps,
      records,
      counts,
      inOrder,
      ends,
      violations,
    } satisfies SeedReport);
  }
}

async function main(): Promise<number> {
  const program = new Command('simulate')
    .description('runs random worlds and checks every property after every step')
    .option('--seeds <count>', 'how many (2000; 1 with --seed)')
    .option('--seed <number>', 'the first one', '0')
    .option('--workers <count>', 'threads', String(availableParallelism()))
    .option('--without <kinds>', `faults to leave out, of ${faultKinds.join(' ')}`, '')
    .option('--out <folder>', 'where failing runs are written', 'simulate-failures')
    .option('--trace <file>', 'of the first seed, as JSON lines')
    .option('--json', 'one JSON document on stdout')
    .parse();
  const settings = program.opts<Settings>();
  const isOne = program.getOptionValueSource('seed') === 'cli' && settings.seeds === undefined;
  const count = Number(settings.seeds ?? (isOne ? 1 : 2000));
  const first = Number(settings.seed);
  const left = new Set(settings.without.split(/[ ,]+/));
  const allowed = faultKinds.filter((kind) => !left.has(kind));
  if (settings.trace !== undefined) await writeTrace(first, allowed, settings.trace);
  const start = performance.now();
  const reports = await runAll(first, count, allowed, Number(settings.workers));
  const seconds = (performance.now() - start) / 1000;
  const failed = reports.filter(({ violations }) => violations.length > 0);
  for (const { seed, violations } of failed) {
    for (const { id } of violations.filter(isOfWorld))
      await writeFailure(seed, id, allowed, settings.out);
  }
  const summary = summaryOf(reports, seconds);
  if (settings.json) console.log(JSON.stringify(summary));
  else print(summary, failed, settings.out);
  return failed.length > 0 ? 1 : 0;
}

async function writeTrace(
  seed: number,
  allowed: readonly FaultKind[],
  path: string,
): Promise<void> {
  const { world } = await simulate(seed, { faults: allowed });
  await writeFile(path, world.trace.map((record) => `${JSON.stringify(record)}\n`).join(''));
}

function runAll(
  first: number,
  count: number,
  allowed: readonly FaultKind[],
  workers: number,
): Promise<readonly SeedReport[]> {
  const stride = Math.max(1, Math.min(workers, count));
  const bar = new SingleBar(
    { format: 'seeds [{bar}] {value}/{total} ETA {eta_formatted}' },
    Presets.legacy,
  );
  if (process.stderr.isTTY) bar.start(count, 0);
  const reports: SeedReport[] = [];
  const running = Array.from({ length: stride }, (_, i) => {
    const own = Math.ceil((count - i) / stride);
    const share: Share = { first: first + i, count: own, stride, allowed };
    return new Promise<void>((resolve, reject) => {
      // A world makes much garbage that lives as long as the world.
      const resourceLimits = { maxYoungGenerationSizeMb: 128 };
      const worker = new Worker(new URL(import.meta.url), { workerData: share, resourceLimits });
      worker.on('message', (report: SeedReport) => {
        reports.push(report);
        bar.update(reports.length);
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  });
  return Promise.all(running).then(() => {
    bar.stop();
    return reports.sort((a, b) => a.seed - b.seed);
  });
}

/** Shrinks a failing run, and writes it as a scenario with what comes of it. */
async function writeFailure(
  seed: number,
  id: string,
  allowed: readonly FaultKind[],
  folder: string,
): Promise<void> {
  const shrunk = await shrink(await simulate(seed, { faults: allowed }), id);
  const name = `seed-${seed}-${id}`;
  const text = toScenario(seed, id, shrunk);
  await mkdir(folder, { recursive: true });
  const played = await playScenario(parseScenario(name, text)).catch(() => ({ text }));
  await writeFile(join(folder, `${name}.txt`), played.text);
}

/** What a real run is falsely judged for cannot be shrunk as a world. */
function isOfWorld({ because }: { readonly because: string }): boolean {
  return !because.startsWith('judged as a real run');
}

function summaryOf(reports: readonly SeedReport[], seconds: number) {
  const happened: Record<string, number> = {};
  const ends: Record<string, number> = {};
  for (const { counts, ends: own } of reports) {
    for (const [kind, n] of Object.entries(counts)) happened[kind] = (happened[kind] ?? 0) + n;
    for (const end of own) ends[end] = (ends[end] ?? 0) + 1;
  }
  const sum = (of: (report: SeedReport) => number) => reports.reduce((n, r) => n + of(r), 0);
  return {
    first: reports[0]?.seed,
    seeds: reports.length,
    seconds: Math.round(seconds * 10) / 10,
    steps: sum(({ steps }) => steps),
    records: sum(({ records }) => records),
    histories: reports.filter(({ inOrder }) => inOrder > 1).length,
    properties: properties.length,
    faultKinds: Object.keys(happened).filter((kind) => kind in faults).length,
    happened: Object.fromEntries(Object.entries(happened).sort(([a], [b]) => (a < b ? -1 : 1))),
    ends: Object.fromEntries(Object.entries(ends).sort(([a], [b]) => (a < b ? -1 : 1))),
    violations: reports.flatMap(({ seed, violations }) =>
      violations.map((violation) => ({ seed, ...violation })),
    ),
  };
}

function print(
  summary: ReturnType<typeof summaryOf>,
  failed: readonly SeedReport[],
  folder: string,
): void {
  const { first, seeds, seconds, steps, records, faultKinds: kinds, happened, ends } = summary;
  console.log(`${seeds} seeds from ${first}: ${steps} choices, ${records} records in ${seconds} s`);
  const table = (title: string, counts: Readonly<Record<string, number>>) => {
    console.log(`\n${title}`);
    for (const [name, n] of Object.entries(counts))
      console.log(`${String(n).padStart(8)}  ${name}`);
  };
  table('choices, by kind', happened);
  table('how operations ended', ends);
  console.log(`\n${summary.histories} histories of two operations or more, put in order`);
  console.log(
    `${kinds} kinds of fault, ${summary.properties} properties, ${summary.violations.length} violations`,
  );
  for (const { seed, id, because } of summary.violations) {
    console.log(`seed ${seed} breaks ${id}: ${because}`);
  }
  if (failed.length > 0) console.log(`\nshrunk, as scenarios, in ${folder}/`);
}

if (isMainThread) process.exitCode = await main();
else await work(workerData as Share);
