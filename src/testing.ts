/**
 * @module tahoe-mutable/testing: a simulated grid for programs that embed this library, and for whoever
 * wants to test these protocols.
 *
 * A {@link World} is a grid on which nothing happens but what is chosen: each delivery, each fault, each
 * tick of the clock. The charts, the shares and the signatures are the real ones. {@link simulate} lets
 * a seed choose, {@link shrink} makes a failing run short, {@link parseScenario} and {@link playScenario}
 * play a schedule that stands in a file, and {@link properties} say what must hold of any run.
 *
 * ```ts
 * import { type Program, simulate, type WorldOptions } from 'tahoe-mutable/testing';
 *
 * const publish: Program = ({ file, options }) => file.modify(() => 'a post', options);
 * const world: WorldOptions = {
 *   servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}],
 *   operations: [{ name: 'app', task: { kind: 'call', run: publish } }],
 *   faults: ['crash', 'restart'],
 * };
 * const { violations, labels } = await simulate(7, { world });
 * ```
 */
export type { Rule } from '../machines/rules.ts';
export type { Chart, ChartState, ChartTransition } from './inspector/chart.ts';
export type {
  AdviceRecord,
  GridRecord,
  HeaderRecord,
  MessageRecord,
  OperationRecord,
  PictureRecord,
  RunRecord,
  RunResult,
  Stamp,
} from './runtime/run-records.ts';
export { traceFormat } from './runtime/run-records.ts';
export type { ChartRecord, Json, TakenTransition } from './runtime/trace.ts';
export type { RotField } from './simulation/disk.ts';
export { type FaultKind, faultKinds, faults } from './simulation/faults.ts';
export type { Message } from './simulation/network.ts';
export type {
  OperationResult,
  OperationSpec,
  Program,
  ProgramClient,
  Task,
} from './simulation/operations.ts';
export {
  type Property,
  type PropertyVerdict,
  PropertyWatch,
  properties,
} from './simulation/properties.ts';
export { runToEnd } from './simulation/run-to-end.ts';
export {
  type Block,
  type Line,
  type Played,
  type PlayOptions,
  parseScenario,
  playRun,
  playScenario,
  type Scenario,
  ScenarioError,
  type ScenarioPart,
  type ScenarioRun,
} from './simulation/scenario.ts';
export { type Shrunk, shrink, toScenario } from './simulation/shrink.ts';
export {
  type RunOutcome,
  runLabels,
  type SimulateSettings,
  simulate,
} from './simulation/simulate.ts';
export {
  type Choice,
  type OperationView,
  type ServerSpec,
  type ServerView,
  type ShareSpec,
  type TraceRecord,
  World,
  type WorldOptions,
  type WorldRecord,
} from './simulation/world.ts';
