/**
 * Mistakes that were made before, in Tahoe or here, made again: a scenario must fail, by name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Edit, simulationWith } from './support/mutants.ts';

interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** The scenario that fails. */
  readonly scenario: string;
  /** How: a property that is violated, or an expectation that is not met. */
  readonly fails: string | RegExp;
}

const serverQuery = 'machines/server-query.machine.ts';
const allJudged = 'context.judged.length === context.shnums.length';
const mapServers = 'src/runtime/map-servers.ts';
const publishKernel = 'machines/publish-kernel.ts';

const mutants: readonly Mutant[] = [
  {
    name: "the ticket's rule",
    edits: [{ file: mapServers, from: "rule = 'ours', signal", to: "rule = 'ticket', signal" }],
    scenario: '2034',
    fails: 'U1',
  },
  {
    name: 'the rule of 2015',
    edits: [{ file: mapServers, from: "rule = 'ours', signal", to: "rule = 'fix2015', signal" }],
    scenario: 'B1-right-of-the-boundary',
    fails: 'U1',
  },
  {
    name: 'first verified share',
    edits: [{ file: serverQuery, from: allJudged, to: 'context.judged.length > 0' }],
    scenario: 'C1-two-shares-on-a-server',
    fails: 'U6',
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
    fails: 'U6',
  },
  {
    name: 'corrupt sibling',
    edits: [
      { file: serverQuery, from: allJudged, to: `${allJudged} || hasVerdict(context, 'bad')` },
    ],
    scenario: 'D1-corrupt-sibling',
    fails: 'U6',
  },
  {
    name: 'early private key retirement',
    edits: [
      {
        file: mapServers,
        from: '  } catch {\n    return false;\n  }',
        to: '  } catch (error) {\n    throw error;\n  }',
      },
    ],
    scenario: 'D2-private-key-lost',
    fails: /NotEnoughServersError/,
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
    fails: 'U7',
  },
  {
    name: 'no deadline',
    edits: [
      {
        file: serverQuery,
        from: 'context.deadlines.queryMs',
        to: '1e12 * context.deadlines.queryMs',
      },
      { file: 'src/runtime/pace.ts', from: 'patienceMinMs = 1000', to: 'patienceMinMs = 1e12' },
    ],
    scenario: 'J-silent-server',
    fails: 'U9',
  },
  {
    name: 'stale base in modify',
    edits: [
      {
        file: 'src/runtime/modify-file.ts',
        from: 'current = { session, map, base };',
        to: 'current = { ...current, session, map, base };',
      },
      {
        file: 'src/runtime/modify-file.ts',
        from: 'const contents = await readVersion(',
        to: 'const contents = attempt().contents ?? await readVersion(',
      },
    ],
    scenario: 'F1-lost-update',
    fails: 'M1',
  },
  {
    name: 'success at k',
    edits: [
      {
        file: publishKernel,
        from: 'quorum: Math.min(happy, total, servers.length)',
        to: 'quorum: required',
      },
    ],
    scenario: 'E1-partition',
    fails: 'P5',
  },
  {
    name: 'a chart that leaves its kernel',
    edits: [
      {
        file: 'machines/servermap-update.machine.ts',
        from: "isOver: ({ context }) => decide(viewOf(context.record)).kind === 'done',",
        to: "isOver: ({ context: { record } }) => !record.statuses.includes('asked'),",
      },
    ],
    scenario: 'H7-late-answer',
    fails: 'K1',
  },
];

describe('a mistake made again is noticed', () => {
  test.each(mutants)('$name: $scenario fails', async ({ edits, scenario, fails }) => {
    const simulation = await simulationWith(edits);
    const found = await failureOf(simulation, scenario);
    if (typeof fails === 'string') expect(found.violated).toContain(fails);
    else expect(found.problem).toMatch(fails);
  });

  test('and without a mistake none of these scenarios fails', async () => {
    const simulation = await simulationWith([]);
    for (const { scenario } of mutants) {
      expect(await failureOf(simulation, scenario)).toEqual({ problem: undefined, violated: [] });
    }
  });
});

/** What is wrong with the last run of a scenario: the one about this engine. */
async function failureOf(
  { parseScenario, playRun }: Awaited<ReturnType<typeof simulationWith>>,
  name: string,
) {
  const path = join(import.meta.dirname, 'scenarios', `${name}.txt`);
  const { runs } = parseScenario(name, readFileSync(path, 'utf8'));
  const run = runs.at(-1);
  if (run === undefined) throw new Error(`${name} has no run`);
  const problem = await playRun(run).then(
    () => undefined,
    (error: Error) => error.message,
  );
  // Once more, to see what goes wrong behind the first unmet expectation.
  const { watch } = await playRun(run, { isLenient: true });
  return { problem, violated: watch.violations.map(({ id }) => id) };
}
