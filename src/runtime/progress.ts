/**
 * @module progress: how far an operation is, told from what its charts emit.
 */
import type { AnyActorRef } from 'xstate';
import type { WriteSettled } from '../../machines/events.ts';
import { publishSummary } from '../../machines/publish.machine.ts';
import type { VersionUnconfirmed } from '../../machines/read-file.machine.ts';
import type { AttemptCollided } from '../../machines/write-file.machine.ts';
import { nameOf } from '../version-name.ts';
import type { OperationOptions } from './options.ts';

type Tell = NonNullable<OperationOptions['onProgress']>;

/** A listener for the actors of an operation, which calls `tell` with how far it is. */
export function progressOf(tell: Tell | undefined, servers: number) {
  if (tell === undefined) return undefined;
  return (actor: AnyActorRef): void => {
    watchers[actor.id]?.(actor, tell, servers);
  };
}

/** By the id of an actor. */
const watchers: Readonly<
  Record<string, (actor: AnyActorRef, tell: Tell, servers: number) => void>
> = {
  servermapUpdate: (actor, tell, total) => {
    let done = 0;
    actor.on('server.settled', () => tell({ phase: 'mapping', done: ++done, total }));
  },
  publish: (actor, tell) => {
    let done = 0;
    actor.on('write.settled', (event) => {
      const { status } = (event as WriteSettled).report;
      if (status !== 'accepted') return;
      const { total, writes } = publishSummary(actor.getSnapshot().context);
      const placed = Object.entries(writes).filter(([, status]) => status === 'accepted');
      const written = new Set(placed.map(([place]) => place.split(':')[1])).size;
      // A second copy of a share is no progress.
      if (written <= done) return;
      done = written;
      tell({ phase: 'writing', done, total });
    });
  },
  writeFile: (actor, tell) => {
    actor.on('attempt.collided', (event) => {
      const { attempt, attemptsMax: total, waitMs, standoff } = event as AttemptCollided;
      const wait = { phase: 'waiting', done: attempt + 1, total, waitMs } as const;
      if (standoff === null) return tell(wait);
      const { rivals, silent } = standoff;
      tell({ ...wait, standoff: { rivals: rivals.map(nameOf), silent } });
    });
  },
  readFile: (actor, tell) => {
    actor.on('version.unconfirmed', (event) => {
      const { seqnum, silent } = event as VersionUnconfirmed;
      tell({ phase: 'reading', done: 0, total: 1, unconfirmed: { seqnum, silent } });
    });
  },
};
