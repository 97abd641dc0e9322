/**
 * @module verify-immutable: the charts of looking at an immutable file, with their IO: what servers
 * say that they hold, and every byte of it.
 */
import { fromPromise } from 'xstate';
import { blockReadMachine } from '../../machines/block-read.machine.ts';
import { shareJudged } from '../../machines/events.ts';
import { type DecodeInput, type DecodeResult, failed } from '../../machines/io.ts';
import { retrieveMachine } from '../../machines/retrieve.machine.ts';
import type { Servermap } from '../../machines/servermap.ts';
import type { servermapUpdateMachine } from '../../machines/servermap-update.machine.ts';
import { verifyImmutableMachine } from '../../machines/verify-immutable.machine.ts';
import type { ImmutableFinding } from '../../machines/verify-immutable-kernel.ts';
import { BadCiphertextHashError } from '../errors.ts';
import { Stint } from '../turn.ts';
import { claimed, findingShares, gridOf, readBlocks, verifyShares } from './download.ts';
import { type Download, downloads } from './download-session.ts';
import { toFailure } from './failure.ts';
import { keeper } from './job.ts';
import { judging } from './map-servers.ts';
import type { OperationOptions } from './options.ts';
import { verifyImmutableOutcome } from './outcome.ts';
import { entriesOf } from './retrieve-segments.ts';

/** Which shares servers say that they hold; nothing is read of any. */
export async function mapClaims(
  download: Download,
  { signal }: OperationOptions,
): Promise<Servermap> {
  download.job = { taker: keeper, wantsAll: true };
  claims ??= findingShares(verifyClaims);
  return downloads.run(download, claims, {
    input: { mode: 'check', ...gridOf(download), wantsPrivateKey: false },
    signal,
  });
}

/** Looks at every byte of every share. */
export async function verifyImmutable(
  download: Download,
  { signal }: OperationOptions,
): Promise<ImmutableFinding> {
  download.job = { taker: keeper, wantsAll: true };
  const { required, total, size } = download.cap;
  // Its shares, and then what they hold.
  const ofShares = Math.ceil(size / required) * total;
  download.engine.progress?.plan(1, { read: ofShares + size });
  chart ??= verifying();
  const { deadlines, ...grid } = gridOf(download);
  try {
    const report = await downloads.run(download, chart, {
      input: { grid, deadlines },
      signal,
    });
    return verifyImmutableOutcome(report, download.thrown);
  } finally {
    download.ahead.dropAll();
  }
}

const verifyClaims = judging((system) => {
  const download = downloads.of(system);
  return async ({ shnum }) => {
    const { verdict, version } = claimed(download, shnum);
    return shareJudged(shnum, verdict, { version });
  };
});

/** Blocks have been looked at, and that is all. */
const decodeNothing = fromPromise<DecodeResult, DecodeInput>(async ({ system }) => {
  downloads.of(system).checksFor('verify').crypttext.forget();
  return { ok: true };
});

const encodeSegments = fromPromise<DecodeResult, DecodeInput>(async ({ input, system }) => {
  const download = downloads.of(system);
  const { rebuilt, blocks, ahead, engine } = download;
  const { crypttext } = download.checksFor('read');
  const { firstSegment, segmentCount, shnums, range, version } = input;
  const stint = new Stint();
  try {
    for (let segnum = firstSegment; segnum < firstSegment + segmentCount; segnum++) {
      const entries = [...entriesOf(blocks, segnum, shnums)];
      const ofShares = new Map(entries.map(([shnum, { block }]) => [shnum, block]));
      await rebuilt.add(segnum, ofShares, crypttext);
      blocks.delete(segnum);
      const start = segnum * version.segmentSize;
      engine.progress?.did('read', Math.min(range.to - start, version.segmentSize));
      await stint.spend(ofShares.size);
    }
  } catch (error) {
    if (error instanceof BadCiphertextHashError) return failed('corrupt', error.message);
    return { ok: false, failure: toFailure(error) };
  } finally {
    crypttext.forget();
  }
  ahead.release(input);
  return { ok: true };
});

/** Each made once, when it is first needed. */
let claims: typeof servermapUpdateMachine | undefined;
let chart: typeof verifyImmutableMachine | undefined;

function verifying(): typeof verifyImmutableMachine {
  const lookAt = blockReadMachine.provide({ actors: { readBlocks: readBlocks('verify') } });
  const read = blockReadMachine.provide({ actors: { readBlocks: readBlocks('read') } });
  const looking = { blockRead: lookAt, decodeSegments: decodeNothing };
  const encoding = { blockRead: read, decodeSegments: encodeSegments };
  return verifyImmutableMachine.provide({
    actors: {
      servermapUpdate: findingShares(verifyShares),
      retrieve: retrieveMachine.provide({ actors: looking }),
      encodeAll: retrieveMachine.provide({ actors: encoding }),
    },
  });
}
