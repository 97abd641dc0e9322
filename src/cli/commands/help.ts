/**
 * @module help: `help`, of a command, or of what all commands have in common.
 */
import { Argument, type Command } from 'commander';
import type { Perform } from '../call.ts';
import { UsageError } from '../complaint.ts';
import type { Topic } from '../topics.ts';

/** What `topics.ts` has, which is loaded when it is asked for. */
export const topicNames = ['exit-codes', 'caps', 'grids', 'json', 'environment'];

/** Comes last: it knows all commands. */
export function addHelpCommand(program: Command, perform: Perform): void {
  const names = program.commands.map((command) => command.name());
  program
    .command('help')
    .description('say more of a command, or of one of the topics below')
    .addArgument(new Argument('[TOPIC]', 'a topic or a command').choices([...topicNames, ...names]))
    .argument('[COMMAND]', 'one below that, as in help grid create')
    .action(
      perform(async (_call, name: string | undefined, below: string | undefined) => {
        const { topics } = await import('../topics.ts');
        const topic = topics.find((topic) => topic.name === name);
        if (topic === undefined) return commandIn(program, name, below).help();
        const text = textOf(topic, program);
        // It holds none, but shows what they look like.
        return { json: { topic: topic.name, text }, text, tellsCaps: true };
      }),
    );
}

/** @throws UsageError */
function commandIn(program: Command, ...path: readonly (string | undefined)[]): Command {
  return path.reduce<Command>((command, name) => {
    if (name === undefined) return command;
    const below = command.commands.find((it) => it.name() === name);
    if (below === undefined) throw new UsageError(`help: ${command.name()} has no such command`);
    return below;
  }, program);
}

const width = 80;

/** Laid out as commander lays out its own help. */
function textOf({ summary, blocks }: Topic, program: Command): string {
  const help = program.createHelp();
  help.prepareContext({ helpWidth: width });
  const paragraphs = [`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...blocks].map(
    (block) => {
      if (typeof block === 'string') return help.boxWrap(block, width);
      if ('lines' in block) return block.lines.map((line) => `  ${line}`).join('\n');
      const longest = Math.max(...block.terms.map(([term]) => term.length));
      return block.terms
        .map(([term, meaning]) => help.formatItem(term, longest, meaning, help))
        .join('\n');
    },
  );
  return `${paragraphs.join('\n\n')}\n`;
}
