/**
 * @module completion: scripts that complete command lines, for bash, zsh and fish, made of the
 * commands as commander knows them.
 *
 * The scripts know commands and options by heart, and ask this program for nothing but names of
 * aliases: what is being typed may hold a cap, and never becomes an argument of another process.
 * No cap is ever completed.
 */
import type { Argument, Command, Option } from 'commander';
import { pathArgument } from './paths.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

interface Completed {
  /** Empty for the program, `grid create`. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly Command[];
  /** Words that one of its arguments must be. */
  readonly choices: readonly string[];
  readonly options: readonly Option[];
  /** Whether an alias may stand among its arguments. */
  readonly takesAliases: boolean;
}

export function completionOf(shell: Shell, program: Command): string {
  const all = completedOf(program, []);
  const global = program.options;
  if (shell === 'fish') return fishScript(program.name(), all, global);
  const tables = [
    pathsTable(all),
    wordsTable(all, global),
    valuesTable(all.slice(1), global),
  ] as const;
  return (shell === 'bash' ? bashScript : zshScript)(program.name(), tables);
}

function completedOf(command: Command, path: readonly string[]): readonly Completed[] {
  const { commands, options, registeredArguments } = command;
  const isRemoval = command.name() === 'remove-alias';
  const own = {
    path: path.join(' '),
    description: command.description(),
    ...{ commands, options },
    choices: registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    takesAliases: isRemoval || registeredArguments.some(isCap),
  };
  return [own, ...commands.flatMap((below) => completedOf(below, [...path, below.name()]))];
}

function isCap(argument: Argument): boolean {
  const names = ['CAP', 'CHILD', 'DIR', 'PATHS'];
  return names.includes(argument.name()) && argument.parseArg !== pathArgument;
}

/** Of a command, with those that every command has. */
function flagsOf(options: readonly Option[]): string {
  return [...options.flatMap(({ short, long }) => [short, long]), '--help']
    .filter((flag) => flag !== undefined)
    .join(' ');
}

function pathsTable(all: readonly Completed[]): string {
  return all
    .filter(({ path }) => path !== '')
    .map(({ path }) => `' ${path}'`)
    .join(' | ');
}

/** Cases of what can come next, by command. */
function wordsTable(all: readonly Completed[], global: readonly Option[]): string {
  const lines = all.map(({ path, commands, choices, options, takesAliases }) => {
    const names = [...commands.map((command) => command.name()), ...choices].join(' ');
    const flags = flagsOf(path === '' ? global : [...options, ...global]);
    const key = path === '' ? "''" : `' ${path}'`;
    return `    ${key}) names='${names}' flags='${flags}' aliases='${takesAliases ? 1 : ''}' ;;`;
  });
  return lines.join('\n');
}

/** Cases of what can follow an option: one of some words, or anything, such as a path. */
function valuesTable(all: readonly Completed[], global: readonly Option[]): string {
  const everywhere = { path: '', options: global, isGlobal: true };
  const lines = [everywhere, ...all].flatMap(({ path, options, ...rest }) =>
    options
      .filter(({ required }) => required)
      .map(({ short, long, argChoices = [] }) => {
        const flags = [short, long].filter((flag) => flag !== undefined);
        const before = 'isGlobal' in rest ? '*' : '';
        const own = path === '' ? '' : ` ${path}`;
        const keys = flags.map((flag) => `${before}'${own} ${flag}'`).join(' | ');
        return `    ${keys}) names='${argChoices.join(' ')}' flags= aliases= isValue=1 ;;`;
      }),
  );
  return lines.join('\n');
}

type Tables = readonly [paths: string, words: string, values: string];

const functionOf = (name: string) => `_${name.replaceAll('-', '_')}`;

/** Where the command line is, and what can come next, as bash and zsh both understand it. */
function foundBy([paths, words, values]: Tables, typed: string, from: number, to: string): string {
  return `  for ((i = ${from}; i < ${to}; i++)); do
    word=\${${typed}[i]}
    if [[ $word == --grid ]]; then
      grid=\${${typed}[++i]}
      continue
    fi
    case "$at $word" in
      ${paths}) at="$at $word" ;;
    esac
  done
  case $at in
${words}
  esac
  case "$at \${${typed}[${to} - 1]}" in
${values}
  esac`;
}

function bashScript(name: string, tables: Tables): string {
  const self = functionOf(name);
  const found = foundBy(tables, 'COMP_WORDS', 1, 'COMP_CWORD');
  return `# Completion of ${name} for bash: source <(${name} completion bash)
${self}() {
  local typed=\${COMP_LINE:0:COMP_POINT} at= grid= names= flags= aliases= isValue= i word
  typed=\${typed##*[[:blank:]]}
${found}
  COMPREPLY=()
  if [[ $typed == -* ]]; then names=$flags; fi
  for word in $names; do
    if [[ $word == "$typed"* ]]; then COMPREPLY+=("$word"); fi
  done
  if [[ $typed == *:* ]]; then
    # A path on a grid, or a cap: no file here is meant.
    if [[ ! $isValue ]]; then compopt +o default 2>/dev/null; fi
  elif [[ $aliases && $typed != -* ]]; then
    while IFS= read -r word; do
      if [[ $word == "$typed"* ]]; then
        COMPREPLY+=("$word")
        compopt -o nospace 2>/dev/null
      fi
    done < <("$1" list-aliases --names \${grid:+--grid "\${grid/#\\~/$HOME}"} 2>/dev/null)
  fi
}
complete -o default -F ${self} ${name}
`;
}

function zshScript(name: string, tables: Tables): string {
  const self = functionOf(name);
  const found = foundBy(tables, 'words', 2, 'CURRENT');
  return `#compdef ${name}
# Completion of ${name} for zsh: source <(${name} completion zsh), behind compinit
${self}() {
  local typed=\${words[CURRENT]} at= grid= names= flags= aliases= isValue= i word
${found}
  if [[ $typed == -* ]]; then
    compadd -- \${=flags}
    return
  fi
  if [[ -n $names ]]; then
    compadd -- \${=names}
    return
  fi
  # A path on a grid, or a cap: no file here is meant.
  if [[ $typed == *:* && -z $isValue ]]; then return 1; fi
  if [[ -n $aliases ]]; then
    local known="$("$words[1]" list-aliases --names \${grid:+--grid} \${grid:+\${~grid}} 2>/dev/null)"
    compadd -S '' -- \${(f)known}
  fi
  compset -P '@'
  _files
}
if [[ $funcstack[1] == _${name} ]]; then ${self} "$@"; else compdef ${self} ${name}; fi
`;
}

function fishScript(name: string, all: readonly Completed[], global: readonly Option[]): string {
  const self = functionOf(name);
  const paths = all.filter(({ path }) => path !== '').map(({ path }) => `' ${path}'`);
  const complete = (path: string, rest: string) =>
    `complete -c ${name} -n '_${self}_at "${path === '' ? '' : ` ${path}`}"' ${rest}`;
  const lines = all.flatMap(({ path, commands, choices, options, takesAliases }) => [
    ...commands.map((command) =>
      complete(path, `-f -a ${command.name()} -d ${quoted(command.description())}`),
    ),
    ...(path === '' ? [] : options).map((option) => complete(path, fishOption(option))),
    ...(choices.length > 0 ? [complete(path, `-f -a ${quoted(choices.join(' '))}`)] : []),
    ...(takesAliases ? [complete(path, `-a '(_${self}_aliases)'`)] : []),
  ]);
  return `# Completion of ${name} for fish: ${name} completion fish | source
function _${self}_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..-1]
    switch "$at $word"
      case ${paths.join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
function _${self}_aliases
  set -l words (commandline -opc)
  set -l grid
  if set -l i (contains -i -- --grid $words)
    set grid --grid (string replace -r '^~' $HOME -- $words[(math $i + 1)])
  end
  $words[1] list-aliases --names $grid 2>/dev/null
end
${global.map((option) => `complete -c ${name} ${fishOption(option)}`).join('\n')}
${lines.join('\n')}
`;
}

function fishOption({ short, long, description, required, argChoices }: Option): string {
  const value = argChoices === undefined ? '-r' : `-x -a ${quoted(argChoices.join(' '))}`;
  return [
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
    ...(required ? [value] : []),
    `-d ${quoted(description)}`,
  ].join(' ');
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (c) => `\\${c}`)}'`;
}
