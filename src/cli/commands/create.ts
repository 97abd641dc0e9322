/**
 * @module create: `create`, a new file. It prints the write cap: that is what it is for.
 */
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Format } from '../../caps.ts';
import { signingKeyFromPem } from '../../crypto/pem.ts';
import type { SigningKey } from '../../crypto/primitives.ts';
import type { WriteOutcome } from '../../runtime/outcome.ts';
import { systemProblem, UsageError } from '../complaint.ts';
import { outcomeText } from '../outcome-text.ts';
import type { Perform } from '../program.ts';

interface Options {
  readonly format: Format;
  readonly privateKey?: string;
}

export function addCreateCommand(program: Command, perform: Perform): void {
  program
    .command('create')
    .description('make a new file and print its write cap')
    .argument('<FILE>', 'the contents; "-" is stdin')
    .addOption(
      new Option('--format <format>', 'MDMF can change in place')
        .choices(['sdmf', 'mdmf'])
        .default('mdmf'),
    )
    .option('--private-key <PEM>', 'a file with an RSA-2048 key; made anew by default')
    .action(
      perform(async (call, argument: string, { format, privateKey }: Options) => {
        const key = privateKey === undefined ? {} : { key: await readKey(privateKey) };
        const grid = await call.openGrid('write');
        return call.withContents(argument, async (contents) => {
          const file = await call.watch((options) =>
            grid.create({ ...options, ...key, format, contents }),
          );
          const { writeCap, readCap, verifyCap } = file;
          const outcome = file.created as WriteOutcome;
          return {
            json: { writeCap, readCap, verifyCap, format, size: contents.size, ...outcome },
            text: `${writeCap}\n`,
            ...(outcome.missing.length + outcome.stale.length > 0 && {
              note: outcomeText(outcome),
            }),
          };
        });
      }),
    );
}

async function readKey(path: string): Promise<SigningKey> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${path}: cannot be read: ${systemProblem(error)}`, {}, { cause: error });
  });
  return signingKeyFromPem(text);
}
