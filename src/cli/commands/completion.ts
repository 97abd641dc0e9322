/**
 * @module completion: `completion`, a script that completes command lines in a shell.
 */
import { Argument, type Command } from 'commander';
import type { Perform } from '../call.ts';
import type { Shell } from '../completion.ts';

const shells: readonly Shell[] = ['bash', 'zsh', 'fish'];

export function addCompletionCommand(program: Command, perform: Perform): void {
  program
    .command('completion')
    .description('print a script that completes command lines in your shell')
    .addArgument(new Argument('<SHELL>').choices(shells))
    .addHelpText(
      'after',
      `
bash, in ~/.bashrc:                    source <(tahoe-mutable completion bash)
zsh, in ~/.zshrc behind compinit:      source <(tahoe-mutable completion zsh)
fish, in ~/.config/fish/config.fish:   tahoe-mutable completion fish | source

It completes commands, options, names of aliases and files, and never a cap.`,
    )
    .action(
      perform(async (_call, shell: Shell) => {
        const { completionOf } = await import('../completion.ts');
        const script = completionOf(shell, program);
        return { json: { shell, script }, text: script };
      }),
    );
}
