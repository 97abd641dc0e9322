/**
 * @module workbench: what one operation has in hand between the states of its chart.
 *
 * The charts decide by records that are JSON; the bytes are kept here. A chart says when they are
 * forgotten: `openSession` empties this, so that nothing that was read before another writer came
 * is used after.
 */
import { fromPromise } from 'xstate';
import type { OpenInput } from '../../machines/io.ts';
import type { ServerId } from '../../machines/servermap.ts';
import type { Plaintext } from '../share/plaintext.ts';
import type { Entry } from '../share/reader.ts';
import type { OldTree } from '../share/update-trees.ts';
import type { BlockChecks } from './block-checks.ts';
import { BlocksAhead } from './blocks-ahead.ts';
import { EarlyWrites } from './early-writes.ts';
import { InHand } from './in-hand.ts';
import { type Job, keeper } from './job.ts';
import { KeptBytes } from './kept-bytes.ts';
import type { Engine } from './run.ts';
import type { System } from './run-chart.ts';
import type { Sending } from './sending.ts';
import { readerOf, type Session } from './session.ts';
import { Thrown } from './thrown.ts';

/** What is forgotten with its session. */
export interface Desk {
  readonly session: Session;
  /** Checks the blocks of a version against its root. */
  readonly checks: Map<string, BlockChecks>;
  /** Blocks of the window under way, by segment and share number. */
  readonly blocks: Map<number, Map<number, Entry>>;
  readonly ahead: BlocksAhead;
  readonly kept: KeptBytes;
  /** Of MDMF segments that were decoded, if the job is to keep them. */
  readonly salts: Map<number, Uint8Array>;
  /** What is needed of the block hash trees of all shares of the base, if that is held. */
  trees: ReadonlyMap<number, OldTree>;
  /** What the modifier gave. */
  changed: Plaintext | undefined;
  /** The new version. */
  sending: Sending | undefined;
  readonly early: EarlyWrites;
}

export class Workbench {
  readonly engine: Engine;
  /** In permuted order. */
  readonly servers: readonly ServerId[];
  readonly thrown = new Thrown();
  job: Job = { taker: keeper };
  readonly #newSession: () => Session;
  #desk: Desk;
  #isUsed = false;

  constructor(newSession: () => Session) {
    this.#newSession = newSession;
    this.#desk = deskOf(newSession());
    const { engine, servers } = this.#desk.session;
    this.engine = engine;
    this.servers = [...servers.keys()];
  }

  get desk(): Desk {
    return this.#desk;
  }

  /** Begins an attempt. */
  open(): void {
    if (this.#isUsed) {
      this.close();
      this.#desk = deskOf(this.#newSession());
    }
    this.#isUsed = true;
  }

  /** Nothing that is still under way is wanted. */
  close(): void {
    this.#desk.ahead.dropAll();
    this.#desk.early.dropAll();
    this.#desk.sending?.end();
  }
}

const benches = new InHand<Workbench>();

/** What the run that an actor belongs to has in hand. */
export const benchOf = (system: System): Workbench => benches.of(system);

/** Runs a chart with a workbench in hand. */
export const runOn: (typeof benches)['run'] = (...run) => benches.run(...run);

/** The actor of that name. */
export const openSession = fromPromise<unknown, OpenInput>(async ({ input, system }) => {
  const bench = benchOf(system);
  bench.engine.progress?.opened(input.attempt);
  bench.open();
});

function deskOf(session: Session): Desk {
  return {
    session,
    checks: new Map(),
    blocks: new Map(),
    ahead: new BlocksAhead((place, signal) => readerOf(session, place, signal, 'blocks')),
    kept: new KeptBytes(),
    salts: new Map(),
    trees: new Map(),
    changed: undefined,
    sending: undefined,
    early: new EarlyWrites(),
  };
}
