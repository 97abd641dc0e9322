import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pictureOf } from '../../src/cli/demo/picture.ts';
import type { Run, Story } from '../../src/cli/demo/story.ts';
import { runCli } from '../support/cli.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tahoe-mutable-test-'));
});
afterAll(() => rm(scratch, { recursive: true }));

test('the demo tells the story of #2034, in 80 columns, and leaves nothing', async () => {
  const { stdout, stderr, exit } = await runCli(['demo'], { env: { TMPDIR: scratch } });
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  const lines = stdout.toString().split('\n');
  expect(lines.filter((text) => [...text].length > 80)).toEqual([]);
  const cells = lines.map((text) => text.replace(/ {2,}/g, ' | '));
  expect(cells).toEqual(
    expect.arrayContaining([
      'after 3 | the map is done | waiting for share 4',
      'after 4 | too late: dropped | the map is done',
      expect.stringMatching(/^ ?\|? ?5 \| s\d\d \| MISSING: it holds share 4 \| share 4$/),
      'it knows | 9 of 10 shares | 10 of 10 shares',
      'in place | impossible without share 4 (1) | yes',
      'on the grid then version 2: 10 shares | version 2: 10 shares',
      'All 13 claims of this story hold.',
    ]),
  );
  expect(await readdir(scratch)).toEqual([]);
});

test('the demo as a document: the order was the same, the outcomes were not', async () => {
  const { stdout, exit } = await runCli(['demo', '--json'], { env: { TMPDIR: scratch } });
  expect(exit).toBe(0);
  const story: Story = JSON.parse(stdout.toString());
  const cues = ({ beats }: Run) => beats.map(({ server, what }) => `${what} ${server}`);
  expect(cues(story.runs.old)).toEqual(cues(story.runs.ours));
  // 13 servers answer, 10 shares are verified; the last two are the race.
  expect(story.runs.old.beats).toHaveLength(23);
  expect(story.runs.old.beats.slice(-3)).toMatchObject([
    { what: 'verification', isTooLate: false, mapIsOver: false },
    { what: 'query', isTooLate: false, mapIsOver: true },
    { what: 'verification', isTooLate: true, mapIsOver: true },
  ]);
  expect(story.runs.ours.beats.slice(-3)).toMatchObject([
    { what: 'verification', isTooLate: false, mapIsOver: false },
    { what: 'query', isTooLate: false, mapIsOver: false },
    { what: 'verification', isTooLate: false, mapIsOver: true },
  ]);
  expect(story.claims.filter(({ holds }) => !holds)).toEqual([]);

  const broken = { ...story, claims: [{ claim: 'pigs fly', holds: false }, ...story.claims] };
  expect(pictureOf(broken, false)).toContain(
    '1 of the 14 claims of this story do not hold:\n  not true: pigs fly\n',
  );
  expect(pictureOf(story, true)).toContain('\u001b[32mAll 13 claims of this story hold.\u001b[39m');
});
