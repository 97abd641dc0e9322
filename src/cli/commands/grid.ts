/**
 * @module grid: `grid create`, an embedded grid of folders.
 */
import type { Command } from 'commander';
import { completeEncoding, type Encoding } from '../../encoding.ts';
import { createGridFolder } from '../../grid-folder.ts';
import { encodingNumbers, wholeNumber } from '../numbers.ts';
import { counted } from '../plain-text.ts';
import type { Perform } from '../program.ts';

interface Options {
  readonly servers: number;
  readonly encoding?: Partial<Encoding>;
}

export function addGridCommand(program: Command, perform: Perform): void {
  program
    .command('grid')
    .description('make a grid')
    .command('create')
    .description('make a grid of folders: servers.yaml and one folder per server')
    .argument('<DIR>', 'must not exist, or be empty')
    .option('--servers <count>', 'how many', wholeNumber, 13)
    .option('--encoding <k,N>', 'any k of N shares make a file; also k,happy,N', encodingNumbers)
    .action(
      perform(async (_call, folder: string, { servers, encoding = {} }: Options) => {
        const path = await createGridFolder(folder, { servers, encoding });
        const whole = completeEncoding(encoding);
        const { required, total } = whole;
        return {
          json: { path, servers, encoding: whole },
          text: `${path}: ${counted(servers, 'server')}, ${required}-of-${total}\n`,
        };
      }),
    );
}
