/**
 * @module scenario-presets: a preset for every scenario file, made when the page is built: the file
 * is played, and the choices that it comes to are the preset's. Two runs on one grid, one of them
 * under an old rule, become two sides.
 */
import { loadOperations } from '../../src/runtime/late-operations.ts';
import { parseScenario, playRun, type Scenario } from '../../src/simulation/scenario.ts';
import type { WorldOptions } from '../../src/simulation/world.ts';
import type { Scene } from './engine/protocol.ts';
import type { End, Preset } from './presets.ts';

// The build closes what loads modules before it calls these functions.
await loadOperations();

interface PlayedRun {
  readonly title: string;
  readonly options: WorldOptions;
  readonly labels: readonly string[];
  readonly end: End;
}

/**
 * @param name of the file, without `.txt`
 * @throws ScenarioError
 */
export async function scenarioPresets(name: string, text: string): Promise<readonly Preset[]> {
  const scenario = parseScenario(name, text);
  const runs: PlayedRun[] = [];
  for (const run of scenario.runs) {
    const { world, watch } = await playRun(run);
    const violated = watch.violations.map(({ id }) => id).sort();
    const operations = world.operations.map(({ spec, status, result }) =>
      result === undefined || result.ok ? `${spec.name} ${status}` : `${spec.name} ${result.error}`,
    );
    const end = { violated, operations };
    runs.push({ title: run.title, options: run.options, labels: world.labels, end });
  }
  return presetsOf(scenario, runs);
}

function presetsOf(scenario: Scenario, runs: readonly PlayedRun[]): readonly Preset[] {
  const [one, other] = runs;
  const about = aboutOf(scenario);
  if (runs.length === 2 && one && other && isOneSchedule(one, other)) {
    const sides = [one, other].map(({ title, options }, i) => {
      return { title, short: i === 0 ? 'old' : 'ours', options };
    });
    const { title } = scenario;
    const id = `scenario-${scenario.name}`;
    const { labels } = one;
    const ends = [one.end, other.end];
    return [{ id, title, about, scene: { sides }, labels, rest: other.labels, ends }];
  }
  return runs.map(({ title, options, labels, end }, i) => {
    const scene: Scene = { sides: [{ title: title || 'This engine', short: 'holds', options }] };
    const id = `scenario-${scenario.name}${i === 0 ? '' : `-${i + 1}`}`;
    const full = title === '' ? scenario.title : `${scenario.title} (${title})`;
    return { id, title: full, about, scene, labels, ends: [end] };
  });
}

/** The same grid and operations but for the rule, the old one first. */
function isOneSchedule(one: PlayedRun, other: PlayedRun): boolean {
  const bare = ({ options }: PlayedRun) =>
    JSON.stringify({
      ...options,
      operations: options.operations.map(({ rule: _, ...spec }) => spec),
    });
  const isOld = ({ options }: PlayedRun) =>
    options.operations.some(({ rule = 'ours' }) => rule !== 'ours');
  return bare(one) === bare(other) && isOld(one) && !isOld(other);
}

const aboutMax = 320;

/** The first paragraph of the prose. */
function aboutOf({ prose, title }: Scenario): string {
  const paragraph = (prose[1] ?? title).replaceAll('\n', ' ').trim();
  if (paragraph.length <= aboutMax) return paragraph;
  return `${paragraph.slice(0, paragraph.lastIndexOf(' ', aboutMax))} …`;
}
