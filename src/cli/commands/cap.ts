/**
 * @module cap: `cap`, what a cap is and what it can be made to. Needs no grid.
 */
import type { Command } from 'commander';
import type { Perform } from '../call.ts';
import { table } from '../plain-text.ts';

export function addCapCommand(program: Command, perform: Perform): void {
  program
    .command('cap')
    .description('say what a cap is, and print its read and verify caps')
    .argument('<CAP>', 'any cap of a mutable file')
    .action(
      perform(async (call, argument: string) => {
        const cap = await call.cap(argument);
        const { toBase32 } = await import('../../bytes.ts');
        const { formatCap, storageIndexOf, toReadCap, toVerifyCap } = await import('../../caps.ts');
        const { kind, format, directory } = cap;
        const storageIndex = toBase32(storageIndexOf(cap));
        const readCap = kind === 'verify' ? undefined : formatCap(toReadCap(cap));
        const verifyCap = formatCap(toVerifyCap(cap));
        const what = directory ? 'directory' : 'file';
        const rows = [
          ['kind', `${kind} cap of ${format === 'sdmf' ? 'an SDMF' : 'an MDMF'} ${what}`],
          ['storage index', storageIndex],
          ...(readCap === undefined ? [] : [['read cap', readCap]]),
          ['verify cap', verifyCap],
        ];
        return {
          json: { kind, format, directory, storageIndex, readCap, verifyCap },
          text: `${table(rows, '')}\n`,
          tellsCaps: true,
        };
      }),
    );
}
