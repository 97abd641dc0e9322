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
const last: OperationSpec = { name: 'last', task: { kind: 'read' } };

/** S servers, with a share each as far as there are N, and k and W. */
const world = (
  [servers, required, total, happy]: readonly [number, number, number, number],
  ...writers: readonly OperationSpec[]
): WorldOptions => ({
  encoding: { required, happy, total },
  servers: oneEach(total, servers),
  operations: [...writers, last],
});

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
