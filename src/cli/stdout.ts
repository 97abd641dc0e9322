/**
 * @module stdout: whether what is printed can be read by anybody.
 *
 * Node opens the null device in the place of a stdout that was closed (`>&-`): what goes there is
 * lost without an error.
 */
import { fstat } from 'node:fs';
import { promisify } from 'node:util';
import { UsageError } from './complaint.ts';
import { isNull } from './stdin.ts';

/** For what must not be lost. @throws UsageError for a stdout that is closed or thrown away */
export async function requireReader(stdout: NodeJS.WritableStream & { readonly fd?: number }) {
  if (stdout.fd === undefined) return;
  if (!(await isNull(await promisify(fstat)(stdout.fd)))) return;
  throw new UsageError('stdout: is closed, or thrown away, and the cap with it; give -o FILE');
}
