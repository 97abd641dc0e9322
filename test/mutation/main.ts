/**
 * @module main: `npm run mutation [-- FILE…]`: are the tests of `machines/` able to fail?
 *
 * Stryker makes every small change to a file that it knows (a condition turned round, a text
 * emptied, a block dropped) and runs the file's own tests against each. Exits with 1 when a
 * kernel's mutant survives that is not among the equivalents, a chart is below 95 %, or a listed
 * equivalent is none.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { mutantOf, readEquivalents } from './equivalents.ts';

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

/** Of the mutants of a chart that are not equivalent; of a kernel's all. */
const chartScoreMin = 95;

/** Nothing in them runs: one only exports, the other has types alone. */
const idle: readonly string[] = ['index.ts', 'reports.ts'];

interface Score {
  readonly file: string;
  readonly killed: number;
  readonly survived: readonly string[];
  readonly equivalent: number;
  /** Listed as equivalents, and killed, or never made. */
  readonly mistaken: readonly string[];
  /** In percent, of those that are not equivalent. */
  readonly score: number;
}

function filesToMutate(): readonly string[] {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  return readdirSync('machines')
    .filter((name) => !idle.includes(name))
    .map((name) => `machines/${name}`)
    .sort((a, b) => Number(isChart(a)) - Number(isChart(b)));
}

function isChart(file: string): boolean {
  return file.endsWith('.machine.ts');
}

async function mutate(file: string): Promise<readonly Mutant[]> {
  // Its own tests, in one file or more: `name.test.ts`, `name.of-something.test.ts`.
  process.env.MUTATION_TESTS = `test/${file.replace(/\.ts$/, '{,.*}.test.ts')}`;
  return await new Stryker({
    mutate: [file],
    // What the tests of machines/ need; the copies of the project are made of it.
    ignorePatterns: ['**', '!machines/**', '!src/**', '!test/**', '!*.json', '!*.ts'],
    tempDirName: 'dist/stryker',
    testRunner: 'vitest',
    vitest: { configFile: 'vitest.mutation.config.ts' },
    plugins: ['@stryker-mutator/vitest-runner', join(import.meta.dirname, 'ignore.js')],
    ignorers: ['texts'],
    coverageAnalysis: 'perTest',
    concurrency: 2,
    // A machine that is busy elsewhere kills nothing.
    timeoutMS: 60_000,
    reporters: [],
    logLevel: 'error',
  } as ConstructorParameters<typeof Stryker>[0]).runMutationTest();
}

function scoreOf(file: string, mutants: readonly Mutant[]): Score {
  const source = readFileSync(file, 'utf8');
  const listed = readEquivalents().filter((equivalent) => equivalent.file === file);
  const equivalents = new Set(listed.map((equivalent) => mutantOf(source, equivalent)));
  const valid = mutants.filter(({ status }) => status !== 'Ignored');
  const alive = valid.filter((mutant) => !isKilled(mutant)).map((it) => mutated(source, it));
  const survived = alive.filter(({ text }) => !equivalents.has(text));
  const killed = valid.length - alive.length;
  const mistaken = listed.filter((it) => !alive.some(({ text }) => text === mutantOf(source, it)));
  return {
    file,
    killed,
    survived: survived.map(({ difference }) => difference),
    equivalent: alive.length - survived.length,
    mistaken: mistaken.map(({ from, to }) => `  no equivalent: ${from} -> ${to}`),
    score: (100 * killed) / (killed + survived.length || 1),
  };
}

/**
 * A chart that is refused as it is built takes its test file with it: no test completes, which
 * Stryker calls survived.
 */
function isKilled({ status, static: isStatic, testsCompleted }: Mutant): boolean {
  if (isStatic === true && testsCompleted === 0) return true;
  return status !== 'Survived' && status !== 'NoCoverage';
}

/** The source with the mutant in it, and what differs; Stryker counts lines and columns from 1. */
function mutated(source: string, { location: { start, end }, replacement, mutatorName }: Mutant) {
  const lines = source.split('\n');
  const first = lines[start.line - 1] ?? '';
  const last = lines[end.line - 1] ?? '';
  const before = lines.slice(start.line - 1, end.line);
  const after = first.slice(0, start.column - 1) + replacement + last.slice(end.column - 1);
  const text = [...lines.slice(0, start.line - 1), after, ...lines.slice(end.line)].join('\n');
  const more = before.length > 1 ? ` (${before.length} lines)` : '';
  const difference = `  - ${before[0]}${more}\n  + ${after.split('\n').join('\n    ')}`;
  return { text, difference: `  line ${start.line}, ${mutatorName}\n${difference}` };
}

function isGoodEnough({ file, survived, mistaken, score }: Score): boolean {
  if (mistaken.length > 0) return false;
  return isChart(file) ? score >= chartScoreMin : survived.length === 0;
}

const scores: Score[] = [];
for (const file of filesToMutate()) {
  const start = performance.now();
  const score = scoreOf(file, await mutate(file));
  scores.push(score);
  console.log(`${file} (${Math.round((performance.now() - start) / 1000)} s)`);
  for (const line of [...score.survived, ...score.mistaken]) console.log(line);
}
console.log('\n| file | mutants | killed | equivalent | survived | score |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { file, killed, survived, equivalent, score } of scores) {
  const mutants = killed + survived.length + equivalent;
  const row = [file, mutants, killed, equivalent, survived.length, `${score.toFixed(1)} %`];
  console.log(`| ${row.join(' | ')} |`);
}
process.exitCode = scores.every(isGoodEnough) ? 0 : 1;
