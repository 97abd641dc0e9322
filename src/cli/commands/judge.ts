/**
 * @module judge: `judge`, what must hold of every run, on traces that `inspect --trace` has written.
 */
import type { Command } from 'commander';
import { TahoeMutableError } from '../../errors.ts';
import type { TraceJudgement } from '../../simulation/judge-trace.ts';
import type { partsOf } from '../../simulation/judgement-parts.ts';
import type { Call, Perform } from '../call.ts';
import { lineOf } from '../complaint.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY, EXIT_USAGE } from '../exit-codes.ts';
import { requirePaths } from '../paths.ts';
import { counted, nameText, oneLine } from '../plain-text.ts';

/** What there is to say of one trace. */
interface Judged extends TraceJudgement {
  readonly file: string;
  readonly note: string | null;
  readonly parts: ReturnType<typeof partsOf>;
}

/** One that cannot be judged, and why, without its name. */
interface Unjudged {
  readonly kind: 'refused';
  readonly file: string;
  readonly problem: string;
}

/** Bytes at a time: a trace may be longer than any text. */
const pieceLength = 1024 * 1024;

export function addJudgeCommand(program: Command, perform: Perform): void {
  program
    .command('judge')
    .description('judge traces: what must hold of every run; exits with 3 if something does not')
    .argument('<TRACE...>', 'files that inspect --trace has written, or "-" for stdin')
    .action(
      perform(async (call, files: string[]) => {
        requirePaths('TRACE', files);
        const traces: (Judged | Unjudged)[] = [];
        for (const file of files) traces.push(await judgeFile(call, file));
        const judged = traces.filter((trace) => trace.kind === 'judged');
        const refused = traces.filter((trace) => trace.kind === 'refused');
        return {
          json: { traces: traces.map(jsonOf) },
          text: judged.map(textOf).join('\n'),
          ...(refused.length > 0 && { note: refused.map(complaintOf).join('\n') }),
          exitCode: worstOf(traces.map(exitCodeOf)),
        };
      }),
    );
}

/** Never throws for what is wrong with one file: the others are judged all the same. */
async function judgeFile(call: Call, file: string): Promise<Judged | Unjudged> {
  const { judgeTrace } = await import('../../simulation/judge-trace.ts');
  const { partsOf } = await import('../../simulation/judgement-parts.ts');
  const { TraceReader } = await import('../../inspector/read-trace.ts');
  try {
    const read = await call.withContents(file, async (contents) => {
      const reader = new TraceReader();
      for (let at = 0, isWanted = true; isWanted && at < contents.size; at += pieceLength) {
        const length = Math.min(pieceLength, contents.size - at);
        isWanted = reader.add(await contents.read(at, length));
      }
      return reader.end();
    });
    if (read.kind === 'refused') return { ...read, file };
    const judgement = judgeTrace(read.records);
    if (judgement.kind === 'refused') return { ...judgement, file };
    return { ...judgement, file, note: read.note, parts: partsOf(judgement) };
  } catch (error) {
    if (!(error instanceof TahoeMutableError)) throw error;
    const line = lineOf(error);
    const [name] = [file, 'stdin'].filter((it) => line.startsWith(`${it}: `));
    return { kind: 'refused', file, problem: name ? line.slice(name.length + 2) : line };
  }
}

function exitCodeOf(trace: Judged | Unjudged): number {
  if (trace.kind === 'refused') return EXIT_USAGE;
  const { decided, violated } = trace.parts;
  if (violated.length > 0) return EXIT_UNHEALTHY;
  return decided > 0 ? 0 : EXIT_FAILED;
}

/** Not by number: what could not be read may hold anything. */
function worstOf(codes: readonly number[]): number {
  return [EXIT_USAGE, EXIT_UNHEALTHY, EXIT_FAILED].find((code) => codes.includes(code)) ?? 0;
}

function complaintOf({ file, problem }: Unjudged): string {
  return `tahoe-mutable: ${nameText(file)}: ${oneLine(problem)}`;
}

function jsonOf(trace: Judged | Unjudged): object {
  if (trace.kind === 'refused') return { file: trace.file, problem: trace.problem };
  const { file, note, operations, unfinished, files, properties } = trace;
  const { decided, violated } = trace.parts;
  // Where nothing was run, or not even a header is whole, of no kind of run.
  const run = operations === 0 ? null : trace.run;
  return {
    ...{ file, note, run, operations, unfinished, files, decided, violated: violated.length },
    properties: properties.map(({ id, name, statement, verdict }) => {
      const { kind, ...why } = verdict;
      const { seq, because, actor } = why as Partial<Record<keyof typeof why | Why, unknown>>;
      return { id, name, statement, verdict: kind, because, record: seq, actor };
    }),
  };
}

type Why = 'seq' | 'because' | 'actor';

function textOf(judged: Judged): string {
  const { file, note, run, operations, unfinished, files, properties } = judged;
  if (operations === 0) {
    const why = note === null ? '' : ` (${note})`;
    return `${nameText(file)}: there is no operation in it${why}\n  nothing to decide\n`;
  }
  const { decided, outcome, violated, undecided } = judged.parts;
  const where = files > 1 ? ` on ${files} files` : '';
  const open = unfinished > 0 ? `, ${unfinished} unfinished` : '';
  return [
    `${nameText(file)}: a ${run} run, ${counted(operations, 'operation')}${where}${open}`,
    ...(note === null ? [] : [`  ${note}; what is before it is judged`]),
    decided === 0
      ? '  nothing to decide'
      : `  ${decided} of ${properties.length} properties decided: ${outcome}`,
    ...violated.map(({ id, name, verdict: { seq, actor, because } }) => {
      const by = actor === null ? '' : `, ${oneLine(actor)}`;
      return `  ✗ ${id} ${name}: ${oneLine(because)} (record ${seq}${by})`;
    }),
    ...[...undecided].map(([because, left]) => {
      const ids = left.map(({ id }) => id).join(' ');
      return `  undecided ${ids}: ${oneLine(because)}`;
    }),
    '',
  ].join('\n');
}
