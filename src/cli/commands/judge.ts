/**
 * @module judge: `judge`, what must hold of every run, on traces that `inspect --trace` has written.
 */
import type { Command } from 'commander';
import type { TraceJudgement } from '../../simulation/judge-trace.ts';
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
        const isBroken = traces.some(({ properties }) =>
          properties.some(({ verdict }) => verdict.kind === 'violated'),
        );
        return {
          json: { traces: traces.map(jsonOf) },
          text: traces.map(textOf).join('\n'),
          ...(isBroken && { exitCode: EXIT_UNHEALTHY }),
        };
      }),
    );
}

function jsonOf({ file, note, run, operations, unfinished, files, properties }: Judged): object {
  return {
    ...{ file, note, run, operations, unfinished, files },
    decided: properties.filter(({ verdict }) => verdict.kind !== 'undecided').length,
    violated: properties.filter(({ verdict }) => verdict.kind === 'violated').length,
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
  const where = files > 1 ? ` on ${files} files` : '';
  const open = unfinished > 0 ? `, ${unfinished} of them unfinished` : '';
  const violated = properties.filter(({ verdict }) => verdict.kind === 'violated');
  const reasons = new Map<string, string[]>();
  for (const { id, verdict } of properties) {
    if (verdict.kind !== 'undecided') continue;
    reasons.set(verdict.because, [...(reasons.get(verdict.because) ?? []), id]);
  }
  const undecided = [...reasons.values()].flat().length;
  const decided = properties.length - undecided;
  const broken = violated.length === 0 ? 'all hold' : `${violated.length} violated`;
  return [
    `${nameText(file)}: a ${run} run, ${counted(operations, 'operation')}${where}${open}`,
    ...(note === null ? [] : [`  ${note}; what is before it is judged`]),
    `  ${decided} of ${properties.length} properties decided: ${decided === 0 ? 'none' : broken}`,
    ...violated.map(({ id, name, verdict }) => {
      const { seq, actor, because } = verdict as Extract<typeof verdict, { kind: 'violated' }>;
      const by = actor === null ? '' : `, ${oneLine(actor)}`;
      return `  ✗ ${id} ${name}: ${oneLine(because)} (record ${seq}${by})`;
    }),
    ...[...reasons].map(([because, ids]) => `  undecided ${ids.join(' ')}: ${oneLine(because)}`),
    '',
  ].join('\n');
}
