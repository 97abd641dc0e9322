/**
 * @module inspect: `inspect`, the visualizer: by itself, or with the run of another command in it.
 */
import { once } from 'node:events';
import type { Command } from 'commander';
import type { TraceError } from '../../errors.ts';
import type { Inspect } from '../../runtime/run.ts';
import type { Call, GlobalOptions, Perform, Streams } from '../call.ts';
import { lineOf, UsageError } from '../complaint.ts';
import { EXIT_USAGE } from '../exit-codes.ts';
import { portNumber } from '../numbers.ts';
import { pathArgument } from '../paths.ts';

interface Options {
  readonly port?: number;
  readonly trace?: string;
  readonly wait: boolean;
}

/** Runs a command line; given by the caller, which knows all commands. */
type Run = (args: readonly string[], streams: Streams, inspect: Inspect) => Promise<number>;

export function addInspectCommand(program: Command, perform: Perform, run: Run): void {
  program
    .command('inspect')
    .description('show the charts at work, in a browser on this machine')
    .argument('[command...]', 'what to watch, behind "--": inspect -- get CAP')
    .option('--port <number>', 'of 127.0.0.1; any free one by default', portNumber)
    .option(
      '--trace <FILE>',
      'write the run to FILE, a new one, too, as JSON lines; if that fails half way, it is said and the run goes on',
      pathArgument,
    )
    .option('--no-wait', 'end with the command, instead of at Ctrl-C')
    .action(
      perform(async (call, words: string[], { port, trace, wait }: Options) => {
        const isWatching = words.length > 0;
        if (trace !== undefined && !isWatching) {
          throw new UsageError(
            '--trace: of which run? Say a command: inspect --trace FILE -- get CAP',
          );
        }
        // Loaded when it is wanted: other commands would start a third later.
        const { createInspector } = await import('../../inspector/server.ts');
        const { stderr } = call.streams;
        const onTraceProblem = (problem: TraceError) => {
          stderr.write(`tahoe-mutable: ${lineOf(problem)}\n`);
        };
        const inspector = await createInspector({ port, trace, onTraceProblem });
        const { url, explorerUrl, inspect } = inspector;
        stderr.write(`${isWatching ? url : explorerUrl}\n`);
        try {
          if (!isWatching) {
            await untilInterrupted(call);
            return { text: '', json: { url, explorerUrl } };
          }
          const args = [...sharedOptions(call.options), ...words];
          const exitCode = await run(args, call.streams, inspect);
          if (wait && exitCode !== EXIT_USAGE) await untilInterrupted(call);
          // What is on stdout is the command's, and so is the document.
          return { text: '', json: undefined, exitCode };
        } finally {
          await inspector.close();
        }
      }),
    );
}

/** Those that the command that is watched has, too. */
function sharedOptions({ grid, json }: GlobalOptions): readonly string[] {
  return [...(grid === undefined ? [] : ['--grid', grid]), ...(json ? ['--json'] : [])];
}

/** Keeps the page up until Ctrl-C. */
async function untilInterrupted({ signal, streams }: Call): Promise<void> {
  streams.stderr.write('Ctrl-C ends this.\n');
  if (!signal.aborted) await once(signal, 'abort');
}
