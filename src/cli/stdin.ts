/**
 * @module stdin: whether anything can come from where input is said to come from, and end.
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

const names: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

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
    throw new UsageError(`stdin: is closed; to write nothing, give ${devNull} as FILE`);
  }
  // Of what else there is, Node makes a stream that ends at once.
  const kinds = ['isFile', 'isFIFO', 'isSocket', 'isCharacterDevice'] as const;
  if (!kinds.some((is) => status[is]())) {
    throw new UsageError('stdin: is no file, pipe or terminal');
  }
  if ('isTTY' in stdin && stdin.isTTY) return;
  requireEnd('stdin', status);
}

/** @throws UsageError for a device, which may never end; the null device does */
export async function requireSource(path: string, status: Stats): Promise<void> {
  if (path === devNull) return;
  if (await isNull(status)) throw new UsageError(`${path}: is closed, or leads to ${devNull}`);
  requireEnd(path, status);
}

function requireEnd(name: string, status: Stats): void {
  if (!status.isCharacterDevice()) return;
  throw new UsageError(`${name}: is a device, which may never end; copy what is wanted of it`);
}

async function isNull(status: Stats): Promise<boolean> {
  if (!status.isCharacterDevice()) return false;
  const nothing = await stat(devNull).catch(() => undefined);
  return nothing?.rdev === status.rdev;
}
