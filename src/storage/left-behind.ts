/**
 * @module left-behind: temporary files, and the sweep of those whose process was killed before it
 * could remove them: they hold what somebody read, or a secret.
 *
 * A name says whose a file is: of which machine (and process namespace: a container has numbers of
 * its own) and of which process. What is swept is a file of ours, of this machine, of a process
 * that is no more; nothing that only looks alike, and nothing behind a link.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync, type Stats } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const NAME = /^\.tahoe-mutable-([0-9a-f]{8})-([1-9]\d{0,9})-[0-9a-f]{12}\.tmp$/;

/** A new name in `folder`, for a file that will be renamed or removed. */
export function temporaryPathIn(folder: string): string {
  const unique = randomBytes(6).toString('hex');
  return join(folder, `.tahoe-mutable-${machine()}-${process.pid}-${unique}.tmp`);
}

/** Removes from `folder` what dead processes have left there; what cannot be removed stays. */
export async function sweepLeftBehind(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, where, pid] = NAME.exec(name) ?? [];
    if (where !== machine() || isAlive(Number(pid))) continue;
    const path = join(folder, name);
    const status = await lstat(path).catch(() => undefined);
    if (status?.isFile() && isMine(status)) await unlink(path).catch(() => {});
  }
}

function machine(): string {
  return createHash('sha256').update(`${hostname()} ${namespace()}`).digest('hex').slice(0, 8);
}

/** Where process numbers mean the same; only Linux has several. */
function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Windows knows no owners by number. */
function isMine({ uid }: Stats): boolean {
  return process.getuid === undefined || process.getuid() === uid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Others' processes may not be signalled, but they are there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
