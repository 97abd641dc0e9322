/** Scenes that somebody sent: what cannot be played is refused by the name of its field. */
import { describe, expect, test } from 'vitest';
import { problemOfScene } from '../../visualizer/src/model/scene-problem.ts';
import { presets } from '../../visualizer/src/presets.ts';

const side = (options: unknown) => ({ title: 'a', short: 'b', options });
const overwrite = { name: 'w1', task: { kind: 'overwrite' } };
/** As from a file: what is undefined is not in it. */
const sent = (options: object) =>
  JSON.parse(
    JSON.stringify({
      sides: [side({ servers: [{ shares: [0] }], operations: [overwrite], ...options })],
    }),
  );

describe('a scene', () => {
  test('of the page is one that may be sent', () => {
    for (const { scene } of presets) {
      expect(problemOfScene(JSON.parse(JSON.stringify(scene)))).toBeNull();
    }
    expect(problemOfScene(sent({}))).toBeNull();
  });

  test.each([
    [null, 'a scene has one side, or two'],
    [{ sides: [1, 2, 3] }, 'a scene has one side, or two'],
    [{ sides: [null] }, 'side 1 has no title'],
    [{ sides: [side({})] }, 'side 1 has no list of servers'],
    [{ sides: [side({ servers: [] })] }, 'side 1 has no list of operations'],
    [
      { sides: [...sent({}).sides, side({ servers: [], operations: [null] })] },
      'side 2, operations[0] is null, no object',
    ],
  ])('has sides of servers and operations: %j', (value, problem) => {
    expect(problemOfScene(value)).toBe(problem);
  });

  const task = (kind: unknown) => ({ operations: [{ name: 'w1', task: { kind } }] });
  const kinds = 'create, overwrite, modify, update, append, link, read, map, verify, repair, call';
  test.each([
    [{ encoding: null }, 'encoding is null, no object'],
    [{ encoding: {} }, 'encoding has no happy'],
    [
      { encoding: { required: 0, happy: 1, total: 1 } },
      'encoding.required is 0, no whole number from 1 to 255',
    ],
    [
      { encoding: { required: 4, happy: 1, total: 3 } },
      'encoding.required is 4, no whole number from 1 to 3',
    ],
    [{ servers: [null] }, 'servers[0] is null, no object'],
    [{ servers: Array(256).fill({}) }, 'servers has 256 entries; the limit is 255'],
    [{ servers: [{ shares: 'all' }] }, 'servers[0].shares is “all”, no list'],
    [
      { servers: [{}, { shares: [0, 256] }] },
      'servers[1].shares[1] is 256, no whole number from 0 to 255',
    ],
    [
      { servers: [{ shares: [0.5] }] },
      'servers[0].shares[0] is 0.5, no whole number from 0 to 255',
    ],
    [
      { servers: [{ shares: [{ shnum: 1, rot: 'all' }] }] },
      'servers[0].shares[0].rot is “all”, none of prefix, offsets, key, signature, privkey, chain, tree, blocks',
    ],
    [
      { operations: [{ ...overwrite, rule: 'zzz' }] },
      'operations[0].rule is “zzz”, none of ours, fix2015, ticket',
    ],
    [task('__proto__'), `operations[0].task.kind is “__proto__”, none of ${kinds}`],
    [task(null), `operations[0].task.kind is null, none of ${kinds}`],
    [task('map'), 'operations[0].task has no mode'],
    [{ operations: [overwrite, overwrite] }, 'operations: two are called “w1”'],
    [
      { operations: [{ ...overwrite, name: 'w/1\n' }] },
      'operations[0].name is “w/1\\u{a}”, no name of letters and digits',
    ],
    [{ faults: ['constructor'] }, /^faults\[0\] is “constructor”, none of arrive, drop/],
    [{ size: -1 }, 'size is -1, no whole number from 0 to 10000000'],
    [{ format: 'chk' }, 'format is “chk”, none of sdmf, mdmf'],
    [{ isDeaf: 1 }, 'isDeaf is 1, neither true nor false'],
  ])('that cannot be played is refused: %j', (options, problem) => {
    const said = problemOfScene(sent(options)) ?? '';
    const words = said.slice('side 1, '.length);
    if (typeof problem === 'string') expect(words).toBe(problem);
    else expect(words).toMatch(problem);
  });
});
