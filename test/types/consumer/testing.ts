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

export async function found(text: string): Promise<string> {
  const outcome: RunOutcome = await simulate(7, { world });
  const [broken] = outcome.violations;
  const { trace } = await World.open(world);
  const played = await playScenario(parseScenario('mine', text));
  console.log(played.length, await runLabels(world, outcome.labels));
  if (broken === undefined) return properties.map(({ id, check }) => id + check({ trace }).kind).join();
  return toScenario(await shrink(outcome.options, outcome.labels, broken.id));
}
