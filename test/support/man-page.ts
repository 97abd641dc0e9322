/**
 * @module man-page: the manual page, of what commander knows of the commands and `help` of the rest.
 */
import type { Argument, Command, Option } from 'commander';
import { programOf } from '../../src/cli/program.ts';
import { type Block, topics } from '../../src/cli/topics.ts';

/** In the macros of man(7). */
export function manPage(): string {
  const program = programOf(() => async () => {}, { stdout: '', stderr: '' });
  return [
    '.\\" Made by test/project/man-page.test.ts of src/cli/: do not edit.',
    '.TH TAHOE-MUTABLE 1',
    '.SH NAME',
    `tahoe\\-mutable \\- ${escaped(uncapitalized(program.description()))}`,
    '.SH SYNOPSIS',
    '.B tahoe\\-mutable',
    '[\\fIoptions\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]',
    '.SH OPTIONS',
    ...program.options.flatMap(optionLines),
    '.SH COMMANDS',
    ...program.commands.flatMap((command) => commandLines(command, program.name())),
    ...topics.flatMap(({ name, blocks }) => [
      `.SH ${escaped(titles[name] ?? name.toUpperCase())}`,
      ...blocks.flatMap(blockLines),
    ]),
    '.SH SEE ALSO',
    '.BR tahoe (1)',
    '',
  ].join('\n');
}

/** What the sections of manual pages are called everywhere. */
const titles: Readonly<Record<string, string>> = { 'exit-codes': 'EXIT STATUS' };

function commandLines(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) {
    return command.commands.flatMap((below) => commandLines(below, name));
  }
  // Of two ways to call it, each has a line.
  const usage = command.usage().replace(/\n\s*\S+ \S+/g, ';');
  const called = name.replace(/^\S+ /, '');
  return [
    `.SS "${escaped(`${called} ${usage}`)}"`,
    `${escaped(capitalized(command.description()))}.`,
    ...command.registeredArguments.flatMap(argumentLines),
    ...command.options.flatMap(optionLines),
    ...extraHelp(command).flatMap((paragraph) => ['.PP', ...paragraph]),
  ];
}

function argumentLines(argument: Argument): readonly string[] {
  const { argChoices, description } = argument;
  const choices = argChoices === undefined ? '' : `one of ${argChoices.join(', ')}`;
  return term(argument.name(), [description, choices].filter(Boolean).join('; '));
}

function optionLines({ flags, description, argChoices, defaultValue }: Option): readonly string[] {
  const more = [
    description,
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(typeof defaultValue === 'string' || typeof defaultValue === 'number'
      ? [`by default ${defaultValue}`]
      : []),
  ];
  return term(flags, more.join('; '));
}

/** What `addHelpText` has added: a paragraph that is indented is an example. */
function extraHelp(command: Command): readonly (readonly string[])[] {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  command.outputHelp();
  const extra = text.slice(command.helpInformation().length).trim();
  return extra === '' ? [] : extra.split(/\n\n+/).map(paragraphOf);
}

function paragraphOf(text: string): readonly string[] {
  const lines = text.split('\n').map(escaped);
  return /^\s|\S {3,}\S/m.test(text) ? ['.nf', ...lines, '.fi'] : lines;
}

function blockLines(block: Block): readonly string[] {
  if (typeof block === 'string') return ['.PP', escaped(block)];
  if ('lines' in block) return ['.PP', '.nf', ...block.lines.map(escaped), '.fi'];
  return block.terms.flatMap(([name, meaning]) => term(name, meaning));
}

function term(name: string, meaning: string): readonly string[] {
  return ['.TP', `.B ${escaped(name)}`, escaped(meaning)];
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const uncapitalized = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

/** Nothing in it is a request, or is taken for one; hyphens stay what one types. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll('…', '...')
    .replaceAll('✗', 'x')
    .replace(/^([.'])/, '\\&$1');
}
