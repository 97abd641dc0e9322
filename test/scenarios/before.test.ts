/**
 * What the rules before quorums lost, as recorded with the commit before them (`before/`), against what
 * comes of the same commands now. They are read, not played: the code that they are of is not here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseScenario, type ScenarioRun } from '../../src/simulation/scenario.ts';

interface Loss {
  readonly name: string;
  /** Acknowledged, and not in what was read after. */
  readonly lost: string;
  /** Per run, how every operation ended, in order. */
  readonly before: readonly (readonly string[])[];
  readonly today: readonly (readonly string[])[];
  /** Commands of today that could not be given then. */
  readonly leftOut?: readonly string[];
}

const losses: readonly Loss[] = [
  {
    name: 'N1-one-retry',
    lost: 'w2',
    before: [
      [
        'w2 ends: version 2 is written',
        'w1 ends: version 3 is written',
        'w3 ends: version 4 is written',
        'r1 ends: v1+w1+w3',
      ],
      ['w2 ends: version 2 is written', 'w1 ends: version 4 is written', 'r1 ends: v1+w1'],
    ],
    today: [
      [
        'w2 ends: version 2 is written',
        'w1 fails: NotEnoughServersError: version 3 reached 1 of the 2 servers it needs; ' +
          'last failure: server s1: no space left',
        'w3 ends: version 4 is written',
        'r1 ends: v1+w2+w3',
      ],
      ['w2 ends: version 2 is written', 'w1 ends: version 4 is written', 'r1 ends: v1+w2+w1'],
    ],
  },
  {
    name: 'N2-more-servers-than-shares',
    lost: 'w1',
    before: [['w1 ends: version 2 is written', 'w2 ends: version 3 is written', 'r1 ends: v1+w2']],
    today: [
      ['w1 ends: version 2 is written', 'w2 ends: version 4 is written', 'r1 ends: v1+w1+w2'],
    ],
    leftOut: ['fail w2 s2 write'],
  },
  {
    name: 'N3-third-attempt',
    lost: 'w1',
    before: [['w1 ends: version 2 is written', 'w2 ends: version 4 is written', 'r1 ends: v1+w2']],
    today: [
      ['w1 ends: version 2 is written', 'w2 ends: version 4 is written', 'r1 ends: v1+w1+w2'],
    ],
  },
  {
    name: 'N4-six-old-answers',
    lost: 'w1',
    before: [['w1 ends: version 2 is written', 'r1 ends: v1']],
    today: [['w1 ends: version 2 is written', 'r1 ends: v1+w1']],
  },
  {
    name: 'L1-stray-version',
    lost: 'w2',
    before: [['w2 ends: version 2 is written', 'w1 ends: version 4 is written', 'r1 ends: v1+w1']],
    today: [
      ['w2 ends: version 2 is written', 'w1 ends: version 4 is written', 'r1 ends: v1+w2+w1'],
    ],
  },
];

describe.each(losses)('$name', ({ name, lost, before, today, leftOut = [] }) => {
  const then = runsOf(`before/${name}`);
  const now = runsOf(name);

  test('the commands are the same', () => {
    const given = now.map(commandsOf);
    expect(given.flat()).toEqual(expect.arrayContaining([...leftOut]));
    const possible = given.map((run) => run.filter((command) => !leftOut.includes(command)));
    expect(then.map(commandsOf)).toEqual(possible);
  });

  test('before, an acknowledged change is not in what is read after it', () => {
    expect(then.map(endingsOf)).toEqual(before);
    for (const run of then) {
      expect(acknowledgedBeforeRead(run)).toContain(lost);
      expect(changesRead(run)).not.toContain(lost);
    }
  });

  test('today, every acknowledged change is', () => {
    expect(now.map(endingsOf)).toEqual(today);
    for (const run of now) {
      expect(acknowledgedBeforeRead(run)).toContain(lost);
      expect(changesRead(run)).toEqual(expect.arrayContaining([...acknowledgedBeforeRead(run)]));
    }
  });
});

test('every recording is here, and says which commit it was made with', () => {
  const files = readdirSync(join(import.meta.dirname, 'before'));
  expect(files.sort()).toEqual(losses.map(({ name }) => `${name}.txt`).sort());
  for (const file of files) {
    const text = readFileSync(join(import.meta.dirname, 'before', file), 'utf8');
    expect(text).toContain('# Recorded with commit 5e547d5: ');
  }
});

function runsOf(name: string): readonly ScenarioRun[] {
  return parseScenario(name, readFileSync(join(import.meta.dirname, `${name}.txt`), 'utf8')).runs;
}

/** The world, and what is done in it: all but what is expected. */
function commandsOf(run: ScenarioRun): readonly string[] {
  const commands = run.blocks.flatMap((block) => block.commands.map(({ text }) => text));
  return commands.filter((command) => !command.startsWith('expect '));
}

function endingsOf({ blocks }: Pick<ScenarioRun, 'blocks'>): readonly string[] {
  return blocks.flatMap((block) =>
    block.expected.filter((line) => /^\w+ (ends|fails): /.test(line)),
  );
}

/** Who was told that its version is written before the last block, in which `r1` begins to read. */
function acknowledgedBeforeRead(run: ScenarioRun): readonly string[] {
  expect(run.blocks.at(-1)?.commands.map(({ text }) => text)).toContain('start r1');
  return endingsOf({ blocks: run.blocks.slice(0, -1) }).flatMap(
    (line) => /^(\w+) ends: version \d+ is written$/.exec(line)?.[1] ?? [],
  );
}

/** `r1 ends: v1+w1`: v1 and w1. */
function changesRead(run: ScenarioRun): readonly string[] {
  return /^r1 ends: (.*)$/.exec(endingsOf(run).at(-1) ?? '')?.[1]?.split('+') ?? [];
}
