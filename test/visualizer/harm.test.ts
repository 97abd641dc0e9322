/** What a run leaves on the servers that nobody wanted, told in words. */
import { describe, expect, test } from 'vitest';
import type { TraceRecord } from '../../src/simulation/world.ts';
import { Session } from '../../visualizer/src/engine/session.ts';
import {
  differingServers,
  harmsOf,
  type Servers,
  type Write,
  writesOf,
} from '../../visualizer/src/model/harm.ts';
import { type Preset, presets } from '../../visualizer/src/presets.ts';

const [v1, v2, rival, v3] = ['v1-00000001', 'v2-00000002', 'v2-0000000b', 'v3-00000003'];

const holding = (shares: Record<string, Record<number, string>>) =>
  Object.entries(shares).map(([id, held]) => ({ id, shares: held }));

const write = (operation: string, version: string, about: Partial<Write> = {}): Write => ({
  ...{ operation, version, words: [operation], isEdit: false, added: [] },
  ...{ isAcknowledged: true, isOver: true, ...about },
});

const said = (servers: Servers, writes: readonly Write[]) =>
  harmsOf(servers, writes).map(({ server, words }) => `${server}: ${words}`);

describe('harm on one side', () => {
  test('is a share number on two servers in two versions, and the old one', () => {
    const servers = holding({ s0: { 0: v2 }, s2: { 2: v2 }, s3: { 0: v2 }, s4: { 2: v1 } });
    expect(harmsOf(servers, [write('w1', v2)])).toEqual([
      { kind: 'second', server: 's2', shnum: 2, isSettled: true, words: 'second share 2' },
      { kind: 'old', server: 's4', shnum: 2, isSettled: true, words: 'still version 1' },
    ]);
  });

  test('is a share that was added to one of the same number and version, not the other one', () => {
    const servers = holding({ s0: { 0: v2 }, s2: { 0: v2 }, s3: { 0: v2 } });
    expect(said(servers, [write('w1', v2, { added: ['s3 sh0'] })])).toEqual(['s3: second share 0']);
    expect(said(servers.slice(1), [write('w1', v2, { added: ['s3 sh0', 's2 sh0'] })])).toEqual([
      's2: second share 0',
    ]);
    expect(said(servers.slice(2), [write('w1', v2, { added: ['s3 sh0'] })])).toEqual([]);
  });

  test('is all that the ticket leaves behind, and nothing where its rule is mended', async () => {
    const { scene, labels } = presets.find(({ id }) => id === '2034') as Preset;
    const session = await Session.begin(scene);
    await session.follow(labels);
    await session.finish();
    const left = scene.sides.map((_, side) => {
      const records = session.frames.flatMap(({ sides }) => sides[side]?.records ?? []);
      const servers = session.frames.at(-1)?.sides[side]?.servers ?? [];
      return said(servers, writesOf(records));
    });
    expect(left).toEqual([['s2: second share 2', 's3: second share 0', 's4: still version 1'], []]);
  });

  test('may be but half of a move as long as the writer is at work', () => {
    const servers = holding({ s2: { 2: v2 }, s4: { 2: v1 } });
    const open = write('w1', v2, { isAcknowledged: false, isOver: false });
    expect(harmsOf(servers, [open])).toEqual([
      { kind: 'second', server: 's2', shnum: 2, isSettled: false, words: 'second share 2' },
    ]);
  });

  test('is another version of the number that was acknowledged', () => {
    const servers = holding({ s0: { 0: v2 }, s1: { 1: rival } });
    expect(said(servers, [write('w1', v2)])).toEqual(['s1: another version 2']);
  });

  test('is an acknowledged edit that is in no version any more', () => {
    const edit = { isEdit: true };
    const one = write('w1', v2, { ...edit, words: ['v1', 'w1'] });
    const other = write('w2', v3, { ...edit, words: ['v1', 'w2'] });
    const servers = holding({ s0: { 0: v3 }, s1: { 1: v3 } });
    expect(said(servers, [one, other])).toEqual([
      's0: holds w2’s version; w1’s is gone',
      's1: holds w2’s version; w1’s is gone',
    ]);
    // Built on it, or it was not acknowledged, or it is still there, or it was to be replaced.
    const built = { ...other, words: ['v1', 'w1', 'w2'] };
    expect(said(servers, [one, built])).toEqual([]);
    expect(said(servers, [{ ...one, isAcknowledged: false }, other])).toEqual([]);
    expect(said(holding({ s0: { 0: v3 }, s1: { 1: v2 } }), [one, other])).toEqual([
      's1: still version 2',
    ]);
    expect(said(servers, [one, { ...other, isEdit: false }])).toEqual([]);
  });

  test('is none where nothing was written, where all is new, or what lies there cannot be read', () => {
    expect(said(holding({ s0: { 0: v1 }, s1: { 0: v1 } }), [])).toEqual([]);
    expect(said(holding({ s0: { 0: v2 }, s1: { 0: v2 } }), [write('w1', v2)])).toEqual([]);
    expect(said(holding({ s0: { 0: 'unreadable' }, s1: {} }), [write('w1', v2)])).toEqual([]);
    expect(said(holding({ s0: { 0: `${v1} damaged` } }), [write('w1', v2)])).toEqual([
      's0: still version 1',
    ]);
  });
});

test('two sides differ on the servers that hold something else, whatever versions are called', () => {
  const one = holding({ s0: { 0: v2 }, s2: { 2: v2 }, s4: { 2: v1 } });
  const other = holding({ s0: { 0: rival }, s2: {}, s4: { 2: rival } });
  const plain = (_: number, version: string) => version.slice(0, 2);
  expect([...differingServers(one, other, plain)]).toEqual(['s2', 's4']);
});

test('who wrote what is read off the records', () => {
  const stamp = { seq: 0, at: 0, step: 0 };
  const place = (operation: string | null, after: string | null) =>
    ({ ...stamp, kind: 'place', server: 's0', shnum: 0, before: null, after, operation }) as const;
  const contents = (operation: string, seen: readonly string[] | null, made: readonly string[]) =>
    ({ ...stamp, kind: 'contents', operation, seen, made }) as const;
  const operation = (name: string, event: 'started' | 'ended' | 'killed', ok: boolean) => {
    const result = ok ? ({ ok, seen: null, value: null } as const) : null;
    return { ...stamp, kind: 'operation', operation: name, event, spec: null, result } as const;
  };
  const records: readonly TraceRecord[] = [
    operation('w1', 'started', false),
    contents('w1', ['v1'], ['v1', 'w1']),
    place('w1', rival),
    contents('w1', ['v1', 'w2'], ['v1', 'w2', 'w1']),
    place('w1', v3),
    place('w1', v3),
    place(null, v1),
    place('w1', null),
    operation('w1', 'ended', true),
    contents('w2', null, ['w2']),
    place('w2', v2),
    operation('w2', 'killed', false),
  ];
  const whole = { isOver: true };
  expect(writesOf(records)).toEqual([
    {
      operation: 'w1',
      version: rival,
      words: ['v1', 'w1'],
      isEdit: true,
      added: ['s0 sh0'],
      ...whole,
      isAcknowledged: false,
    },
    {
      operation: 'w1',
      version: v3,
      words: ['v1', 'w2', 'w1'],
      isEdit: true,
      added: ['s0 sh0', 's0 sh0'],
      ...whole,
      isAcknowledged: true,
    },
    {
      operation: 'w2',
      version: v2,
      words: ['w2'],
      isEdit: false,
      added: ['s0 sh0'],
      ...whole,
      isAcknowledged: false,
    },
  ]);
});
