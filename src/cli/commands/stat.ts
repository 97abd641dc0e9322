/**
 * @module stat: `stat`, what is known of a file without its contents.
 */
import type { Command } from 'commander';
import type { ImmutableFile } from '../../immutable-file.ts';
import type { FileStat } from '../../runtime/outcome.ts';
import type { Perform } from '../call.ts';
import { placeFrom } from '../place.ts';
import { counted, table } from '../plain-text.ts';
import { versionText } from '../version-argument.ts';

/** Of an immutable file, which has no versions, its cap says all. */
type Stat = Pick<FileStat, 'size'> &
  Partial<Omit<FileStat, 'size' | 'format'>> & {
    readonly format: FileStat['format'] | 'chk' | 'lit';
  };

export function addStatCommand(program: Command, perform: Perform): void {
  program
    .command('stat')
    .description('say how large a file is, and which version is there, without reading it')
    .argument('<CAP>', 'a read or write cap, or that of a directory, with a path behind it or not')
    .argument('[PATH]', 'names of directories below it, and of the file')
    .action(
      perform(async (call, argument: string, path: string | undefined) => {
        const place = await placeFrom(call, argument, path);
        const { openerOf } = await import('../readable.ts');
        const open = openerOf(place);
        const grid = await call.openGrid('read');
        const stat = await call.watch(async (options): Promise<Stat> => {
          const file = await open(grid, options);
          return 'stat' in file ? file.stat(options) : immutableStat(file);
        });
        return { json: stat, text: `${table(rowsOf(stat), '')}\n` };
      }),
    );
}

function immutableStat({ size, encoding, cap: { kind } }: ImmutableFile): Stat {
  const format = kind === 'lit' ? 'lit' : 'chk';
  return { size, format, ...(encoding !== undefined && { encoding }) };
}

function rowsOf({ version, size, format, encoding, segmentSize }: Stat): readonly string[][] {
  return [
    ['size', counted(size, 'byte')],
    ['format', format.toUpperCase()],
    ...(encoding === undefined ? [] : [['encoding', `${encoding.required}-of-${encoding.total}`]]),
    ...(segmentSize === undefined ? [] : [['segment size', counted(segmentSize, 'byte')]]),
    ...(version === undefined ? [] : [['version', versionText(version)]]),
  ];
}
