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

/** An operation is started, and its map of three servers is made. */
const maps = (name: string) => [
  `start ${name}`,
  ...['s0', 's1', 's2'].map((server) => `deliver ${name} ${server} list`),
  ...['s0', 's1', 's2'].flatMap((server) =>
    [0, 1, 2].map((shnum) => `deliver ${name} ${server} read sh${shnum} head`),
  ),
];

const mistakes: readonly Mistake[] = [
  {
    name: 'B - 1 servers make older versions dead',
    edits: quorum('Math.min(servers - size + 1, size)', 'Math.min(servers - size, size)'),
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
      ...['advance', 'deliver w2 s2 list', 'deliver w2 s1 read sh1 head'],
      ...['deliver w1 s1 write sh0', 'deliver w3 s0 write sh3', 'deliver w3 s1 write sh0'],
      ...['deliver w3 s1 read sh0 head', 'deliver w3 s2 write sh0', 'deliver w3 s2 write sh2'],
      ...['deliver w1 s2 read sh0 head', 'deliver w1 s2 write sh0 sh2', 'deliver w1 s1 write sh1'],
      ...['deliver w1 s1 read sh0 head', 'deliver w1 s2 read sh2 head'],
    ],
  },
  {
    name: 'a bad share is overwritten, though it says that it is newer',
    edits: quorum(
      "if (share.kind === 'bad') return isMet && !claimsNewer(view, version, share.claim);",
      "if (share.kind === 'bad') return isMet;",
    ),
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
    breaks: 'X1',
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
