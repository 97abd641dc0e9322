/**
 * @module query-server: which shares a server holds; of a far one also how they begin.
 *
 * Across a network a round trip costs more than a few bytes. Whoever has the write cap asks for
 * everything at once, by a read-test-write that names no share: it writes nothing, renews no lease,
 * and what it reads is one snapshot of the server (docs/format.md §7.3). Whoever has not asks for
 * the list, and at the same time for the share that an undisturbed publish puts there: share i on
 * the i-th server of the permuted order.
 *
 * An update must not end between a server's word that it has shares and their verdicts: so they
 * are opened when they are judged, and not before the chart has been told.
 */
import { fromPromise } from 'xstate';
import type { QueryInput, QueryResult } from '../../machines/io.ts';
import type { ServerId } from '../../machines/servermap.ts';
import { followerOf } from '../abort.ts';
import type { StorageServer } from '../storage/server.ts';
import { isReadableOtherwise } from './batched-reads.ts';
import { toFailure } from './failure.ts';
import type { Job } from './job.ts';
import type { Pace } from './pace.ts';
import { expectHead, readAllShares, readRange, type Session, serverOf } from './session.ts';
import { benchOf } from './workbench.ts';

/** The actor of that name. */
export const queryServer = fromPromise<QueryResult, QueryInput>(
  async ({ input: { server }, signal, system }) => {
    const { desk, job } = benchOf(system);
    const { session } = desk;
    const pace = paceOf(session, server, job);
    try {
      const shnums = await sharesOn(session, serverOf(session, server), pace, signal);
      return { ok: true, shnums };
    } catch (error) {
      return { ok: false, failure: toFailure(error) };
    }
  },
);

/** Who asks a server again has found that the others do not suffice: all are needed from then on. */
export function paceOf(
  {
    asked,
    paces,
  }: Pick<Session, 'asked'> & { paces: Pick<Session['paces'], 'query' | 'queryAll'> },
  server: ServerId,
  { wantsAll }: Job,
): Pace {
  const isAgain = asked.has(server);
  asked.add(server);
  return wantsAll === true || isAgain ? paces.queryAll : paces.query;
}

async function sharesOn(
  session: Session,
  server: StorageServer,
  pace: Pace,
  signal: AbortSignal,
): Promise<readonly number[]> {
  if (server.isFar !== true) return list(session, server, pace, signal);
  if (session.cap.kind !== 'write') return listAndGuess(session, server, pace, signal);
  try {
    return await readAll(session, server, pace, signal);
  } catch (error) {
    if (isReadableOtherwise(error)) return list(session, server, pace, signal);
    throw error;
  }
}

function list(session: Session, server: StorageServer, pace: Pace, signal: AbortSignal) {
  return pace.run(server.id, signal, (hurried) =>
    server.listShares(session.storageIndex, { signal: hurried }),
  );
}

async function readAll(
  session: Session,
  server: StorageServer,
  pace: Pace,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const range = { offset: 0, length: session.headLength };
  const { reads } = await pace.run(server.id, signal, (hurried) =>
    readAllShares(session, server, [range], hurried),
  );
  for (const [shnum, [head]] of reads) {
    expectHead(session, { server: server.id, shnum }, Promise.resolve(head as Uint8Array));
  }
  return [...reads.keys()];
}

async function listAndGuess(
  session: Session,
  server: StorageServer,
  pace: Pace,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const place = { server: server.id, shnum: [...session.servers.keys()].indexOf(server.id) };
  if (place.shnum >= session.usualTotal) return list(session, server, pace, signal);
  const { controller: guess, letGo } = followerOf(signal);
  const range = { offset: 0, length: session.headLength };
  const head = readRange(session, place, range, guess.signal);
  // A guess that was wrong is nobody's failure.
  head.finally(letGo).catch(() => {});
  try {
    const shnums = await list(session, server, pace, signal);
    if (shnums.includes(place.shnum)) expectHead(session, place, head);
    else guess.abort();
    return shnums;
  } catch (error) {
    guess.abort();
    throw error;
  }
}
