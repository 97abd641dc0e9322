/**
 * @module get: `get`, the contents of a file, or a part of them, as they arrive.
 */
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { replaceFile } from '../../storage/atomic-file.ts';
import type { Call, Perform } from '../call.ts';
import { UsageError } from '../complaint.ts';
import { wholeNumber } from '../numbers.ts';
import { outputProblem } from '../output.ts';
import { pathArgument } from '../paths.ts';
import { counted } from '../plain-text.ts';

interface Options {
  readonly output: string;
  readonly offset?: number;
  readonly length?: number;
}

export function addGetCommand(program: Command, perform: Perform): void {
  program
    .command('get')
    .description('read a file')
    .argument('<CAP>', 'a read or write cap')
    .option('-o, --output <FILE>', 'where to; written whole or not at all', pathArgument, '-')
    .option('--offset <bytes>', 'where to begin', wholeNumber)
    .option('--length <bytes>', 'how much; up to the end by default', wholeNumber)
    .action(
      perform(async (call, argument: string, { output, offset, length }: Options) => {
        if (call.options.json && output === '-') {
          throw new UsageError('--json needs --output FILE: the contents go to stdout');
        }
        const cap = await call.cap(argument);
        const grid = await call.openGrid('read');
        let size = 0;
        await call.watch(async (options) => {
          const stream = grid.open(cap).stream({ ...options, offset, length });
          const counting = async function* () {
            for await (const piece of stream) {
              size += piece.length;
              yield piece;
            }
          };
          await deliver(call, counting(), output);
        });
        if (output === '-') return undefined;
        return { json: { output, size }, text: `${output}: ${counted(size, 'byte')}\n` };
      }),
    );
}

async function deliver({ streams, signal }: Call, pieces: AsyncIterable<Uint8Array>, to: string) {
  try {
    if (to === '-') await pipeline(pieces, streams.stdout, { end: false, signal });
    else await replaceFile(to, pieces);
  } catch (error) {
    throw outputProblem(to === '-' ? 'stdout' : to, error);
  }
}
