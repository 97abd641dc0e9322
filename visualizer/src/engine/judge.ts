/**
 * @module judge: the properties of a world after every choice, and where each was violated first.
 */
import type { TraceRecord, World } from '../../../src/simulation/world.ts';
import type { Verdict } from './protocol.ts';

export class Judge {
  readonly #world: World;
  #read = 0;
  #violation: Verdict['violation'] = null;

  constructor(world: World) {
    this.#world = world;
  }

  judge(step: number): readonly Verdict[] {
    for (const record of this.#world.trace.slice(this.#read)) {
      const detail = unfinished(record);
      if (detail !== null) this.#violation ??= { step, detail };
    }
    this.#read = this.#world.trace.length;
    const title = 'Done is never reached while a share is being verified';
    return [{ id: 'U1', title, violation: this.#violation }];
  }
}

function unfinished(record: TraceRecord): string | null {
  if (record.kind !== 'step' || record.chart !== 'servermapUpdate' || record.state !== 'done') {
    return null;
  }
  const { statuses } = record.context as { statuses: Record<string, string> };
  const open = Object.keys(statuses).filter((server) => statuses[server] === 'verifying');
  return open.length === 0 ? null : `done while shares of ${open.join(', ')} were being verified`;
}
