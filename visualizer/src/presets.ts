/**
 * @module presets: scenes to begin with.
 */
import type { Rule } from '../../machines/rules.ts';
import type { FaultKind } from '../../src/simulation/faults.ts';
import type { ServerSpec, WorldOptions } from '../../src/simulation/world.ts';
import type { Scene } from './engine/protocol.ts';

export interface Preset {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly scene: Scene;
  /** Choices that are made when it is opened, by label. */
  readonly labels: readonly string[];
  /** Then these, as far as they are possible: what only the second side has left to do. */
  readonly rest?: readonly string[];
  /** How it ends when it is run to the end from there, per side. A test holds it to that. */
  readonly ends: readonly End[];
}

export interface End {
  /** Ids of properties. */
  readonly violated: readonly string[];
  readonly operations: readonly string[];
}

/** What a person can do to a run by hand. */
export const offeredFaults: readonly FaultKind[] = [
  ...(['arrive', 'drop', 'reset', 'delay', 'garble', 'crash', 'restart', 'kill'] as const),
];

const tenOfThirteen: readonly ServerSpec[] = Array.from({ length: 13 }, (_, i) =>
  i < 10 ? { shares: [i] } : {},
);
const threeOfTen = { required: 3, happy: 7, total: 10 };

/** Tahoe's ticket: s4's answer is there, its share is not judged, and s2, s3 said "no shares". */
function ticketWorld(rule: Rule): WorldOptions {
  return {
    servers: five,
    encoding: twoOfThree,
    operations: [{ ...overwrite, rule }],
    faults: offeredFaults,
  };
}

const bySide = (world: (rule: Rule) => WorldOptions): Scene => ({
  sides: [
    { title: 'Tahoe’s rule (#2034)', short: 'old', options: world('ticket') },
    { title: 'This engine', short: 'ours', options: world('ours') },
  ],
});

const ours = (options: WorldOptions): Scene => ({
  sides: [{ title: 'This engine', short: 'holds', options: { faults: offeredFaults, ...options } }],
});

const held = (...operations: readonly string[]): End => ({ violated: [], operations });

const parted: readonly End[] = [
  { violated: ['U1', 'U6'], operations: ['w1 ended'] },
  held('w1 ended'),
];

const five: readonly ServerSpec[] = [{ shares: [0] }, { shares: [1] }, {}, {}, { shares: [2] }];
const twoOfThree = { required: 2, happy: 3, total: 3 };
const overwrite = { name: 'w1', task: { kind: 'overwrite' } } as const;
const started = [
  'start w1',
  ...['s0', 's1', 's2', 's3', 's4'].map((server) => `deliver w1 ${server} list`),
  'deliver w1 s0 read sh0 head',
];

export const presets: readonly Preset[] = [
  {
    id: '2034',
    title: 'Ticket #2034: old rule and ours, one schedule',
    about:
      'Before it writes, w1 asks who holds a share. s4 holds share 2; while that is being verified, ' +
      'the old rule ends, forgets it, and writes a second share 2 on s2. This engine waits.',
    scene: bySide(ticketWorld),
    labels: [...started, 'deliver w1 s1 read sh1 head'],
    ends: parted,
  },
  {
    id: '2034-by-hand',
    title: 'Ticket #2034, from the start: make it fail yourself',
    about:
      'Start w1. Deliver the five answers to “list”, then the shares of s0 and s1, but not that of ' +
      's4: the old rule does not wait for it.',
    scene: bySide(ticketWorld),
    labels: [],
    ends: parted,
  },
  {
    id: 'thirteen',
    title: '13 servers, 3 of 10: read, change, write',
    about: 'One client appends a word to a file of ten shares on thirteen servers.',
    scene: ours({
      servers: tenOfThirteen,
      encoding: threeOfTen,
      operations: [{ name: 'w1', task: { kind: 'modify' } }],
    }),
    labels: ['start w1'],
    ends: [held('w1 ended')],
  },
  {
    id: 'two-writers',
    title: 'Two writers: release the second one when you like',
    about:
      'w1 and w2 both append their name. Start w2 at any point and see what each server ends up with.',
    scene: ours({
      servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}, {}],
      encoding: { required: 2, happy: 3, total: 3 },
      operations: [
        { name: 'w1', task: { kind: 'modify' } },
        { name: 'w2', task: { kind: 'modify' } },
      ],
    }),
    labels: ['start w1'],
    ends: [held('w1 ended', 'w2 ended')],
  },
  {
    id: 'corrupt',
    title: 'A corrupt share: found, named, survived',
    about: 'A byte of s1’s share changes on its way. The map says so, and the write goes on.',
    scene: ours({ servers: five, encoding: twoOfThree, operations: [overwrite] }),
    labels: [...started, 'garble w1 s1 read sh1 head'],
    ends: [held('w1 ended')],
  },
  {
    id: 'lost-answer',
    title: 'A lost answer to a write: read again before anything is concluded',
    about:
      's0 has written and its answer is lost. The chart reads the share again and finds its own.',
    scene: ours({ servers: five, encoding: twoOfThree, operations: [overwrite] }),
    labels: [
      ...[...started, 'deliver w1 s1 read sh1 head', 'deliver w1 s4 read sh2 head'],
      ...['arrive w1 s0 write sh0', 'reset w1 s0 write sh0'],
    ],
    ends: [held('w1 ended')],
  },
  {
    id: 'crashes',
    title: 'Servers crash amid a write: the outcome says what is open',
    about:
      'Three of five servers go down with writes in flight: whether they landed, nobody can say.',
    scene: ours({ servers: five, encoding: twoOfThree, operations: [overwrite] }),
    labels: [
      ...[...started, 'deliver w1 s1 read sh1 head', 'deliver w1 s4 read sh2 head'],
      ...['crash s2', 'crash s3', 'crash s0'],
    ],
    ends: [held('w1 IndeterminateWriteError')],
  },
];
