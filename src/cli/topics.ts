/**
 * @module topics: what `help TOPIC` and the man page say of what all commands have in common.
 */
import { schema } from './document.ts';
import { exits, signalExits } from './exit-codes.ts';

/** A paragraph, terms with what they mean, or lines to be typed. */
export type Block =
  | string
  | { readonly terms: readonly (readonly [term: string, meaning: string])[] }
  | { readonly lines: readonly string[] };

export interface Topic {
  readonly name: string;
  readonly summary: string;
  readonly blocks: readonly Block[];
}

export const topics: readonly Topic[] = [
  {
    name: 'exit-codes',
    summary: 'what a command exits with',
    blocks: [
      {
        terms: [...exits, ...signalExits].map(({ code, name, meaning }) => [
          `${code} ${name}`,
          meaning.replaceAll('`', ''),
        ]),
      },
      'Of several files the code that says least counts: 1, 2, 6, 5, 4, then 3. After a signal the process has ended of that signal, which a shell tells as 128 and its number; nothing half-done stays behind, but a cap that create, mkdir or create-alias has given away before: what it is the cap of may not be there.',
    ],
  },
  {
    name: 'caps',
    summary: 'how to give a cap, and how to keep it secret',
    blocks: [
      'A cap is the right to a file, and its key: whoever has the write cap can write, whoever has the read cap can read, and a verify cap lets one check and no more. Where a command takes a CAP, it is any of these:',
      {
        terms: [
          ['URI:…', 'the cap itself. Other users of the machine can see a command line.'],
          ['-', 'the cap, on standard input.'],
          ['@FILE', 'the cap, in a file or a pipe; @<(pass show cap) works.'],
          ['http://…', 'the address of its page on a Tahoe gateway.'],
          ['URI:DIR2:…/a/b', 'a path behind the cap of a directory.'],
          ['ALIAS:a/b', 'a path behind the name of a directory: create-alias, list-aliases.'],
          ['a/b', 'a path behind the alias tahoe:, where there is one.'],
        ],
      },
      'create and mkdir give the write cap away before anything is made, so that nothing is made that nobody can reach: on stdout, or with -o in a new file that only you can read.',
      'A file that holds a cap or a key, and that other users can open, is warned of. Caps are cut out of errors, are never completed, and are in no document but those of commands that are there to print them: cap, create, mkdir, manifest, and --caps.',
    ],
  },
  {
    name: 'grids',
    summary: 'which grid a command works on',
    blocks: [
      'The first of these that there is:',
      {
        terms: [
          ['--grid PATH', 'a servers.yaml, a folder with one, or the folder of a Tahoe node.'],
          ['$TAHOE_MUTABLE_GRID', 'the same.'],
          ['~/.tahoe', 'the folder of your Tahoe node; -v says when it is taken.'],
        ],
      },
      'A Tahoe node has its servers in private/servers.yaml, and in its copy of what introducers have announced; its tahoe.cfg says how new files are encoded. The node itself need not run. Aliases are those of the node.',
      'A grid of folders, for tests, or for disks that are mounted here:',
      {
        lines: [
          'tahoe-mutable grid create my-grid',
          'export TAHOE_MUTABLE_GRID=$PWD/my-grid',
          'tahoe-mutable grid status',
        ],
      },
    ],
  },
  {
    name: 'json',
    summary: 'documents for programs',
    blocks: [
      `With --json a command prints one document on stdout, an object whose "schema" is ${schema}. It grows when a field goes or means something else; new fields may come at any time. docs/json.md lists the fields of every command.`,
      'deep-check, manifest and stats print a document on each line, as soon as there is something to say.',
      'A command that fails prints a document with "error" on stdout, on one line and behind whatever it has printed before: "code" is the name of the error, "message" the line that is on stderr too, and "facts" say the same in data. Commander\'s own complaints have no facts.',
      '--version, --help and help of a command print text all the same.',
      { lines: ['tahoe-mutable --json stat @cap.txt | jq .version.seqnum'] },
    ],
  },
  {
    name: 'environment',
    summary: 'what it heeds of its surroundings',
    blocks: [
      {
        terms: [
          ['TAHOE_MUTABLE_GRID', 'the grid, unless --grid says another.'],
          ['HOME', 'where ~/.tahoe is.'],
          ['TMPDIR', 'where contents go that cannot be read twice, such as a pipe.'],
          ['NO_COLOR', 'set to anything: no colours.'],
          ['TERM', '"dumb": no progress bar. There is none either where stderr is no terminal.'],
          ['TAHOE_MUTABLE_ATTEMPT', 'set by modify for its program: 1, 2, …'],
          ['TAHOE_MUTABLE_SEQNUM', 'set by modify: the version that its program is given.'],
        ],
      },
    ],
  },
];
