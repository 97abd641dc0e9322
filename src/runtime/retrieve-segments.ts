/**
 * @module retrieve-segments: the IO of a retrieve: fetch blocks, check them, decode, deliver.
 */

import { fromPromise } from 'xstate';
import { blockReadMachine } from '../../machines/block-read.machine.ts';
import {
  type DecodeInput,
  type DecodeResult,
  type Failure,
  failed,
  type ReadBlocksInput,
  type ReadBlocksResult,
  type Window,
} from '../../machines/io.ts';
import { retrieveMachine } from '../../machines/retrieve.machine.ts';
import type { Purpose } from '../../machines/retrieve-kernel.ts';
import type { Place } from '../../machines/servermap.ts';
import { unlessAborted } from '../abort.ts';
import type { Bytes } from '../bytes.ts';
import { readkeyOf } from '../caps.ts';
import { decodeSegment } from '../share/decode.ts';
import { blockLength, type Geometry, segmentLength } from '../share/geometry.ts';
import type { Entry } from '../share/reader.ts';
import { Stint } from '../turn.ts';
import { checksOf } from './block-checks.ts';
import { toFailure } from './failure.ts';
import type { Job } from './job.ts';
import { adviseCorrupt } from './map-servers.ts';
import { keyLackOf } from './private-key.ts';
import type { Engine } from './run.ts';
import { excuseFor, headerOf, readerOf, type Session } from './session.ts';
import { benchOf, type Desk, type Workbench } from './workbench.ts';

/** What a short segment costs beside its bytes, to decode and hand over: some 20 µs. */
const workPerSegment = 8;

/** The chart with its IO: reads segments in order, and hands over what is wanted of them. */
export function retrieving(): typeof retrieveMachine {
  const blockRead = blockReadMachine.provide({ actors: { readBlocks: readBlocks('read') } });
  return retrieveMachine.provide({ actors: { blockRead, decodeSegments } });
}

/** The chart with its IO: looks at every block, and decodes nothing, which needs no readkey. */
export function verifying(): typeof retrieveMachine {
  const blockRead = blockReadMachine.provide({ actors: { readBlocks: readBlocks('verify') } });
  const decodeNothing = fromPromise<DecodeResult, DecodeInput>(async () => ({ ok: true }));
  return retrieveMachine.provide({ actors: { blockRead, decodeSegments: decodeNothing } });
}

const decodeSegments = fromPromise<DecodeResult, DecodeInput>(async ({ input, system }) => {
  const { desk, job, thrown } = benchOf(system);
  const { kept, blocks, ahead, session } = desk;
  const geometry = headerOf(session, input.version.id);
  const { progress } = session.engine;
  const hand = { job, thrown, kept, blocks, ahead, geometry, progress };
  return decodeWindow(input, hand, (segnum, room) => decoded(desk, job, segnum, input, room));
});

/** What a run has in hand to decode a window. */
interface Decoding
  extends Pick<Workbench, 'job' | 'thrown'>,
    Pick<Engine, 'progress'>,
    Pick<Desk, 'kept' | 'blocks' | 'ahead'> {
  readonly geometry: Geometry;
}

/**
 * Decodes a window, segment by segment, and hands it over.
 * @param decode gives the plaintext of one whose blocks are held, in `room` if there is any
 */
export async function decodeWindow(
  input: DecodeInput,
  { job, thrown, kept, blocks, ahead, geometry, progress }: Decoding,
  decode: (segnum: number, room: Bytes | undefined) => Promise<Bytes>,
): Promise<DecodeResult> {
  const { taker } = job;
  const { version, range, firstSegment, segmentCount } = input;
  const stint = new Stint();
  for (let segnum = firstSegment; segnum < firstSegment + segmentCount; segnum++) {
    const start = segnum * version.segmentSize;
    const at = Math.max(range.from, start);
    const length = segmentLength(geometry, segnum);
    const isWhole = at === start && start + length <= range.to;
    const room = isWhole ? taker.roomFor?.(kept, range, at, length) : undefined;
    const plaintext = await decode(segnum, room);
    blocks.delete(segnum);
    const wanted = plaintext.subarray(at - start, range.to - start);
    try {
      await taker.take(kept, range, at, wanted, version);
    } catch (error) {
      return { ok: false, failure: thrown.failureOf(error) };
    }
    progress?.did('read', wanted.length);
    await stint.spend(workPerSegment);
  }
  ahead.release(input);
  return { ok: true };
}

/** The entries of a segment, of these shares, all of which are held. */
export function entriesOf(
  blocks: Desk['blocks'],
  segnum: number,
  shnums: readonly number[],
): ReadonlyMap<number, Entry> {
  const held = blocks.get(segnum);
  return new Map(shnums.map((shnum) => [shnum, held?.get(shnum) as Entry]));
}

/** Keeps entries that were checked. */
export function hold(
  blocks: Desk['blocks'],
  { shnum, firstSegment }: ReadBlocksInput,
  entries: readonly Entry[],
): void {
  entries.forEach((entry, i) => {
    const ofSegment = blocks.get(firstSegment + i) ?? new Map<number, Entry>();
    blocks.set(firstSegment + i, ofSegment.set(shnum, entry));
  });
}

/** Bytes of the blocks that a share has of a window; of an empty file it has none. */
export function bytesOfBlocks(geometry: Geometry, { firstSegment, segmentCount }: Window): number {
  const count = Math.min(segmentCount, geometry.segmentCount - firstSegment);
  const segnums = Array.from({ length: Math.max(0, count) }, (_, i) => firstSegment + i);
  return segnums.reduce((sum, segnum) => sum + blockLength(geometry, segnum), 0);
}

/** The plaintext of a segment of which the blocks are held. */
function decoded(
  { session, blocks, salts }: Desk,
  { keepsSalts = false }: Job,
  segnum: number,
  { version, shnums }: DecodeInput,
  room: Bytes | undefined,
): Promise<Bytes> {
  const entries = [...entriesOf(blocks, segnum, shnums)];
  const ofShares = new Map(entries.map(([shnum, { block }]) => [shnum, block]));
  // The salt was admitted with every block of the segment: they are all the same.
  const salt = entries[0]?.[1].salt;
  if (keepsSalts && salt !== undefined) salts.set(segnum, salt.slice());
  const header = headerOf(session, version.id);
  const { primitives } = session.engine;
  return decodeSegment(header, readkeyOf(session.cap), segnum, ofShares, salt, primitives, room);
}

/**
 * Reads and checks the blocks of one share for one window, and holds those that are for reading.
 */
function readBlocks(purpose: Purpose) {
  return fromPromise<ReadBlocksResult, ReadBlocksInput>(async ({ input, signal, system }) => {
    const { session, blocks, checks, ahead } = benchOf(system).desk;
    const { version, firstSegment } = input;
    const header = headerOf(session, version.id);
    const check = checksOf(checks, version.id, header, purpose);
    const reader = readerOf(session, input, signal, 'blocks');
    const fetched = () =>
      purpose === 'read'
        ? unlessAborted(ahead.entries(input), signal)
        : reader.blocks(firstSegment, input.segmentCount);
    try {
      const isEmpty = header.segmentCount === 0;
      const entries = isEmpty ? [] : await check.checkedEntries(reader, input, fetched);
      hold(blocks, input, entries);
      if (purpose === 'verify') session.engine.progress?.did('read', bytesOfBlocks(header, input));
      const looksAtKey = purpose === 'verify' && firstSegment === 0;
      const lack = looksAtKey ? await keyLackOf(session, reader) : undefined;
      if (lack === undefined) return { ok: true };
      // In SDMF it is behind the data, elsewhere in the share that has replaced this one.
      const excuse = await excuseFor(session, input, signal);
      if (excuse !== undefined) return { ok: false, failure: excuse };
      adviseCorrupt(session, input, lack);
      return failed('keyless', lack);
    } catch (error) {
      ahead.drop(input);
      return { ok: false, failure: await judgeFailure(session, input, error, signal) };
    }
  });
}

/** Reports a share that is corrupt; one that was replaced since the map was made is not. */
async function judgeFailure(
  session: Session,
  place: Place,
  error: unknown,
  signal: AbortSignal,
): Promise<Failure> {
  const failure = toFailure(error);
  if (failure.kind !== 'corrupt') return failure;
  const excuse = await excuseFor(session, place, signal);
  if (excuse !== undefined) return excuse;
  adviseCorrupt(session, place, failure.detail);
  return failure;
}
