/**
 * @module workbench: what one operation has in hand between the states of its chart.
 *
 * The charts decide by records that are JSON; the bytes are kept here. A chart says when they are
 * forgotten: `openSession` empties this, so that nothing that was read before another writer came
 * is used after.
 */
import { fromPromise } from 'xstate';
import type { OpenInput } from '../../machines/io.ts';
import type { Hex, ServerId } from '../../machines/servermap.ts';
import type { Plaintext } from '../share/plaintext.ts';
import type { Entry } from '../share/reader.ts';
import type { OldTree } from '../share/update-trees.ts';
import type { BlockChecks } from './block-checks.ts';
import { BlocksAhead } from './blocks-ahead.ts';
import { KeptBytes } from './kept-bytes.ts';
import type { Engine } from './run.ts';
import type { Sending } from './sending.ts';
import type { Session } from './session.ts';
import { Thrown } from './thrown.ts';

/** What is forgotten with its session. */
export interface Desk {
  readonly session: Session;
  /** Checks the blocks of a version against its root. */
  readonly checks: Map<Hex, BlockChecks>;
  /** Blocks of the window under way, by segment and share number. */
  readonly blocks: Map<number, Map<number, Entry>>;
  readonly ahead: BlocksAhead;
  readonly kept: KeptBytes;
  /** What is needed of the block hash trees of all shares of the base, if that is held. */
  trees: ReadonlyMap<number, OldTree>;
  /** What the modifier gave. */
  changed: Plaintext | undefined;
  /** The new version, once it is encoded. */
  sending: Sending | undefined;
}

export class Workbench {
  readonly engine: Engine;
  /** In permuted order. */
  readonly servers: readonly ServerId[];
  readonly thrown = new Thrown();
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

  /** The actor of that name. */
  openSession() {
    return fromPromise<unknown, OpenInput>(async () => {
      if (this.#isUsed) {
        this.close();
        this.#desk = deskOf(this.#newSession());
      }
      this.#isUsed = true;
    });
  }

  /** Nothing that is still under way is wanted. */
  close(): void {
    this.#desk.ahead.dropAll();
  }
}

function deskOf(session: Session): Desk {
  return {
    session,
    checks: new Map(),
    blocks: new Map(),
    ahead: new BlocksAhead(session),
    kept: new KeptBytes(),
    trees: new Map(),
    changed: undefined,
    sending: undefined,
  };
}
