/**
 * @module session: runs a scene choice by choice and keeps what every choice brought.
 *
 * The only way back is to begin again: worlds are re-executed, never copied. What two runs have in
 * common at the beginning is executed once if the second only goes on.
 */
import { type Choice, World } from '../../../src/simulation/world.ts';
import { quoted } from '../model/quoted.ts';
import { Judge } from './judge.ts';
import type { Frame, OfferedChoice, Scene, SideFrame } from './protocol.ts';

interface Player {
  readonly world: World;
  readonly judge: Judge;
}

export class Session {
  readonly scene: Scene;
  readonly path: number[] = [];
  readonly frames: Frame[] = [];
  readonly #players: readonly Player[];

  private constructor(scene: Scene, players: readonly Player[]) {
    this.scene = scene;
    this.#players = players;
    this.frames.push(
      this.#frame(
        null,
        players.map(() => ({ start: 0, isSkipped: false })),
      ),
    );
  }

  /** The beginning of a scene. */
  static async begin(scene: Scene): Promise<Session> {
    const players: Player[] = [];
    for (const { options } of scene.sides) {
      const world = await World.create(options);
      players.push({ world, judge: new Judge(world) });
    }
    return new Session(scene, players);
  }

  /** `session` if it can go on to `path`, otherwise a new one that has. */
  static async at(
    session: Session | undefined,
    scene: Scene,
    path: readonly number[],
  ): Promise<Session> {
    const canGoOn =
      session !== undefined &&
      JSON.stringify(session.scene) === JSON.stringify(scene) &&
      session.path.length <= path.length &&
      session.path.every((index, i) => index === path[i]);
    const current = canGoOn ? session : await Session.begin(scene);
    for (const index of path.slice(current.path.length)) await current.choose(index);
    return current;
  }

  get choices(): readonly OfferedChoice[] {
    return (this.frames.at(-1) as Frame).choices;
  }

  /** @throws RangeError when there is no such choice */
  async choose(index: number): Promise<void> {
    const choice = this.choices[index];
    if (choice === undefined) throw new RangeError(`there is no choice ${index} at this point`);
    const starts: { start: number; isSkipped: boolean }[] = [];
    for (const [i, { world }] of this.#players.entries()) {
      const start = world.trace.length;
      const isSkipped = choice.sides[i] !== true;
      if (!isSkipped) await world.choose(choice.label);
      starts.push({ start, isSkipped });
    }
    this.path.push(index);
    this.frames.push(this.#frame(choice.label, starts));
  }

  /**
   * Makes choices by label.
   * @throws RangeError naming the first that is not there
   */
  async follow(labels: readonly string[]): Promise<void> {
    const stopped = await this.followFar(labels);
    if (stopped !== null) throw new RangeError(stopped);
  }

  /**
   * Makes choices by label, or by number as old links have them, as far as they are there.
   * @returns what is not there, in words; null when all of them were made
   */
  async followFar(steps: readonly (string | number)[]): Promise<string | null> {
    for (const step of steps) {
      const index =
        typeof step === 'number' ? step : this.choices.findIndex(({ label }) => label === step);
      if (this.choices[index] === undefined) {
        const name = typeof step === 'number' ? `Choice ${step}` : quoted(step);
        return `${name} is not possible at step ${this.path.length + 1}`;
      }
      await this.choose(index);
    }
    return null;
  }

  /** Makes those of the choices that are possible, in this order. */
  async tryAll(labels: readonly string[]): Promise<void> {
    for (const label of labels) {
      const index = this.choices.findIndex((choice) => choice.label === label);
      if (index >= 0) await this.choose(index);
    }
  }

  /** Goes on until nothing is left to happen: no faults, the oldest message first. */
  async finish(): Promise<void> {
    for (let step = 0; step < 2000; step++) {
      const index = this.#nextInOrder();
      if (index < 0) return;
      await this.choose(index);
    }
  }

  #nextInOrder(): number {
    const first = (kind: Choice['kind']) => this.choices.findIndex((c) => c.kind === kind);
    const isRunning = this.#players.some(({ world }) =>
      world.operations.some(({ status }) => status === 'running'),
    );
    if (first('deliver') >= 0) return first('deliver');
    if (first('start') >= 0 && !isRunning) return first('start');
    return isRunning ? first('advance') : -1;
  }

  #frame(label: string | null, news: readonly { start: number; isSkipped: boolean }[]): Frame {
    const step = this.path.length;
    const sides = this.#players.map(({ world, judge }, i): SideFrame => {
      const { start, isSkipped } = news[i] as { start: number; isSkipped: boolean };
      return {
        // A world counts its own choices only; what is seen side by side counts alike.
        records: world.trace.slice(start).map((record) => ({ ...record, step })),
        messages: world.messages.map(plainMessage),
        servers: world.servers,
        operations: world.operations,
        verdicts: judge.judge(step),
        isSkipped,
      };
    });
    return { label, choices: this.#offer(), sides };
  }

  /** The choices of the first world, then those that only the second has. */
  #offer(): readonly OfferedChoice[] {
    const lists = this.#players.map(({ world }) => world.choices);
    const labels = lists.map((list) => new Set(list.map(({ label }) => label)));
    const all = new Map<string, Choice>();
    for (const choice of lists.flat()) if (!all.has(choice.label)) all.set(choice.label, choice);
    return [...all.values()].map((choice) => ({
      ...choice,
      sides: labels.map((set) => set.has(choice.label)),
    }));
  }
}

type PlainMessage = SideFrame['messages'][number];

/** Without the functions of an envelope. */
function plainMessage(message: PlainMessage): PlainMessage {
  const { id, operation, server, call, shnum, what, label, phase } = message;
  const { isAbandoned, isDelayed, write, bytes, canTear } = message;
  const state = { phase, isAbandoned, isDelayed, write, bytes, canTear };
  return { id, operation, server, call, shnum, what, label, ...state };
}
