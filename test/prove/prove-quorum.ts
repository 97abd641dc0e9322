/**
 * @module prove-quorum: the part of the proof about several writers, printed as it is counted.
 */

import { type ChartFindings, chartsOfQuorum } from './quorum-charts.ts';
import { exploreQuorum, type QuorumFindings } from './quorum-explore.ts';
import { type Mistake, mistakes, showMistake } from './quorum-mistakes.ts';
import type { QuorumModel, Violation } from './quorum-model.ts';
import { type Planned, quorumFull, quorumPerCommit } from './quorum-plan.ts';
import { type WalkFindings, walkQuorum, walkSizes } from './quorum-walk.ts';
import { say, Table, withBar } from './show.ts';

const violationNames: Readonly<Record<Violation, string>> = {
  chain: 'two versions won W servers, and neither contains the other',
  lost: 'a base without what had been acknowledged before its writer began to look',
  hidden: 'a reader is given a version without what had been acknowledged before',
  unreadable: 'nothing can be read that contains what was acknowledged',
  needless: 'a repair writes over a good share, or a new version where only shares are missing',
};

function explored(model: QuorumModel, limit: number, seconds?: number): QuorumFindings {
  return withBar('writers', (onProgress) => exploreQuorum(model, { limit, seconds, onProgress }));
}

/** What a model leaves out, or adds. */
function detailOf({
  late,
  givesUp,
  ties,
  parents,
  repairs,
  readers,
  lost,
  stale,
  rots,
  losable,
  covers,
  defers,
  remembers,
}: QuorumModel): string {
  return [
    late && givesUp && ties === 'any' ? 'in full' : '',
    covers ? 'without what is covered' : '',
    !late && !givesUp && !covers ? `lean${ties === 'any' ? ', any ties' : ''}` : '',
    defers ? 'what matters is told' : '',
    parents === 'all' ? '' : `parents ${parents}`,
    repairs > 0 ? `${repairs} repairs` : '',
    readers > 0 ? `${readers} reader` : '',
    lost > 0 ? `${lost} share lost` : '',
    stale > 0 ? `${stale} stale` : '',
    rots > 0 ? `${rots} rots` : '',
    losable > 0 ? `${losable} disk lost` : '',
    remembers ? 'from memory' : '',
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function table(): Table {
  const columns: readonly (readonly [string, number])[] = [
    ['S k W', 5],
    ['N', 2],
    ['writers', 7],
    ['tries', 5],
    ['states', 10],
    ['transitions', 11],
    ['ended', 9],
    ['violations', 10],
    ['s', 5],
    ['', 1],
  ];
  return new Table(columns);
}

/** @returns whether nothing was broken */
export function proveQuorum(isFull: boolean): boolean {
  say('Several writers over a quorum of W of S servers, every interleaving, led by the shipped');
  say('kernels: maps server by server, lost and late messages, requests that land after their');
  say('attempt has ended, deaths anywhere, readers at any time. What is broken is a violation:');
  for (const name of Object.values(violationNames)) say(`- ${name}`);
  say();
  const rows = table();
  let isSafe = true;
  for (const plan of [...quorumPerCommit, ...(isFull ? quorumFull : [])]) {
    isSafe = showRow(rows, plan) && isSafe;
  }
  return isSafe;
}

function showRow(rows: Table, { model, limit }: Planned): boolean {
  const begun = performance.now();
  const { states, transitions, ended, violations } = explored(model, limit);
  const { servers, required, size, total, writers, attempts } = model;
  const seconds = Math.round((performance.now() - begun) / 1000);
  rows.row([
    ...[`${servers} ${required} ${size}`, total, writers, attempts, states, transitions, ended],
    ...[violations, seconds, detailOf(model)],
  ]);
  return violations === 0;
}

/** One size, as one JSON object or with a shortest trace of everything that was broken. */
export function showQuorum(
  model: QuorumModel,
  limit: number,
  secondsMax: number,
  isJson: boolean,
): boolean {
  const begun = performance.now();
  const findings = explored(model, limit, secondsMax);
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
  if (isJson) {
    say(JSON.stringify({ ...model, limit, ...findings, seconds }));
    return findings.violations === 0;
  }
  const { states, transitions, ended, violations } = findings;
  say(`${states} states, ${transitions} transitions (${ended}), ${violations} violations`);
  showTraces(findings);
  return violations === 0;
}

/** Random courses, of one model or of sizes that the seeds choose. */
export function showWalks(
  model: QuorumModel | undefined,
  walks: number,
  seed: number,
  isJson: boolean,
): boolean {
  const begun = performance.now();
  const findings = withBar('walks', (onProgress): WalkFindings => {
    const options = { walks, seed, onProgress };
    return model === undefined ? walkSizes(options) : walkQuorum(model, options);
  });
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
  if (isJson) {
    say(JSON.stringify({ ...model, seed, ...findings, seconds }));
    return findings.violations === 0;
  }
  const sizes = model === undefined ? 'S = 3 … 13, up to 4 x 4' : 'of this size';
  say(
    `${walks} walks from seed ${seed} on, ${sizes}: ${findings.states} steps, ` +
      `${findings.violations} violations, ${seconds} s`,
  );
  if (model === undefined) {
    for (const [servers, count] of Object.entries(findings.sizes)) {
      say(`  S = ${servers.padStart(2)}: ${count} walks`);
    }
  }
  showTraces(findings);
  return findings.violations === 0;
}

/** The charts, led through random courses beside the kernels. */
export function proveQuorumCharts(walks: number): ChartFindings {
  const found = chartsOfQuorum({ walks, seed: 0 });
  say(
    `The charts of a publish and of its writes, live, on ${walks} random courses: ` +
      `${found.events} events, ${found.ended} publishes to their ends, all as the kernel says.`,
  );
  return found;
}

export function listMistakes(): void {
  for (const { name } of mistakes) say(name);
}

/** @returns the mistake of that name; undefined: there is none */
export function mistakeOf(name: string): Mistake | undefined {
  return mistakes.find((mistake) => mistake.name === name);
}

/** @returns whether the mistake was found */
export async function proveMistake(mistake: Mistake, isJson: boolean): Promise<boolean> {
  const begun = performance.now();
  const findings = await showMistake(mistake);
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
  const { name, says } = mistake;
  if (isJson) {
    say(JSON.stringify({ mistake: name, says, ...mistake.size, ...findings, seconds }));
  } else {
    say(`${name} (${says}): ${findings.violations === 0 ? 'not found' : 'found'}`);
    showTraces(findings);
  }
  return findings.violations > 0;
}

/** @returns whether each was found */
export async function proveMistakes(): Promise<boolean> {
  say('Mistakes put back, each of which has to break something:');
  let areFound = true;
  for (const mistake of mistakes) {
    const { violations, states, traces } = await showMistake(mistake);
    const [kind, lines = []] = Object.entries(traces)[0] ?? [];
    const how = violations === 0 ? 'NOT FOUND' : `${kind} in ${lines.length} steps`;
    say(`  ${mistake.name.padEnd(18)} ${how}, ${states} states gone through: ${mistake.says}`);
    areFound &&= violations > 0;
  }
  return areFound;
}

function showTraces({ traces }: Pick<QuorumFindings, 'traces'>): void {
  for (const [violation, lines] of Object.entries(traces)) {
    say();
    say(`${violation}: ${violationNames[violation as Violation]}`);
    lines.forEach((line, i) => {
      say(`${String(i + 1).padStart(4)}. ${line}`);
    });
  }
  if (Object.keys(traces).length > 0) {
    say('      (o was there first; a, b wrote their first, A, B their second; a row per server)');
  }
}
