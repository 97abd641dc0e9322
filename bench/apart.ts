/**
 * @module apart: something that is measured in a process of its own, and prints what it found as JSON.
 */
import { spawnSync } from 'node:child_process';

/** What a script printed. What it says on stderr is passed on. @throws Error when it fails */
export function answerOf(script: string, args: readonly string[]): unknown {
  const { status, signal, stdout } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${status ?? signal}`);
  return JSON.parse(stdout);
}
