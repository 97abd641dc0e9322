/**
 * @module charts-alone: what the charts of a small write take by themselves: the shipped machines on 13
 * servers whose answers are there at once, and nothing behind them. No write can take less.
 */
import { type Actor, createActor, fromCallback, fromPromise, toPromise } from 'xstate';
import { type ShareJudged, shareJudged } from '../../machines/events.ts';
import type {
  OpenInput,
  PrepareInput,
  PrepareResult,
  QueryInput,
  QueryResult,
  VerifyInput,
  WriteInput,
  WriteResult,
} from '../../machines/io.ts';
import { publishMachine } from '../../machines/publish.machine.ts';
import { serverQueryMachine } from '../../machines/server-query.machine.ts';
import { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { shareWriteMachine } from '../../machines/share-write.machine.ts';
import { type WriteFileInput, writeFileMachine } from '../../machines/write-file.machine.ts';
import type { Change } from '../../machines/write-kernel.ts';
import { serversOf, versionOf } from '../../test/support/facts.ts';
import { cost, type Row } from '../figure.ts';
import { small } from '../sizes.ts';
import { spentBy } from '../usage.ts';

const [required, total] = [3, 10];
const servers = serversOf(13);
const { format } = small;
const made = { ...versionOf(1, 'a', { required, total }), format };
const next = { ...versionOf(2, 'b', { required, total, parent: made }), format };

const queryServer = fromPromise<QueryResult, QueryInput>(async ({ input: { server } }) => {
  const shnum = servers.indexOf(server);
  return { ok: true, shnums: shnum < total ? [shnum] : [] };
});
const verifyShares = fromCallback<ShareJudged, VerifyInput>(({ input: { shnums }, sendBack }) => {
  const good = { kind: 'good', version: made.id } as const;
  const judge = async (shnum: number) =>
    shareJudged(shnum, good, { version: made, privateKeyFound: true });
  for (const shnum of shnums) void judge(shnum).then(sendBack);
});
const prepareShares = fromPromise<PrepareResult, PrepareInput>(async ({ input: { base } }) => ({
  ok: true,
  version: base === null ? made : next,
}));
const writeShare = fromPromise<WriteResult, WriteInput>(async ({ input: { tests } }) => {
  const seen = tests.flatMap((test, shnum) =>
    test.kind === 'begins' ? [{ shnum, checkstring: test.head }] : [],
  );
  return { kind: 'answered', wrote: true, seen };
});
const openSession = fromPromise<unknown, OpenInput>(async () => {});

const serverQuery = serverQueryMachine.provide({ actors: { queryServer, verifyShares } });
const shareWrite = shareWriteMachine.provide({ actors: { writeShare } });
const servermapUpdate = servermapUpdateMachine.provide({ actors: { serverQuery } });
const publish = publishMachine.provide({ actors: { prepareShares, shareWrite } });
const writeFile = writeFileMachine.provide({ actors: { openSession, servermapUpdate, publish } });

const deadlines = { queryMs: 60_000, verifyMs: 60_000, readMs: 60_000, writeMs: 60_000 };
const changes: Readonly<Record<string, Change>> = {
  create: { kind: 'create', isNewKey: true },
  overwrite: { kind: 'overwrite', size: small.size },
};

function inputFor(change: Change): WriteFileInput {
  const membership = { servers: servers.length, happy: 7 };
  const task = { change, format, servers, required, total, membership, force: false };
  const hasPrivateKey = change.kind === 'create';
  return { task, hasPrivateKey, newest: null, backoffsMs: [], deadlines };
}

async function write(input: WriteFileInput): Promise<void> {
  const actor = createActor(writeFile, { input }) as Actor<typeof writeFile>;
  const ended = toPromise(actor);
  actor.start();
  const { kind } = await ended;
  if (kind !== 'published') throw new Error(`the charts ended as ${kind}`);
}

export async function chartsAlone(quick: boolean): Promise<readonly Row[]> {
  const times = quick ? 500 : 2000;
  const rows: Row[] = [];
  for (const [name, change] of Object.entries(changes)) {
    const input = inputFor(change);
    const often = async () => {
      for (let i = 0; i < times; i++) await write(input);
    };
    await often();
    const { cpuMs } = await spentBy(often);
    const naming = { unit: 'ms CPU', against: 'nothing' };
    rows.push(cost(`charts alone ${name} ${small.name}`, cpuMs / times, null, naming));
  }
  return rows;
}
