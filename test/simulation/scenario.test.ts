import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  parseScenario,
  playRun,
  playScenario,
  ScenarioError,
} from '../../src/simulation/scenario.ts';
import { writeScenario } from '../../src/simulation/scenario-write.ts';
import { optionsOf } from '../../src/simulation/simulate.ts';
import type { WorldOptions } from '../../src/simulation/world.ts';

const grid =
  'grid k=2 happy=3 n=3\ns0: 0\ns1: 1\ns2: 2\nw1: overwrite\nr1: read\nc1: verify\nm1: map';

describe('parsing', () => {
  test('reads a world, its prose and its blocks', () => {
    const text = [
      ...['# Title: A test', '#', '# Prose.', '', '## One', ''],
      ...['grid k=1 happy=2 n=4 size=9 format=mdmf head=123 seed=5 deaf directory file=2of7'],
      ...[
        's0: 0 1@v3b?!signature',
        's1: later',
        's2:',
        'w1: modify attempts=2 rule=ticket client=a',
      ],
      ...['----', 'old', '', 'start w1', 'expect w1 ok', ''],
    ].join('\n');
    const { title, prose, runs } = parseScenario('name', text);
    expect({ title, prose }).toEqual({
      title: 'A test',
      prose: ['Title: A test', 'Prose.', 'One'],
    });
    expect(runs).toHaveLength(1);
    expect(runs[0]?.title).toBe('One');
    expect(runs[0]?.options).toEqual({
      ...{
        seed: 5,
        format: 'mdmf',
        losable: 0,
        size: 9,
        headLength: 123,
        isDeaf: true,
        isDirectory: true,
      },
      encoding: { required: 1, happy: 2, total: 4 },
      fileEncoding: { required: 2, total: 7 },
      servers: [
        {
          joinsLater: false,
          shares: [
            { shnum: 0, seqnum: 1, series: 0, isForeign: false, rot: undefined },
            { shnum: 1, seqnum: 3, series: 1, isForeign: true, rot: 'signature' },
          ],
        },
        { joinsLater: true, shares: [] },
        { joinsLater: false, shares: [] },
      ],
      operations: [
        {
          ...{ name: 'w1', task: { kind: 'modify', attempts: 2 } },
          ...{ rule: 'ticket', client: 'a', size: 0, force: false },
        },
      ],
    });
    expect(runs[0]?.blocks.map(({ commands, expected }) => [commands.length, expected])).toEqual([
      [5, ['old']],
      [2, []],
    ]);
  });

  test.each([
    ['', 1, 'there is no grid'],
    ['start w1', 1, 'there is no grid yet'],
    ['# prose\nstart w1', 2, 'a comment goes on without #'],
    ['----\nx', 1, 'there is no command above ----'],
    [
      'grid m=2\ns0:',
      1,
      'm is none of k happy n losable size format directory head seed deaf file',
    ],
    ['grid k=x\ns0:', 1, 'k=x is no whole number'],
    ['grid format=tar\ns0:', 1, 'format=tar'],
    ['grid file=3\ns0:', 1, 'file=3 is not like 3of10'],
    ['grid', 1, 'there are no servers'],
    ['grid\ns0: 0\ns2: 1', 3, 'servers come in order: s1 is next'],
    ['grid\ns0: x', 2, 'x is no share'],
    [
      'grid\ns0: 0!dust',
      2,
      'dust is none of prefix offsets key signature privkey chain tree blocks',
    ],
    ['grid\ns0\nw1: read', 2, 'neither a server nor an operation'],
    ['grid\ns0: 0\nw1: dance', 3, 'dance is no operation'],
    ['grid\ns0: 0\nw1:', 3, 'nothing is no operation'],
    ['grid\ns0: 0\nw1: read rule=none', 3, 'rule=none'],
    ['grid\ns0: 0\nm1: map mode=x', 3, 'mode=x'],
    ['grid\ns0: 0\nw1: modify attempts=-1', 3, 'attempts=-1 is no whole number'],
  ])('%j: line %i', (text, line, problem) => {
    expect(() => parseScenario('x', text)).toThrowError(new ScenarioError(line, problem));
  });

  test.each(Array.from({ length: 20 }, (_, i) => i))('reads what it writes: seed %i', (seed) => {
    const options = optionsOf(seed);
    const text = writeScenario('T', ['P'], options, ['start w1']);
    const parsed = parseScenario('x', text).runs[0]?.options;
    expect(normal(parsed as WorldOptions)).toEqual(normal(options));
  });
});

/** Options without what a scenario does not say, and with what it says in any case. */
function normal({ faults: _, servers, operations, ...rest }: WorldOptions) {
  return {
    ...rest,
    size: rest.size ?? 0,
    servers: servers.map(({ shares = [], joinsLater = false }) => ({
      shares: shares.map((share) => (typeof share === 'number' ? share : share.shnum)),
      joinsLater,
    })),
    operations: operations.map(({ name, task }) => ({ name, task })),
  };
}

describe('playing', () => {
  test.each([
    ['deliver s0 list', 'deliver s0 list: nothing like that can happen now'],
    ['crash s9', 'crash s9: nothing like that can happen now'],
    ['deliver all s0', 'deliver all s0: nothing like that is in flight'],
    ['expect w1 ok', 'w1 is waiting'],
    ['expect w9 ok', 'w9 is no property, server or operation'],
    ['expect s0 sh0 v2', 'sh0 is v1-9f6a805d'],
    ['expect s0 sh5 v1', 'sh5 is none'],
    ['expect U1 violated', 'U1 holds'],
    ['expect w1 map is collecting.verifying', 'w1 map is nowhere'],
    ['start w1\nstart r1\ndeliver s0 list', /^line 12: deliver s0 list: whose\? deliver w1 s0/],
    ['start r1\ndeliver rest\nexpect r1 reads w1', 'r1 is ok and saw v1'],
    ['start r1\ndeliver rest\nexpect r1 UnrecoverableFileError', 'r1 is ok and saw v1'],
    ['start r1\ndeliver rest\nexpect r1 healthy', 'r1 is ok and saw v1'],
    ['start c1\ndeliver rest\nexpect c1 unhealthy', 'c1 is ok: healthy'],
    ['start m1\ndeliver rest\nexpect m1 finds v1+v1', 'm1 is ok: v1'],
    ['start c1\ndeliver rest\nexpect s0 sh0 reported 1', 'sh0 is reported 0 times'],
  ])('%j fails', async (commands, problem) => {
    const [run] = parseScenario('x', `${grid}\n\n${commands}\n`).runs;
    const line = 10 + commands.split('\n').length - 1;
    const error = typeof problem === 'string' ? new ScenarioError(line, problem) : problem;
    await expect(playRun(run as never)).rejects.toThrowError(error);
  });

  test('passes over what does not apply when it may', async () => {
    const [run] = parseScenario('x', `${grid}\n\nstart w1\ncrash s9\nexpect w1 ok\n`).runs;
    const { outputs } = await playRun(run as never, { isLenient: true });
    expect(outputs[1]).toEqual([
      ...['w1 asks for list: s0 s1 s2', '(crash s9: not here)', '(expect w1 ok: not here)'],
    ]);
  });

  test('another rule can be tried on the same schedule', async () => {
    const path = join(import.meta.dirname, '../scenarios/2034.txt');
    const run = parseScenario('2034', readFileSync(path, 'utf8')).runs.at(-1);
    const ours = await playRun(run as never);
    const ticket = await playRun(run as never, { rule: 'ticket', isLenient: true });
    expect(ours.watch.violations).toEqual([]);
    expect(ticket.watch.verdicts.get('U1')).toEqual({
      ...{ kind: 'violated', step: 9, seq: expect.any(Number) },
      because: 'done while the shares of s2 are being verified',
    });
  });

  test('a played file is the file again', async () => {
    const text = `# Title: T\n\n${grid}\n----\nwrong\n\nstart r1\n`;
    const { text: played } = await playScenario(parseScenario('x', text));
    expect(played).toBe(
      `# Title: T\n\n${grid}\n----\ns0 sh0 v1 | s1 sh1 v1 | s2 sh2 v1\n\nstart r1\n----\nr1 asks for list: s0 s1 s2\n`,
    );
  });
});

test('every scenario has a title and prose', () => {
  const folder = join(import.meta.dirname, '../scenarios');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
    const { title, prose } = parseScenario(file, readFileSync(join(folder, file), 'utf8'));
    expect(title.length, file).toBeGreaterThan(10);
    expect(prose.join(' ').length, file).toBeGreaterThan(150);
  }
});
