/**
 * @module ls: `ls`, what is in a directory, with what is wrong with it.
 */
import type { Command } from 'commander';
import type { Child } from '../../directory/child.ts';
import type { Perform } from '../call.ts';
import { placeFrom } from '../place.ts';
import { nameText, oneLine, table } from '../plain-text.ts';

interface Options {
  readonly caps?: true;
}

export function addListCommand(program: Command, perform: Perform): void {
  program
    .command('ls')
    .description('list a directory')
    .argument('[DIR]', 'a cap of a directory, with a path behind it or not', 'tahoe:')
    .argument('[PATH]', 'names of directories below it, and of a child')
    .option('--caps', 'print the caps of the children too; they are secrets')
    .action(
      perform(
        async (call, argument: string, path: string | undefined, { caps: tells }: Options) => {
          const { cap, names } = await placeFrom(call, argument, path);
          const grid = await call.openGrid('read');
          const root = grid.openDirectory(cap);
          const children = await call.watch(async (options) => {
            if (names.length === 0) return root.list(options);
            const child = await root.find(names, options);
            const { write, read } = child.caps;
            if (child.kind !== 'directory') return [child];
            return grid.openDirectory(write ?? (read as string)).list(options);
          });
          const rows = children.map((child) => rowOf(child, tells === true));
          return {
            json: {
              children: children.map((child) => ({ ...child, ...(tells && { caps: child.caps }) })),
            },
            text: rows.length === 0 ? '' : `${table(rows, '')}\n`,
            ...(tells && { tellsCaps: true as const }),
          };
        },
      ),
    );
}

function rowOf(child: Child, tellsCaps: boolean): readonly string[] {
  const { name, kind, format, size, problem, isShadowed, caps } = child;
  const what = format === undefined ? kind : `${kind} ${format}`;
  const notes = [
    ...(problem === undefined ? [] : [problem]),
    ...(isShadowed ? ['a later entry has the same name'] : []),
  ];
  return [
    caps.write === undefined ? 'r-' : 'rw',
    what,
    size === undefined ? '-' : String(size),
    (name === undefined ? '?' : nameText(name)) +
      (notes.length === 0 ? '' : `  (${oneLine(notes.join('; '))})`),
    ...(tellsCaps ? [oneLine(caps.write ?? caps.read ?? '-')] : []),
  ];
}
