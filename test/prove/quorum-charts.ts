/**
 * @module quorum-charts: the charts of a publish and of its writes do what their kernel does.
 *
 * Random courses, as they are walked for the kernels, with a live `publish` actor beside every
 * writer: real children, real mailboxes, and IO that answers what the servers of the course do.
 * After every step the books of both must be equal, and the charts' children be the requests that
 * are under way.
 */
import { isDeepStrictEqual } from 'node:util';
import { type AnyActorRef, createActor, SimulatedClock } from 'xstate';
import type {
  ClaimInput,
  ClaimResult,
  PrepareInput,
  PrepareResult,
  RereadInput,
  RereadResult,
  WriteInput,
  WriteResult,
} from '../../machines/io.ts';
import { publishMachine } from '../../machines/publish.machine.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { byHand, settle } from '../support/by-hand.ts';
import { deadlines } from '../support/facts.ts';
import type { QuorumCast } from './quorum-cast.ts';
import { modelOf, type QuorumModel } from './quorum-model.ts';
import { landed, none } from './quorum-parts.ts';
import { Course } from './quorum-walk.ts';
import { QuorumWorlds, type World } from './quorum-world.ts';

export interface ChartFindings {
  /** Answers, and requests that were given up. */
  readonly events: number;
  readonly ended: number;
}

const chart = publishMachine.provide({
  actors: {
    prepareShares: byHand<PrepareResult, PrepareInput>() as never,
    shareWrite: shareWriteMachine.provide({
      actors: {
        writeShare: byHand<WriteResult, WriteInput>() as never,
        rereadShare: byHand<RereadResult, RereadInput>() as never,
        verifyClaim: byHand<ClaimResult, ClaimInput>() as never,
      },
    }),
  },
});

const sizes: readonly QuorumModel[] = [
  modelOf({ servers: 3, required: 1, size: 2, writers: 2, attempts: 2 }),
  modelOf({ servers: 4, required: 2, size: 3, writers: 2, attempts: 3 }),
  modelOf({ servers: 4, required: 2, size: 3, writers: 3, attempts: 2, total: 3 }, { rots: 1 }),
  modelOf({ servers: 5, required: 2, size: 4, writers: 3, attempts: 2, total: 7 }),
];

/** @throws Error naming the seed of a course in which a chart does something else */
export function chartsOfQuorum({ walks, seed }: { walks: number; seed: number }): ChartFindings {
  let events = 0;
  let ended = 0;
  for (let i = 0; i < walks; i++) {
    const worlds = new QuorumWorlds(sizes[i % sizes.length] as QuorumModel);
    const company = new Company(worlds);
    try {
      company.run(seed + i);
    } catch (cause) {
      throw new Error(`in the course of seed ${seed + i}`, { cause });
    }
    events += company.events;
    ended += company.ended;
  }
  return { events, ended };
}

/** The live publishes of one course. */
class Company {
  readonly #worlds: QuorumWorlds;
  readonly #cast: QuorumCast;
  /** Of each writer that is writing. */
  readonly #actors = new Map<number, AnyActorRef>();
  /** What a server held when a request of a writer landed there. */
  readonly #held = new Map<string, number>();
  events = 0;
  ended = 0;

  constructor(worlds: QuorumWorlds) {
    this.#worlds = worlds;
    this.#cast = worlds.cast;
  }

  run(seed: number): void {
    const course = new Course(this.#worlds, new Prng(seed));
    course.run((before, taken) => {
      const { servers, writers } = this.#worlds.model;
      if (taken === null || taken.index >= writers) return;
      const { index, flight } = taken;
      const id = before[servers + index] as number;
      const next = course.world[servers + index] as number;
      const { phase } = this.#cast.known(id).writer;
      if (flight !== null) this.#follow(before, course.world, index, flight.at);
      else if (phase === 'writing') this.#actors.delete(index);
      else if (this.#cast.known(next).writer.phase === 'writing') this.#begin(index, id, next);
    });
  }

  #begin(index: number, id: number, next: number): void {
    const { required, total } = this.#worlds.model;
    const { writer } = this.#cast.known(id);
    const { base } = this.#cast.planned(id);
    const { mark } = this.#cast.known(next).writer;
    const actor = createActor(chart, {
      clock: new SimulatedClock(),
      input: {
        map: this.#cast.mapOf(writer.heard),
        base: base === none ? null : this.#cast.made(base).version,
        quorum: this.#cast.quorum,
        ...{ required, total, wholeShares: true, force: false, deadlines },
        recipe: { kind: 'whole', required, total, parts: [] },
      },
    });
    actor.start();
    settle(actor.getSnapshot().children.prepareShares, {
      ok: true,
      version: this.#cast.made(mark).version,
    });
    this.#actors.set(index, actor);
    this.#compare(index, next);
  }

  /** The request of `index` to `at` has come to what the step says. */
  #follow(before: World, after: World, index: number, at: number): void {
    const cast = this.#cast;
    const place = this.#worlds.model.servers + index;
    const id = before[place] as number;
    const next = after[place] as number;
    const found = cast.known(id).writer.pending[at] as number;
    const row = before[at] as number;
    const key = `${index} ${at}`;
    if (found === none && next === cast.pending(id, at, landed)) {
      this.#held.set(key, row);
      return;
    }
    this.events++;
    const seen = found >= 0 ? found : row;
    if (found === landed && next === cast.accepted(id, at)) {
      this.#answer(index, at, true, this.#held.get(key) as number);
    } else if (next === cast.surprised(id, at, seen)) {
      if (found === landed) this.#lose(index, at, row);
      else this.#answer(index, at, false, seen);
    } else {
      this.#lose(index, at, null);
    }
    this.#compare(index, next);
  }

  #child(index: number, at: number): AnyActorRef {
    const actor = this.#actors.get(index) as AnyActorRef;
    const children = Object.entries(actor.getSnapshot().children as Record<string, AnyActorRef>);
    const found = children.find(([id]) => id.startsWith(`write:s${at}:`));
    if (found === undefined) throw new Error(`no request to s${at} is under way`);
    return found[1];
  }

  #inner(child: AnyActorRef, id: string): AnyActorRef | undefined {
    return child.getSnapshot().children[id];
  }

  /** The server answers, at once or, if what it shows is enough, to a re-read. */
  #answer(index: number, at: number, wrote: boolean, row: number): void {
    const child = this.#child(index, at);
    const seen = this.#cast.seen(this.#cast.row(row));
    settle(this.#inner(child, 'writeShare'), { kind: 'answered', wrote, seen });
    this.#prove(child, row);
  }

  /** The answer is lost; a re-read shows `row`, or is lost as well. */
  #lose(index: number, at: number, row: number | null): void {
    const child = this.#child(index, at);
    const failure = { kind: 'unreachable', detail: `s${at}` } as const;
    settle(this.#inner(child, 'writeShare'), { kind: 'answerLost', failure });
    const seen = row === null ? [] : this.#cast.seen(this.#cast.row(row));
    const answer = row === null ? { ok: false, failure } : { ok: true, seen };
    settle(this.#inner(child, 'rereadShare'), answer);
    if (row !== null) this.#prove(child, row);
  }

  /** What another writer is said to have written is read, and judged. */
  #prove(child: AnyActorRef, row: number): void {
    const claim = this.#inner(child, 'verifyClaim');
    if (claim === undefined || claim.getSnapshot().status !== 'active') return;
    const judged = this.#cast.row(row).flatMap((mark, shnum) => {
      if (mark === none) return [];
      const { version } = this.#cast.made(mark);
      const isGood = !this.#cast.isRotten(mark);
      return [{ shnum, checkstring: version.checkstring, version: isGood ? version : null }];
    });
    settle(claim, { ok: true, seen: judged });
  }

  #compare(index: number, id: number): void {
    const actor = this.#actors.get(index) as AnyActorRef;
    const snapshot = actor.getSnapshot();
    const { writer, flights } = this.#cast.known(id);
    if (writer.phase !== 'writing') {
      if (snapshot.status !== 'done') throw new Error(`writer ${index}: the chart goes on`);
      this.#actors.delete(index);
      this.ended++;
      return;
    }
    const books = this.#cast.withoutPast(snapshot.context.record);
    if (!isDeepStrictEqual(plain(books), plain(writer.record))) {
      throw new Error(`writer ${index}: ${JSON.stringify([books, writer.record])}`);
    }
    const running = Object.entries(snapshot.children as Record<string, AnyActorRef>)
      .filter(([, child]) => child?.getSnapshot().status === 'active')
      .map(([name]) => name.split(':')[1])
      .sort();
    const expected = flights.map(({ at }) => `s${at}`).sort();
    if (!isDeepStrictEqual(running, expected)) throw new Error(`writer ${index}: ${running}`);
  }
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
