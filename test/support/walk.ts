/**
 * @module walk: one chart, one step at a time, by pure transitions.
 *
 * Nothing is executed. What the chart *would* do becomes one log of lines, in order, and a test
 * asserts that log whole (magic-wormhole's event list). The steps go through `logic.transition`
 * with one scope for all of them: XState's public `transition()` builds an actor per call.
 */
import {
  type ActorScope,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type ContextFrom,
  createActor,
  type EventFromLogic,
  fromCallback,
  type InputFrom,
  type OutputFrom,
  type SnapshotFrom,
} from 'xstate';

/** A microstep of a chart; XState names the fields so. */
export interface Microstep {
  readonly type: '@xstate.microstep';
  readonly _transitions: readonly Taken[];
  /** After it; `_nodes` are the active states, those around them included. */
  readonly snapshot: {
    readonly machine: AnyStateMachine;
    readonly _nodes: readonly { readonly id: string }[];
  };
}

/** One transition definition, as far as it identifies itself. */
export interface Taken {
  readonly source: { readonly id: string };
  readonly eventType: string;
}

/** What a chart asks to be done. */
interface Effect {
  readonly type: string;
  readonly params: unknown;
}

/** An actor that swallows what it is sent: the parent of a child that is looked at alone. */
export function deafParent(): AnyActorRef {
  return deafActor('parent');
}

function deafActor(id: string): AnyActorRef {
  return createActor(
    fromCallback(() => {}),
    { id },
  );
}

/** A chart as a pure function of (snapshot, event). */
export interface PureChart<Machine extends AnyStateMachine> {
  initial(input: InputFrom<Machine>): SnapshotFrom<Machine>;
  next(snapshot: SnapshotFrom<Machine>, event: AnyEventObject): SnapshotFrom<Machine>;
  /** The effects of the last call. */
  effects(): readonly Effect[];
}

/** @param onMicrostep is told of every microstep of every call */
export function pureChart<Machine extends AnyStateMachine>(
  machine: Machine,
  onMicrostep?: (step: Microstep) => void,
): PureChart<Machine> {
  const self = deafActor(machine.id);
  if (onMicrostep !== undefined) {
    self.system.inspect((event) => {
      if (event.type === '@xstate.microstep') onMicrostep(event as unknown as Microstep);
    });
  }
  let effects: Effect[] = [];
  const scope = {
    self,
    defer: () => {},
    id: machine.id,
    logger: () => {},
    sessionId: 'walk',
    stopChild: () => {},
    system: self.system,
    emit: () => {},
    actionExecutor: (effect: Effect) => {
      effects.push(effect);
    },
  } as unknown as ActorScope<SnapshotFrom<Machine>, AnyEventObject>;
  return {
    initial(input) {
      effects = [];
      return machine.getInitialSnapshot(scope as never, input as never) as SnapshotFrom<Machine>;
    },
    next(snapshot, event) {
      effects = [];
      return machine.transition(snapshot, event, scope as never) as SnapshotFrom<Machine>;
    },
    effects: () => effects,
  };
}

/** A walk: where the chart is, and what its last step would have done. */
export interface Walk<Machine extends AnyStateMachine> {
  /** The state as a dotted path. */
  state(): string;
  context(): ContextFrom<Machine>;
  output(): OutputFrom<Machine>;
  snapshot(): SnapshotFrom<Machine>;
  /** The effects of the last step, one line each. */
  log(): readonly string[];
  /** Takes the step that `event` makes; returns the walk. */
  step(event: EventFromLogic<Machine> | AnyEventObject): Walk<Machine>;
}

export function walk<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
  onMicrostep?: (step: Microstep) => void,
): Walk<Machine> {
  const chart = pureChart(machine, onMicrostep);
  let snapshot = chart.initial(input);
  const current = () => snapshot as AnyMachineSnapshot;
  const steps: Walk<Machine> = {
    state: () => pathOf(current().value),
    context: () => current().context as ContextFrom<Machine>,
    output: () => current().output as OutputFrom<Machine>,
    snapshot: () => snapshot,
    log: () => chart.effects().map(lineOf),
    step(event) {
      snapshot = chart.next(snapshot, event);
      assertPlain(current().context);
      return steps;
    },
  };
  assertPlain(current().context);
  return steps;
}

/**
 * The value is JSON and nothing but JSON; a chart's `parent` is the one exception.
 * @throws TypeError naming the place that is not
 */
export function assertPlain(value: unknown, place = 'context'): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (typeof value !== 'object') throw new TypeError(`${place} is ${String(value)}`);
  const prototype = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    value.forEach((item, i) => {
      assertPlain(item, `${place}[${i}]`);
    });
    return;
  }
  if (prototype !== Object.prototype) throw new TypeError(`${place} is no plain object`);
  for (const [key, inner] of Object.entries(value)) {
    if (key !== 'parent') assertPlain(inner, `${place}.${key}`);
  }
}

/** `{ collecting: 'awaiting' }` as `collecting.awaiting`. */
export function pathOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as object)
    .map(([key, inner]) => `${key}.${pathOf(inner)}`)
    .join(' ');
}

/** What an invoked actor's answer looks like to the chart that invoked it. */
export function answered(actorId: string, output: unknown): AnyEventObject {
  return { type: `xstate.done.actor.${actorId}`, actorId, output };
}

/** What an invoked actor's rejection looks like to the chart that invoked it. */
export function rejected(actorId: string, error: unknown): AnyEventObject {
  return { type: `xstate.error.actor.${actorId}`, actorId, error };
}

/** What a delay that has passed looks like; `stateId` is the full id of the waiting state. */
export function passed(delay: string, stateId: string): AnyEventObject {
  return { type: `xstate.after.${delay}.${stateId}` };
}

/** Parents and deadlines are the same in every line: left out. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (key, inner) =>
    key === 'parent' || key === 'deadlines' ? undefined : inner,
  );
}

interface ParamsOf {
  'xstate.spawnChild': { id: string; input?: unknown };
  'xstate.stopChild': { id: string };
  'xstate.sendTo': { to: AnyActorRef; event: unknown };
  'xstate.emit': { event: unknown };
  'xstate.raise': { event: AnyEventObject; delay?: number };
  'xstate.cancel': { sendId: string };
}

function isOf<Type extends keyof ParamsOf>(
  effect: Effect,
  type: Type,
): effect is { type: Type; params: ParamsOf[Type] } {
  return effect.type === type;
}

function lineOf(effect: Effect): string {
  if (isOf(effect, 'xstate.spawnChild')) {
    return `start ${effect.params.id} ${textOf(effect.params.input ?? {})}`;
  }
  // A child that is stopped twice is gone the second time.
  if (isOf(effect, 'xstate.stopChild')) return `stop ${effect.params?.id ?? '(gone)'}`;
  if (isOf(effect, 'xstate.sendTo')) {
    return `send to ${effect.params.to.id} ${textOf(effect.params.event)}`;
  }
  if (isOf(effect, 'xstate.emit')) return `emit ${textOf(effect.params.event)}`;
  if (isOf(effect, 'xstate.raise')) {
    return `after ${effect.params.delay} ms ${delayOf(effect.params.event.type)}`;
  }
  if (isOf(effect, 'xstate.cancel')) return `cancel ${delayOf(effect.params.sendId)}`;
  return `${effect.type} ${textOf(effect.params ?? {})}`;
}

/** The delay's name within `xstate.after.<delay>.<state id>`. */
function delayOf(eventType: string): string {
  return eventType.split('.')[2] ?? eventType;
}
