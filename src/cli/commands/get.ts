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
import { placeFrom } from '../place.ts';
import { counted } from '../plain-text.ts';

interface Options {
  readonly output: string;
  readonly offset?: number;
  readonly length?: number;
  readonly seqnum?: number;
}

export function addGetCommand(program: Command, perform: Perform): void {
  program
    .command('get')
    .description('read a file')
    .argument('<CAP>', 'a read or write cap, or that of a directory, with a path behind it or not')
    .argument('[PATH]', 'names of directories below it, and of the file')
    .option('-o, --output <FILE>', 'where to; written whole or not at all', pathArgument, '-')
    .option('--offset <bytes>', 'where to begin', wholeNumber)
    .option('--length <bytes>', 'how much; up to the end by default', wholeNumber)
    .option('--seqnum <number>', 'that version, if it can be read, and not the newest', wholeNumber)
    .action(
      perform(async (call, argument: string, path: string | undefined, options: Options) => {
        const { output, offset, length, seqnum } = options;
        if (call.options.json && output === '-') {
          throw new UsageError('--json needs --output FILE: the contents go to stdout');
        }
        const place = await placeFrom(call, argument, path);
        const { openerOf } = await import('../readable.ts');
        const open = openerOf(place);
        const grid = await call.openGrid('read');
        let size = 0;
        await call.watch(async (watched) => {
          const file = await open(grid, watched);
          if (seqnum !== undefined && !('stat' in file)) {
            throw new UsageError('--seqnum: an immutable file has no versions');
          }
          const version = seqnum === undefined ? undefined : { seqnum };
          const stream = file.stream({ ...watched, offset, length, version });
          const counting = async function* () {
            for await (const piece of stream) {
              size += piece.length;
              yield piece;
            }
          };
          await deliver(call, counting(), output);
        });
        if (output === '-') return undefined;
        return {
          json: { output, size },
          text: `${output}: ${counted(size, 'byte')}\n`,
          isOutcome: true,
        };
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
