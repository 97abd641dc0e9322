import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manPage } from '../support/man-page.ts';
import { root } from '../support/root.ts';

const path = join(root, 'docs/tahoe-mutable.1');

test('the manual page is that of the program (npm run man makes it)', async () => {
  await expect(manPage()).toMatchFileSnapshot(path);
});

test('it is plain text that man understands, and is installed with the package', async () => {
  expect(manPage()).toMatch(/^[\n -~]*$/);
  const { man, files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect([man, files.some((it: string) => man.startsWith(`./${it}/`))]).toEqual([
    './docs/tahoe-mutable.1',
    true,
  ]);
  // Where groff is here, it has to like what it gets.
  const { error, stderr } = spawnSync('groff', ['-man', '-ww', '-z'], { input: manPage() });
  expect(error === undefined ? stderr.toString() : '').toBe('');
});
