/**
 * @module retrieve-segments: the IO of a retrieve: fetch blocks, check them, decode, deliver.
 */
import { fromPromise } from 'xstate';
import { blockReadMachine } from '../../machines/block-read.machine.ts';
import type {
  DecodeInput,
  DecodeResult,
  Failure,
  ReadBlocksInput,
  ReadBlocksResult,
} from '../../machines/io.ts';
import { retrieveMachine } from '../../machines/retrieve.machine.ts';
import type { Purpose } from '../../machines/retrieve-kernel.ts';
import type { Span } from '../../machines/rewrite.ts';
import type { Place } from '../../machines/servermap.ts';
import { unlessAborted } from '../abort.ts';
import { readkeyOf } from '../caps.ts';
import { decodeSegment } from '../share/decode.ts';
import { segmentLength } from '../share/geometry.ts';
import type { Entry } from '../share/reader.ts';
import { Stint } from '../turn.ts';
import { checksOf } from './block-checks.ts';
import { toFailure } from './failure.ts';
import { adviseCorrupt } from './map-servers.ts';
import type { OperationOptions } from './options.ts';
import { excuseFor, headerOf, readerOf, type Session } from './session.ts';
import type { Desk, Workbench } from './workbench.ts';

/** Who is given what is read. */
export interface Taker {
  /** Takes the bytes of `range` that begin at `at`; the next ones come when it is settled. */
  take(desk: Desk, range: Span, at: number, bytes: Uint8Array): unknown;
  /** Where it wants them to be before it takes them, if that matters to it. */
  roomFor?(desk: Desk, range: Span, at: number, length: number): Uint8Array | undefined;
}

/** Keeps what is read, in memory. */
export const keeper: Taker = {
  take: ({ kept }, range, at, bytes) => kept.add(range, at, bytes),
  roomFor: ({ kept }, range, at, length) => kept.roomFor(range, at, length),
};

/** What a short segment costs beside its bytes, to decode and hand over: some 20 µs. */
const workPerSegment = 8;

/** The chart with its IO: reads segments in order, and hands over what is wanted of them. */
export function retrieveOn(
  bench: Workbench,
  taker: Taker,
  onProgress: OperationOptions['onProgress'],
): typeof retrieveMachine {
  return retrieveMachine.provide({
    actors: {
      blockRead: blockReadMachine.provide({ actors: { readBlocks: readBlocks(bench, 'read') } }),
      decodeSegments: decodeSegments(bench, taker, onProgress),
    },
  });
}

/** The chart with its IO: looks at every block, and decodes nothing, which needs no readkey. */
export function verifyOn(bench: Workbench): typeof retrieveMachine {
  return retrieveMachine.provide({
    actors: {
      blockRead: blockReadMachine.provide({ actors: { readBlocks: readBlocks(bench, 'verify') } }),
      decodeSegments: fromPromise<DecodeResult, DecodeInput>(async () => ({ ok: true })),
    },
  });
}

function decodeSegments(
  bench: Workbench,
  taker: Taker,
  onProgress: OperationOptions['onProgress'],
) {
  return fromPromise<DecodeResult, DecodeInput>(async ({ input }) => {
    const { desk, thrown } = bench;
    const { version, range, firstSegment, segmentCount } = input;
    const total = range.to - range.from;
    const stint = new Stint();
    for (let segnum = firstSegment; segnum < firstSegment + segmentCount; segnum++) {
      const start = segnum * version.segmentSize;
      const at = Math.max(range.from, start);
      const length = segmentLength(headerOf(desk.session, version.id), segnum);
      const isWhole = at === start && start + length <= range.to;
      const room = isWhole ? taker.roomFor?.(desk, range, at, length) : undefined;
      const plaintext = await decoded(desk, segnum, input, room);
      desk.blocks.delete(segnum);
      const wanted = plaintext.subarray(at - start, range.to - start);
      try {
        await taker.take(desk, range, at, wanted);
      } catch (error) {
        return { ok: false, failure: thrown.failureOf(error) };
      }
      onProgress?.({ phase: 'reading', done: at + wanted.length - range.from, total });
      await stint.spend(workPerSegment);
    }
    return { ok: true };
  });
}

/** The plaintext of a segment of which the blocks are held. */
function decoded(
  { session, blocks }: Desk,
  segnum: number,
  { version, shnums }: DecodeInput,
  room: Uint8Array | undefined,
): Promise<Uint8Array> {
  const held = blocks.get(segnum);
  const entries = shnums.map((shnum) => [shnum, held?.get(shnum) as Entry] as const);
  const ofShares = new Map(entries.map(([shnum, { block }]) => [shnum, block]));
  // The salt was admitted with every block of the segment: they are all the same.
  const salt = entries[0]?.[1].salt;
  const header = headerOf(session, version.id);
  const { primitives } = session.engine;
  return decodeSegment(header, readkeyOf(session.cap), segnum, ofShares, salt, primitives, room);
}

/**
 * Reads and checks the blocks of one share for one window, and holds those that are for reading.
 */
function readBlocks(bench: Workbench, purpose: Purpose) {
  return fromPromise<ReadBlocksResult, ReadBlocksInput>(async ({ input, signal }) => {
    const { session, blocks, checks, ahead } = bench.desk;
    const { version, shnum, firstSegment } = input;
    const check = checksOf(checks, version.id, headerOf(session, version.id), purpose);
    const reader = readerOf(session, input, signal, 'blocks');
    const fetched = () =>
      purpose === 'read'
        ? unlessAborted(ahead.entries(input), signal)
        : reader.blocks(firstSegment, input.segmentCount);
    try {
      const entries = await check.checkedEntries(reader, input, fetched);
      entries.forEach((entry, i) => {
        const ofSegment = blocks.get(firstSegment + i) ?? new Map<number, Entry>();
        blocks.set(firstSegment + i, ofSegment.set(shnum, entry));
      });
      return { ok: true };
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
