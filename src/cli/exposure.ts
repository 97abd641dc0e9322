/**
 * @module exposure: whether a file that holds caps or keys is open to other users of this machine.
 */
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Read or write, group or others. */
const anyoneElse = 0o066;
/** To pass through a folder. */
const passing = 0o011;

/** Also false for what is no regular file, and where the system has other rights than these. */
export async function isExposed(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  try {
    const whole = await realpath(path);
    const status = await stat(whole);
    if (!status.isFile() || (status.mode & anyoneElse) === 0) return false;
    for (let folder = dirname(whole); ; folder = dirname(folder)) {
      if (((await stat(folder)).mode & passing) === 0) return false;
      if (folder === dirname(folder)) return true;
    }
  } catch {
    // Who cannot look at it is told so when it is read.
    return false;
  }
}
