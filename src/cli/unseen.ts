/**
 * @module unseen: a line that is typed at a terminal, which does not show it: it is a cap.
 */
import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { unlessAborted } from '../abort.ts';

/** Empty where it is ended instead. */
export async function unseenLine(terminal: Readable, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  const lines = createInterface({ input: terminal, output: nowhere, terminal: true });
  // A terminal whose keys are read one by one makes no signal of Ctrl-C.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const line = new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(''));
  });
  try {
    return await unlessAborted(line, signal);
  } finally {
    lines.close();
  }
}
