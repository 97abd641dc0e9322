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
import { cancelled, followerOf } from '../abort.ts';
import type { StorageServer } from '../storage/server.ts';
import { isReadableOtherwise } from './batched-reads.ts';
import { toFailure } from './failure.ts';
import type { Job } from './job.ts';
import type { Pace } from './pace.ts';
import { expectKey } from './private-key.ts';
import { expectHead, readAllShares, readRange, type Session, serverOf } from './session.ts';
import { benchOf } from './workbench.ts';

/** The actor of that name. */
export const queryServer = fromPromise<QueryResult, QueryInput>(
  async ({ input: { server, wantsPrivateKey }, signal, system }) => {
    const { desk, job } = benchOf(system);
    const { session } = desk;
    const pace = paceOf(session, server, job);
    try {
      const wanted = { pace, wantsPrivateKey, signal };
      const shnums = await sharesOn(session, serverOf(session, server), wanted);
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

interface Query {
  readonly pace: Pace;
  readonly wantsPrivateKey: boolean;
  readonly signal: AbortSignal;
}

async function sharesOn(
  session: Session,
  server: StorageServer,
  query: Query,
): Promise<readonly number[]> {
  const { pace, signal } = query;
  if (server.isFar !== true) return list(session, server, pace, signal);
  if (session.cap.kind !== 'write') return listAndGuess(session, server, pace, signal);
  try {
    return await readAll(session, server, query);
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

/** What a share of an SDMF file of 1 MiB, 3-of-10, takes, and more. */
const wholeShareMax = 2 ** 19;

/**
 * Whether a server is asked for all of its share. In SDMF the private key is behind the data, and
 * nobody knows where that ends; of a small file it is nothing more. The first one usually has one.
 */
function isKeyBearer(
  { cap, servers, usualTotal }: Session,
  { id }: StorageServer,
  { wantsPrivateKey }: Query,
): boolean {
  const [first] = servers.keys();
  return wantsPrivateKey && cap.format === 'sdmf' && id === first && servers.size >= usualTotal;
}

async function readAll(
  session: Session,
  server: StorageServer,
  query: Query,
): Promise<readonly number[]> {
  const { pace, signal } = query;
  const isBearer = isKeyBearer(session, server, query);
  const range = { offset: 0, length: isBearer ? wholeShareMax : session.headLength };
  const answer = pace.run(server.id, signal, async (hurried) => {
    const { reads } = await readAllShares(session, server, [range], hurried);
    return new Map([...reads].map(([shnum, [head]]) => [shnum, head as Uint8Array]));
  });
  if (isBearer) {
    const heads = answer.then((all) => all.values());
    expectKey(session, heads);
  }
  for (const [shnum, head] of await answer) {
    expectHead(session, { server: server.id, shnum }, Promise.resolve(head));
  }
  return [...(await answer).keys()];
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
    else guess.abort(cancelled);
    return shnums;
  } catch (error) {
    guess.abort(cancelled);
    throw error;
  }
}
