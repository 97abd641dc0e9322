/** What stands in the place of a file of a grid's description is read, or refused at once by its kind. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { readLeaseSecret } from '../../src/description/grid-folder.ts';
import { readNodeConfig } from '../../src/description/tahoe-cfg.ts';
import { BadGridError } from '../../src/errors.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-text-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe.each<[string, (path: string) => Promise<unknown>]>([
  ['servers.yaml', loadGridFile],
  ['tahoe.cfg', readNodeConfig],
  ['secret', readLeaseSecret],
])('%s', (name, read) => {
  const path = () => join(folder, name);

  test('that is a pipe without a writer is refused', async () => {
    execFileSync('mkfifo', [path()]);
    const refusal = new BadGridError(path(), 'is not a regular file');
    await expect(read(path())).rejects.toThrowError(refusal);
  });

  test('that is a device is refused', async () => {
    await symlink('/dev/zero', path());
    const refusal = new BadGridError(path(), 'is not a regular file');
    await expect(read(path())).rejects.toThrowError(refusal);
  });

  test('that is longer than any is refused', async () => {
    await writeFile(path(), ' '.repeat(2 ** 20 + 1));
    const refusal = new BadGridError(path(), 'is longer than 1048576 bytes');
    await expect(read(path())).rejects.toThrowError(refusal);
  });
});
