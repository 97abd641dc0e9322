/**
 * A program of one's own on a simulated grid.
 */
import {
  type FaultKind,
  faultKinds,
  type Program,
  parseScenario,
  playScenario,
  properties,
  type RunOutcome,
  runLabels,
  shrink,
  simulate,
  toScenario,
  World,
  type WorldOptions,
} from 'tahoe-mutable/testing';

const publish: Program = async ({ file, options }) =>
  file.modify((old) => old.subarray(0, 1), options);

const world: WorldOptions = {
  servers: [{ shares: [0] }, { shares: [1] }, {}],
  operations: [{ name: 'app', task: { kind: 'call', run: publish } }],
  faults: faultKinds.filter((kind: FaultKind) => kind === 'crash'),
};

export async function found(seed: number, text: string): Promise<string> {
  const outcome: RunOutcome = await simulate(seed, { world });
  const [broken] = outcome.violations;
  const { trace, encoding } = await World.create(world);
  const { runs } = await playScenario(parseScenario('mine', text));
  const again = await runLabels(world, outcome.labels);
  console.log(runs.length, again.violations, encoding.required);
  if (broken === undefined) return properties.map(({ check }) => check({ trace }).kind).join();
  return toScenario(seed, broken.id, await shrink(outcome, broken.id));
}
