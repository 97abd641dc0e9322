/**
 * @module stdin: whether input can come from where it is said to come from, and will end.
 *
 * Node opens the null device in the place of a stdin that was closed (`<&-`), and a shell gives it
 * to jobs in the background: what looks like an empty file is no input at all.
 */
import { fstat, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { devNull } from 'node:os';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { UsageError, unreadable } from './complaint.ts';

/** What says stdin, and what a FILE is that is not given. */
export const stdinName = '-';

const names: readonly string[] = [stdinName, '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

/** Whether an argument means stdin. */
export function isStdin(argument: string): boolean {
  return names.includes(argument);
}

/** @throws UsageError naming stdin, when it was closed or would never end */
export async function requireStdin(stdin: Readable & { readonly fd?: number }): Promise<void> {
  if (stdin.fd === undefined) return;
  const status = await promisify(fstat)(stdin.fd).catch((error: unknown) => {
    throw unreadable('stdin', error);
  });
  if (await isNull(status)) {
    throw new UsageError(
      `stdin: is closed, or leads to ${devNull}; to write nothing, give ${devNull} as FILE`,
    );
  }
  // For anything else Node makes a stream that ends at once.
  const kinds = ['isFile', 'isFIFO', 'isSocket', 'isCharacterDevice'] as const;
  if (!kinds.some((is) => status[is]())) {
    throw new UsageError('stdin: is no file, pipe or terminal');
  }
  if ('isTTY' in stdin && stdin.isTTY) return;
  requireEnd('stdin', status);
}

/** @throws UsageError for a device, which may never end, unless it is called `/dev/null` */
export async function requireSource(path: string, status: Stats): Promise<void> {
  if (path === devNull) return;
  if (status.isSocket()) throw new UsageError(`${path}: is a socket`);
  if (await isNull(status)) throw new UsageError(`${path}: is closed, or leads to ${devNull}`);
  requireEnd(path, status);
}

function requireEnd(name: string, status: Stats): void {
  if (!status.isCharacterDevice()) return;
  throw new UsageError(`${name}: is a device, which may never end; copy what is wanted of it`);
}

/** Whether it is the null device, under whichever name. */
export async function isNull(status: Stats): Promise<boolean> {
  if (!status.isCharacterDevice()) return false;
  const nothing = await stat(devNull).catch(() => undefined);
  return nothing?.rdev === status.rdev;
}
