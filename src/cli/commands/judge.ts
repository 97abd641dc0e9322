/**
 * @module judge: `judge`, what must hold of every run, on traces that `inspect --trace` has written.
 */
import type { Command } from 'commander';
import type { TraceJudgement } from '../../simulation/judge-trace.ts';
import { partsOf } from '../../simulation/judgement-parts.ts';
import type { Perform } from '../call.ts';
import { EXIT_UNHEALTHY, UsageError } from '../complaint.ts';
import { requirePaths } from '../paths.ts';
import { counted, nameText, oneLine } from '../plain-text.ts';

/** What there is to say of one trace. */
interface Judged extends TraceJudgement {
  readonly file: string;
  readonly note: string | null;
}

export function addJudgeCommand(program: Command, perform: Perform): void {
  program
    .command('judge')
    .description('judge traces: what must hold of every run; exits with 3 if something does not')
    .argument('<TRACE...>', 'files that inspect --trace has written, or "-" for stdin')
    .action(
      perform(async (call, files: string[]) => {
        requirePaths('TRACE', files);
        const { judgeTrace } = await import('../../simulation/judge-trace.ts');
        const { readTrace } = await import('../../inspector/read-trace.ts');
        const traces: Judged[] = [];
        for (const file of files) {
          const text = await call.withContents(file, async (contents) => {
            return new TextDecoder().decode(await contents.read(0, contents.size));
          });
          const read = readTrace(text);
          const judged = read.kind === 'refused' ? read : judgeTrace(read.records);
          if (judged.kind === 'refused') {
            throw new UsageError(`${nameText(file)}: ${judged.problem}`);
          }
          const { note } = read as Extract<typeof read, { kind: 'trace' }>;
          traces.push({ ...judged, file, note });
        }
        const isBroken = traces.some((judged) => partsOf(judged).violated.length > 0);
        return {
          json: { traces: traces.map(jsonOf) },
          text: traces.map(textOf).join('\n'),
          ...(isBroken && { exitCode: EXIT_UNHEALTHY }),
        };
      }),
    );
}

function jsonOf(judged: Judged): object {
  const { file, note, run, operations, unfinished, files, properties } = judged;
  const { decided, violated } = partsOf(judged);
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
  const { decided, outcome, violated, undecided } = partsOf(judged);
  const where = files > 1 ? ` on ${files} files` : '';
  const open = unfinished > 0 ? `, ${unfinished} unfinished` : '';
  return [
    `${nameText(file)}: a ${run} run, ${counted(operations, 'operation')}${where}${open}`,
    ...(note === null ? [] : [`  ${note}; what is before it is judged`]),
    `  ${decided} of ${properties.length} properties decided: ${outcome}`,
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
