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
import type { Purpose, RetrieveReport } from '../../machines/retrieve-kernel.ts';
import type { MarkedSlot, ServerId, Servermap, Version } from '../../machines/servermap.ts';
import { readkeyOf } from '../caps.ts';
import { decodeSegment } from '../share/decode.ts';
import { windowSegmentsMax } from '../share/limits.ts';
import type { Entry } from '../share/reader.ts';
import { Stint } from '../turn.ts';
import { BlockChecks } from './block-checks.ts';
import { toFailure } from './failure.ts';
import { adviseCorrupt } from './map-servers.ts';
import { runMachine } from './run.ts';
import { excuseFor, headerOf, readerOf, type Session } from './session.ts';

/** Takes the plaintext of one segment; the next one comes when it is settled. */
export type SegmentSink = (segnum: number, plaintext: Uint8Array) => Promise<void>;

export interface RetrieveOptions {
  readonly map: Servermap;
  readonly version: Version;
  readonly firstSegment: number;
  /** One past the last segment wanted. */
  readonly endSegment: number;
  readonly signal?: AbortSignal | undefined;
  readonly onDelivered?: ((segments: number) => void) | undefined;
}

/** Bytes of plaintext per window: a few segments of a large file, many small ones. */
const windowBytes = 1 << 20;
/** What a short segment costs beside its bytes, to decode and hand over: some 20 µs. */
const workPerSegment = 8;

/** Reads segments in order into `sink`. */
export function retrieveSegments(
  session: Session,
  options: RetrieveOptions & { readonly sink: SegmentSink },
): Promise<RetrieveReport> {
  const { sink, version } = options;
  const header = headerOf(session, version);
  const readkey = readkeyOf(session.cap);
  return run(session, 'read', options, async (segnum, blocks) => {
    const ofShares = new Map([...blocks].map(([shnum, { block }]) => [shnum, block]));
    // The salt was admitted with every block of the segment: they are all the same.
    const salt = blocks.values().next().value?.salt;
    const { primitives } = session.engine;
    await sink(segnum, await decodeSegment(header, readkey, segnum, ofShares, salt, primitives));
  });
}

/** Checks every block of every share of `version`, and decodes nothing: needs no readkey. */
export function verifyShares(session: Session, options: RetrieveOptions): Promise<RetrieveReport> {
  return run(session, 'verify', options, async () => {});
}

async function run(
  session: Session,
  purpose: Purpose,
  options: RetrieveOptions,
  deliver: (segnum: number, blocks: ReadonlyMap<number, Entry>) => Promise<void>,
): Promise<RetrieveReport> {
  const { map, version, firstSegment, endSegment, signal, onDelivered } = options;
  const held = new Map<number, Map<number, Entry>>();
  const machine = retrieveMachine.provide({
    actors: {
      blockRead: blockReadMachine.provide({
        actors: { readBlocks: readBlocks(session, version, purpose, held) },
      }),
      decodeSegments: fromPromise<DecodeResult, DecodeInput>(async ({ input }) => {
        const end = input.firstSegment + input.segmentCount;
        const stint = new Stint();
        for (let segnum = input.firstSegment; segnum < end; segnum++) {
          await deliver(segnum, held.get(segnum) ?? new Map());
          held.delete(segnum);
          await stint.spend(workPerSegment);
        }
        return { ok: true };
      }),
    },
  });
  const fitting = Math.floor(windowBytes / Math.max(1, version.segmentSize));
  const window = Math.min(windowSegmentsMax, Math.max(1, fitting));
  return runMachine(session.engine, machine, {
    input: {
      purpose,
      map,
      version,
      firstSegment,
      endSegment,
      window,
      deadlines: session.engine.deadlines,
    },
    signal,
    onEmitted: ({ segmentsDelivered }) => onDelivered?.(segmentsDelivered),
  });
}

/** By segment and share number. */
type Held = Map<number, Map<number, Entry>>;

/** Reads and checks the blocks of one share for one window, and holds those that are for reading. */
function readBlocks(session: Session, version: Version, purpose: Purpose, held: Held) {
  const header = headerOf(session, version);
  const checks = new BlockChecks(header, purpose);
  return fromPromise<ReadBlocksResult, ReadBlocksInput>(async ({ input, signal }) => {
    const { shnum, firstSegment } = input;
    try {
      const reader = readerOf(session, input, signal, 'blocks');
      const entries = await checks.checkedEntries(reader, input);
      entries.forEach((entry, i) => {
        const ofSegment = held.get(firstSegment + i) ?? new Map<number, Entry>();
        held.set(firstSegment + i, ofSegment.set(shnum, entry));
      });
      return { ok: true };
    } catch (error) {
      return { ok: false, failure: await judgeFailure(session, input, error, signal) };
    }
  });
}

/** A share that was replaced since the map was made is not corrupt; a corrupt one is reported. */
async function judgeFailure(
  session: Session,
  slot: { server: ServerId; shnum: number },
  error: unknown,
  signal: AbortSignal,
): Promise<Failure> {
  const failure = toFailure(error);
  if (failure.kind !== 'corrupt') return failure;
  const excuse = await excuseFor(session, slot, signal);
  if (excuse !== undefined) return excuse;
  adviseCorrupt(session, slot, failure.detail);
  return failure;
}

/** The shares that a retrieve found corrupt, for the next map to know. */
export function corruptShares(report: RetrieveReport, version: Version): readonly MarkedSlot[] {
  return report.sources
    .filter(({ status }) => status === 'corrupt')
    .map(({ server, shnum, failure }) => ({
      server,
      shnum,
      reason: failure?.detail ?? 'corrupt',
      version: version.id,
    }));
}
