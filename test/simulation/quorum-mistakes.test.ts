/**
 * Every rule of writing over a quorum (`machines/quorum.ts`) earns its place: for each there is a
 * schedule that breaks a property where the engine does without the rule, and the engine as it is
 * passes. They were found by random worlds, and shrunk.
 */
import { expect, test } from 'vitest';
import type { OperationSpec, WorldOptions } from '../../src/simulation/world.ts';
import { type Edit, simulationWith } from '../support/mutants.ts';
import { oneEach } from '../support/schedule.ts';

interface Mistake {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The property that it breaks. */
  readonly breaks: string;
  readonly world: WorldOptions;
  readonly labels: readonly string[];
}

const quorum = (from: string, to: string): readonly Edit[] => [
  { file: 'machines/quorum.ts', from, to },
];

const modify = (name: string): OperationSpec => ({ name, task: { kind: 'modify', attempts: 3 } });
const overwrite = (name: string): OperationSpec => ({ name, task: { kind: 'overwrite' } });
const read = (name: string): OperationSpec => ({ name, task: { kind: 'read' } });

/** S servers, with a share each as far as there are N, and k and W. */
const world = (
  [servers, required, total, happy]: readonly [number, number, number, number],
  ...writers: readonly OperationSpec[]
): WorldOptions => ({
  encoding: { required, happy, total },
  servers: oneEach(total, servers),
  operations: [...writers, read('last')],
});

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** An operation is started, and its map is made. */
const maps = (name: string, servers = 3) => [
  `start ${name}`,
  ...upTo(servers).map((n) => `deliver ${name} s${n} list`),
  ...upTo(servers).flatMap((n) => upTo(7).map((m) => `deliver ${name} s${n} read sh${m} head`)),
];

const mistakes: readonly Mistake[] = [
  {
    name: 'B - 1 servers make older versions dead',
    edits: quorum('servers - size + 1 + losable', 'servers - size + losable'),
    breaks: 'X1',
    world: world([3, 1, 2, 2], modify('w1'), modify('w2')),
    labels: ['start w1', 'start w2'],
  },
  {
    name: 'what was seen is overwritten before B servers are won',
    edits: quorum(
      'return isMet || isOutrun(view, candidate, other);',
      'return true || isOutrun(view, candidate, other);',
    ),
    breaks: 'X1',
    world: world([3, 1, 2, 2], modify('w1'), modify('w2')),
    labels: ['start w1', 'start w2', 'deliver w2 s0 list', 'deliver w2 s1 list'],
  },
  {
    name: 'a newer version is overwritten',
    edits: quorum(
      'if (version !== null && compareVersions(other, version) > 0) return false;',
      'if (version === null && other === null) return false;',
    ),
    breaks: 'M2',
    world: world([4, 2, 4, 3], modify('w1'), modify('w2'), modify('w3')),
    labels: [
      ...['start w1', 'start w3', 'deliver w1 s0 list', 'deliver w3 s1 list'],
      ...['deliver w1 s3 list', 'deliver w1 s2 list', 'start w2', 'deliver w1 s2 read sh2 head'],
      ...['deliver w1 s3 read sh3 head', 'deliver w3 s0 list', 'deliver w1 s1 list'],
      ...['deliver w3 s2 list', 'deliver w2 s3 list', 'deliver w3 s1 read sh1 head'],
      ...['deliver w1 s1 read sh1 head', 'deliver w2 s0 list', 'deliver w3 s0 read sh0 head'],
      ...['deliver w2 s1 list', 'deliver w2 s0 read sh0 head', 'deliver w3 s2 read sh2 head'],
      ...['advance', 'advance', 'deliver w2 s2 list', 'deliver w2 s1 read sh1 head'],
      ...['deliver w1 s1 write sh0', 'deliver w3 s0 write sh3', 'deliver w3 s1 write sh0'],
      ...['deliver w3 s1 read sh0 head', 'deliver w3 s2 write sh0', 'deliver w3 s2 write sh2'],
      ...['deliver w1 s2 read sh0 head', 'deliver w1 s2 write sh0 sh2', 'deliver w1 s1 write sh1'],
      ...['deliver w1 s1 read sh0 head', 'deliver w1 s2 read sh2 head'],
    ],
  },
  {
    name: 'a server with anything newer is taken for one that a rival has not won',
    edits: quorum(
      'if (held === null || held.some(carries)) return false;',
      'if (held === null) return false;',
    ),
    breaks: 'M2',
    world: {
      ...world([5, 3, 7, 3], ...['w1', 'w2', 'w3', 'w4'].map(overwrite)),
      servers: [[0], [1], [2], [3, 4, 5], [6]].map((shares) => ({ shares })),
    },
    labels: [
      // w2 lands on s3 alone, and dies; w1 is acknowledged on s0, s1 and s2.
      ...[...maps('w2', 5), ...maps('w1', 5), 'deliver w2 s3 write sh3 sh4 sh5'],
      ...['drop w2 s4 write sh6', 'kill w2'],
      ...['deliver w1 s0 write sh0', 'deliver w1 s1 write sh1', 'deliver w1 s2 write sh2'],
      ...['fail w1 s3 write sh3 sh4 sh5', 'fail w1 s4 write sh6', 'deliver w1 s0 write sh3'],
      ...['deliver w1 s1 write sh4', 'deliver w1 s2 write sh5', 'deliver w1 s0 write sh6'],
      // w3 builds on it, lands on s1 alone, and dies.
      ...[...maps('w3', 5), 'deliver w3 s1 write sh1 sh4', 'kill w3'],
      ...['drop w3 s0 write sh0 sh3 sh6', 'drop w3 s2 write sh2 sh5'],
      ...['drop w3 s3 write sh3 sh4 sh5', 'drop w3 s4 write sh6'],
      // w4, without s0, can read that of w2 only; what w1 wrote is on s2, and below that of w3.
      ...['crash s0', ...maps('w4', 5)],
    ],
  },
  {
    name: 'one server confirms a version to a reader',
    edits: quorum(
      'if (clean >= meetingSize(view.quorum)) return true;',
      'if (clean > 0) return true;',
    ),
    breaks: 'X3',
    world: world([3, 1, 3, 2], overwrite('w1'), read('r1')),
    labels: [
      ...['crash s2', ...maps('w1'), 'deliver w1 s0 write sh0 sh2', 'deliver w1 s1 write sh1'],
      ...['restart s2', 'crash s0', 'crash s1', ...maps('r1')],
    ],
  },
  {
    name: 'a bad share is overwritten, though it says that it is newer',
    edits: quorum('return isMet && !claimsNewer(view, version, share.claim);', 'return isMet;'),
    breaks: 'X3',
    world: world([3, 1, 3, 2], overwrite('w1'), overwrite('w2'), read('r1')),
    labels: [
      // w1 has won two servers when w2 builds on it, wins s0 and s1, and is acknowledged.
      ...[...maps('w1'), 'deliver w1 s1 write sh1', 'deliver w1 s2 write sh2'],
      ...[...maps('w2'), 'deliver w2 s0 write sh0', 'deliver w2 s1 write sh1'],
      ...['fail w2 s2 write sh2', 'deliver w2 s0 write sh2'],
      // What w1 finds on s0 cannot be verified any more.
      ...['rot s0 sh0 signature', 'rot s0 sh2 signature', 'deliver w1 s0 write sh0'],
      // What is bad is read twice: it may have been replaced under the reader.
      ...['deliver w1 s0 read sh0 head', 'deliver w1 s0 read sh2 head'],
      ...['deliver w1 s0 read sh0 head', 'deliver w1 s0 read sh2 head'],
      ...['deliver w1 s0 write sh0', 'deliver w1 s0 write sh0 sh2'],
      ...['crash s1', ...maps('r1')],
    ],
  },
  {
    name: 'a request tests the share that it writes alone, so that a re-read is no snapshot',
    edits: [
      {
        file: 'src/runtime/publish-version.ts',
        from: 'shares: new Map(shares),',
        to: 'shares: new Map(shares.filter(([shnum]) => shnums.includes(shnum))),',
      },
    ],
    breaks: 'M2',
    world: {
      ...world([3, 2, 3, 2], overwrite('w1'), overwrite('w2')),
      servers: [{ shares: [1] }, { shares: [0] }, { shares: [2] }],
    },
    labels: [
      // w2 does not see the share on s1, and writes beside the two that it sees.
      ...[...maps('w1'), 'deliver w1 s1 write sh0', 'crash s1', ...maps('w2'), 'restart s1'],
      // The answer to w1 is lost. It asks what s0 holds, hears of share 1, and goes on to read it.
      ...['duplicate w1 s0 write sh1', 'reset w1 s0 write sh1', 'deliver w1 s0 list'],
      // w2 wins s0 by share 0; then the write of w1 lands, and share 1 is all that w1 looks at.
      ...['deliver w2 s0 write sh0', 'deliver w2 s2 write sh1'],
      ...['deliver w1 s0 write sh1 #2', 'deliver w1 s0 read sh1 head'],
    ],
  },
];

test.each(mistakes)('$name: $breaks', async ({ edits, breaks, world, labels }) => {
  const broken = async (wrong: readonly Edit[]) => {
    const { violations } = await (await simulationWith(wrong)).runLabels(world, labels);
    return violations.map(({ id }) => id);
  };
  expect({ without: await broken(edits), with: await broken([]) }).toEqual({
    without: expect.arrayContaining([breaks]),
    with: [],
  });
});
