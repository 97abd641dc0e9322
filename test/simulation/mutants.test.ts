/**
 * Mistakes that were made before, in Tahoe or here, made again: a scenario must fail, by name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Edit, simulationWith } from '../support/mutants.ts';

interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The scenario that fails. */
  readonly scenario: string;
  /** Of each run that fails the first expectation that is not met: nothing else has gone wrong. */
  readonly unmet: readonly string[];
  /** A property that is violated; none where the operation only dies, or never ends. */
  readonly violates?: string;
}

const serverQuery = 'machines/server-query.machine.ts';
const allJudged = 'context.judged.length === context.shnums.length';
const queryDeadline = `      after: {
        queryDeadline: {
          target: 'failed',
          actions: {
            type: 'recordFailure',
            params: { kind: 'timeout', detail: 'no answer to the query' },
          },
        },
      },
`;
/** The update under another rule than the one that is asked for. */
const ruleOf = (rule: string): readonly Edit[] => [
  {
    file: 'machines/historic-rules.ts',
    from: "if (rule === 'ours') return servermapUpdateMachine;",
    to: `if (rule === 'ours') return updateMachineFor('${rule}');`,
  },
];
const ruleOf2015 = ruleOf('fix2015');
const staleBase: readonly Edit[] = [
  {
    file: 'machines/write-kernel.ts',
    from: 'return heard < quorum.size ? bestVersion(map) : chooseBase(map, quorum);',
    to: 'return Object.values(map.versions).sort((a, b) => a.seqnum - b.seqnum)[0];',
  },
];
const seenIsReplaceable: Edit = {
  file: 'machines/quorum.ts',
  from: 'return isMet || isOutrun(view, candidate, other);',
  to: 'return true || isOutrun(view, candidate, other);',
};
const mapServers = 'src/runtime/map-servers.ts';
const privateKey = 'src/runtime/private-key.ts';

const notReread: Edit = {
  file: 'machines/publish-kernel.ts',
  from: "if (isReread || failure?.kind === 'contradictory') return true;",
  to: "if (failure?.kind === 'contradictory') return true;",
};

const mutants: readonly Mutant[] = [
  {
    name: "the ticket's rule",
    edits: ruleOf('ticket'),
    scenario: '2034',
    unmet: ['w1 map is done'],
    violates: 'U1',
  },
  {
    name: 'the rule of 2015',
    edits: ruleOf2015,
    scenario: 'B1-right-of-the-boundary',
    unmet: ['w1 map is done'],
    violates: 'U1',
  },
  {
    name: 'the rule of 2015, before an update in place',
    edits: ruleOf2015,
    scenario: 'B4-in-place',
    unmet: ['w1 map is done'],
    violates: 'U1',
  },
  {
    name: 'first verified share',
    edits: [
      { file: serverQuery, from: allJudged, to: `${allJudged} || hasVerdict(context, 'good')` },
    ],
    scenario: 'C1-two-shares-on-a-server',
    unmet: ['w1 map is done'],
    violates: 'U6',
  },
  {
    name: 'list clobbering',
    edits: [
      {
        file: serverQuery,
        from: allJudged,
        to: 'context.judged.some(({ shnum }) => shnum === context.shnums.at(-1))',
      },
    ],
    scenario: 'C2-two-servers-are-enough',
    unmet: ['w1 map is done'],
    violates: 'U6',
  },
  {
    name: 'corrupt sibling',
    edits: [
      { file: serverQuery, from: allJudged, to: `${allJudged} || hasVerdict(context, 'bad')` },
    ],
    scenario: 'D1-corrupt-sibling',
    unmet: ['w1 map is done'],
    violates: 'U6',
  },
  {
    name: 'early private key retirement',
    edits: [
      {
        file: privateKey,
        from: '  } catch {\n    return false;\n  }',
        to: '  } catch (error) {\n    throw error;\n  }',
      },
      {
        file: serverQuery,
        from: allJudged,
        to: `${allJudged} || context.judged.some(({ verdict }) => verdict.kind === 'unverified')`,
      },
    ],
    scenario: 'D2-private-key-lost',
    unmet: ['w1 map is collecting.awaiting'],
    violates: 'U6',
  },
  {
    name: 'a bad share keeps the search open',
    edits: [
      {
        file: 'machines/rules.ts',
        from: "if (status === 'failed' || status === 'corrupt') return walk;",
        to: "if (status === 'failed') return walk;",
      },
    ],
    scenario: 'H-bad-share-does-not-block',
    unmet: ['w1 map is collecting.awaiting'],
    violates: 'U3',
  },
  {
    name: 'transport error as corruption',
    edits: [
      {
        file: mapServers,
        from: '    if (!isCorruption(error)) return shareJudged(shnum, unverified(error));\n',
        to: '',
      },
      {
        file: 'src/runtime/session.ts',
        from: '    return isCorruption(error) ? undefined : toFailure(error);',
        to: '    return undefined;',
      },
    ],
    scenario: 'I-connection-lost',
    unmet: [expect.stringMatching(/^sh0 is v2-/)],
    violates: 'U7',
  },
  {
    name: 'no deadline',
    edits: [
      { file: serverQuery, from: queryDeadline, to: '' },
      {
        file: 'src/runtime/pace.ts',
        from: 'if (patienceMs === undefined) return;',
        to: 'return;',
      },
    ],
    scenario: 'J-silent-server',
    unmet: ['w1 is running', 'c1 is running'],
  },
  {
    name: 'stale base in modify, and whatever was seen is overwritten',
    edits: [...staleBase, seenIsReplaceable],
    scenario: 'F1-lost-update',
    unmet: ['r1 is ok and saw v1+w1', 'r1 is ok and saw v1+w1'],
    violates: 'M2',
  },
  {
    name: 'stale base in modify, where nothing else is wrong, only gets nowhere',
    edits: staleBase,
    scenario: 'F1-lost-update',
    unmet: [expect.stringMatching(/^NewerVersionSeenError: version 2 was acknowledged before/)],
  },
  {
    name: 'an old map in modify, without a fault',
    edits: [
      {
        file: 'machines/write-kernel.ts',
        from: '...fresh, attempt: record.attempt + 1,',
        to: '...fresh, map: record.map, attempt: record.attempt + 1,',
      },
      // What can not be read would be passed over.
      {
        file: 'machines/write-kernel.ts',
        from: 'const isOther = ',
        to: 'const isOther = false && ',
      },
    ],
    scenario: 'F2-collision',
    unmet: ['NotEnoughSharesError: version 1 ran out of good shares: 0 left of the 2 it needs'],
  },
  {
    name: 'a rival is no reason to ask on, and what was not asked is confirmed',
    edits: [
      {
        file: 'machines/update-kernel.ts',
        from: 'return isSeen && view.isConfirmed && !view.isContested',
        to: 'return isSeen',
      },
      {
        file: 'machines/read-kernel.ts',
        from: 'return map !== null && confirmedIn(map, grid)?.id === id;',
        to: 'return map !== null || confirmedIn(map, grid)?.id === id;',
      },
      {
        file: 'machines/read-kernel.ts',
        from: "map.outcome === 'exhausted'",
        to: 'true',
      },
    ],
    scenario: 'R6-rival-out-of-sight',
    unmet: ['r1 is ok and saw w1'],
    violates: 'X4',
  },
  {
    name: 'a server that is read again tells whether a request has ever landed',
    edits: [notReread],
    scenario: 'N13-late-beside-a-reread',
    unmet: [],
    violates: 'X4',
  },
  {
    name: 'the same, where somebody has built on it',
    edits: [notReread],
    scenario: 'N14-built-on-before-a-reread',
    unmet: [],
    violates: 'X4',
  },
  {
    name: 'an overwrite may go over what was made of it',
    edits: [
      {
        file: 'machines/write-kernel.ts',
        from: '(!isAppend && version.id === base.id)',
        to: '!isAppend',
      },
    ],
    scenario: 'N15-overwrite-from-memory',
    unmet: [],
    violates: 'X4',
  },
  {
    name: 'success at k',
    edits: [
      {
        file: 'machines/write-kernel.ts',
        from: 'const quorum = quorumIn(record, map);\n  const goal',
        to: 'const quorum = { ...quorumIn(record, map), size: required };\n  const goal',
      },
    ],
    scenario: 'E1-partition',
    unmet: ['w1 is ok and saw nothing'],
    violates: 'Q5',
  },
  {
    name: 'a chart that leaves its kernel',
    edits: [
      {
        file: 'machines/servermap-update.machine.ts',
        from: "isOver: ({ context }) => decideOn(context.record).kind === 'done',",
        to: "isOver: ({ context: { record } }) => !record.statuses.includes('asked'),",
      },
    ],
    scenario: 'H7-late-answer',
    unmet: ['m1 is running'],
    violates: 'K1',
  },
];

describe('a mistake made again is noticed', () => {
  test.each(mutants)('$name: $scenario fails', async ({ edits, scenario, unmet, violates }) => {
    const { problems, violated } = await failureOf(await simulationWith(edits), scenario);
    expect(problems).toEqual(unmet);
    if (violates !== undefined) expect(violated).toContain(violates);
  });

  test('and without a mistake none of these scenarios fails', async () => {
    const simulation = await simulationWith([]);
    for (const scenario of new Set(mutants.map((mutant) => mutant.scenario))) {
      const failure = await failureOf(simulation, scenario);
      expect({ scenario, ...failure }).toEqual({ scenario, problems: [], violated: [] });
    }
  });

  test.each([
    ['is not there', 'no such words', '', 'has 0 times: no such words'],
    ['is there twice', 'import ', '', /has \d+ times: import $/],
    [
      'leaves no program',
      'export class Pace {',
      'export class Pace (',
      /^src\/runtime\/pace.ts is no program: /,
    ],
  ])('an edit that %s is an error', async (_, from, to, problem) => {
    const edits = [{ file: 'src/runtime/pace.ts', from, to }];
    await expect(simulationWith(edits)).rejects.toThrowError(problem);
  });
});

/** What is wrong with the runs of a scenario that are about this engine. */
async function failureOf(
  { parseScenario, playRun }: Awaited<ReturnType<typeof simulationWith>>,
  name: string,
) {
  const path = join(import.meta.dirname, '../scenarios', `${name}.txt`);
  const { runs } = parseScenario(name, readFileSync(path, 'utf8'));
  const own = runs.filter(({ options }) => options.operations.every(({ rule }) => !rule));
  if (own.length === 0) throw new Error(`${name} has no run of this engine`);
  const problems: string[] = [];
  const violated: string[] = [];
  for (const run of own) {
    await playRun(run).catch((error: Error) => {
      problems.push(error.message.replace(/^line \d+: /, ''));
    });
    // Once more, to see what goes wrong behind the first unmet expectation.
    const { watch } = await playRun(run, { isLenient: true });
    violated.push(...watch.violations.map(({ id }) => id));
  }
  return { problems, violated };
}
