/**
 * @module stage: servers that answer a servermap update in the order of a script.
 *
 * Every answer is held back until its cue, and the next cue is given only when the chart has dealt
 * with the one before, as XState's inspection shows. So the order is enforced, not hoped for:
 * nothing here waits for time to pass. When the map is over, the servers answer at will.
 */
import type { InspectionEvent, Snapshot } from 'xstate';
import type { ServerAnswered, ServerSettled } from '../../../machines/events.ts';
import type { ServerId, Servermap } from '../../../machines/servermap.ts';
import type { ReadTestWriteRequest, StorageServer } from '../../storage/server.ts';

/** What a server is let to answer: the query for its shares, or the reads that verify its share. */
export interface Cue {
  readonly server: ServerId;
  readonly what: 'query' | 'verification';
}

/** A cue, and whether the map was over when the chart had dealt with it. */
export interface Beat extends Cue {
  readonly mapIsOver: boolean;
  /** Whether the map was over before. */
  readonly isTooLate: boolean;
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export class Stage {
  /** The map that the chart ended with. */
  map: Servermap | undefined;
  /** Bytes of shares that were sent to servers. */
  bytesSent = 0;
  readonly #gates = new Map<string, Gate>();
  #onDealtWith: (() => void) | undefined;

  /** `server`, under the script. */
  wrap(server: StorageServer): StorageServer {
    const turn = (what: Cue['what']) => this.#turn({ server: server.id, what });
    const { id, nickname, tubId, permutationSeed } = server;
    return {
      id,
      nickname,
      tubId,
      permutationSeed,
      listShares: async (...args) => {
        await turn('query');
        return server.listShares(...args);
      },
      readShare: async (storageIndex, shnum, range, options) => {
        // The head is part of the answer to the query; everything else verifies.
        await turn(range.offset === 0 ? 'query' : 'verification');
        return server.readShare(storageIndex, shnum, range, options);
      },
      readTestWrite: (storageIndex, request, options) => {
        this.bytesSent += sizeOf(request);
        return server.readTestWrite(storageIndex, request, options);
      },
      addLease: (...args) => server.addLease(...args),
      adviseCorruptShare: (...args) => server.adviseCorruptShare(...args),
    };
  }

  /** For `GridOptions.inspect`: sees every answer reach the chart, and the map that comes of it. */
  readonly inspect = (inspection: InspectionEvent): void => {
    if (inspection.type !== '@xstate.snapshot') return;
    const { actorRef, event, snapshot } = inspection;
    if ((actorRef as { id?: string }).id !== 'servermapUpdate') return;
    if (this.map !== undefined || !isAnswer(event)) return;
    const { status, output } = snapshot as Snapshot<Servermap>;
    if (status === 'done') this.map = output;
    this.#onDealtWith?.();
  };

  /** Gives the cues, while `operation` maps; then lets everything through. */
  async play(cues: readonly Cue[], operation: Promise<unknown>): Promise<readonly Beat[]> {
    const beats: Beat[] = [];
    for (const cue of cues) {
      const isTooLate = this.map !== undefined;
      if (!isTooLate) {
        const dealtWith = new Promise<void>((resolve) => {
          this.#onDealtWith = resolve;
        });
        this.#gateOf(cue).open();
        // An operation that fails would leave us waiting.
        await Promise.race([dealtWith, operation]);
      }
      beats.push({ ...cue, isTooLate, mapIsOver: this.map !== undefined });
    }
    for (const gate of this.#gates.values()) gate.open();
    return beats;
  }

  #turn(cue: Cue): Promise<void> {
    return this.map === undefined ? this.#gateOf(cue).opened : Promise.resolve();
  }

  #gateOf({ server, what }: Cue): Gate {
    const key = `${what} ${server}`;
    const gate = this.#gates.get(key) ?? newGate();
    this.#gates.set(key, gate);
    return gate;
  }
}

function newGate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

function isAnswer(event: { type: string }): event is ServerAnswered | ServerSettled {
  return event.type === 'server.answered' || event.type === 'server.settled';
}

function sizeOf({ shares }: ReadTestWriteRequest): number {
  return [...shares.values()]
    .flatMap(({ parts }) => parts)
    .reduce((sum, { length }) => sum + length, 0);
}
