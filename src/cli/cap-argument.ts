/**
 * @module cap-argument: a cap from the command line, from stdin (`-`) or from a file (`@FILE`).
 *
 * What is written on a command line can be seen by other users and lands in the shell's history;
 * a write cap is better given in one of the other two ways.
 */
import type { Readable } from 'node:stream';
import { decodeText } from '../decode-text.ts';
import { UsageError } from './complaint.ts';
import { holdsCap } from './redaction.ts';
import { startOf, startOfFile } from './start-of.ts';
import { isStdin, requireStdin } from './stdin.ts';

type Stdin = Readable & { readonly isTTY?: boolean };

/** Longer than any cap, in UTF-16, and than the hints that old versions wrote behind one. */
const lengthMax = 4096;

/**
 * The text that `argument` is, or says where to find.
 * @throws UsageError when the file cannot be read
 */
export async function textFrom(
  argument: string,
  stdin: Stdin,
  signal: AbortSignal,
): Promise<string> {
  if (argument === '-') return textOnStdin(stdin, signal);
  if (!argument.startsWith('@')) return argument;
  const path = argument.slice(1);
  if (isStdin(path)) return textOnStdin(stdin, signal);
  if (holdsCap(path)) throw new UsageError('CAP: behind "@" is a cap, not a path');
  return textIn(path, await startOfFile(path, { lengthMax, signal }));
}

async function textOnStdin(stdin: Stdin, signal: AbortSignal): Promise<string> {
  await requireStdin(stdin);
  if (stdin.isTTY) {
    const { unseenLine } = await import('./unseen.ts');
    return textIn('stdin', Buffer.from(await unseenLine(stdin, signal)));
  }
  return textIn('stdin', await startOf(stdin, { name: 'stdin', lengthMax, signal }));
}

function textIn(name: string, bytes: Uint8Array): string {
  if (bytes.length === 0) throw new UsageError(`${name}: is empty, where a cap is expected`);
  return decodeText(bytes) ?? '';
}
