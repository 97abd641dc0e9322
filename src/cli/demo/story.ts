/**
 * @module story: what `demo` plays: one update under two rules, then a real file.
 *
 * Ticket #2034 (docs/servermap-update.md#the-two-rules-that-tahoe-had): a server counted as one
 * that has shares as soon as it had answered. When k servers without shares had answered too, the
 * map was done, and a share still being verified was dropped. The update that followed had no
 * writer for it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rule } from '../../../machines/rules.ts';
import { type ServerId, type Servermap, sharesOf } from '../../../machines/servermap.ts';
import { utf8 } from '../../bytes.ts';
import { createGridFolder } from '../../description/grid-folder.ts';
import type { MutableFile } from '../../mutable-file.ts';
import { openGrid } from '../../open-grid.ts';
import type { WriteOutcome } from '../../runtime/outcome.ts';
import type { ProgramClient } from '../../simulation/operations.ts';
import { runToEnd } from '../../simulation/run-to-end.ts';
import { type Message, World } from '../../simulation/world.ts';

const serverCount = 13;
const fileSize = 1024 * 1024;
/** The share whose verification is slow. */
const slowShare = 4;
const edit = { offset: 500_000, bytes: utf8('#2034') };
/**
 * Bytes of a share that come with the answer to the query: just its header, so that its key and
 * signature take another round trip, as large shares make it in Tahoe.
 */
const headLength = 123;

const encoding = { required: 3, happy: 7, total: 10 };

/** What a server is let to answer: the query for its shares, or the reads that verify its share. */
interface Cue {
  readonly server: ServerId;
  readonly what: 'query' | 'verification';
}

/** A cue, and whether the map was over when the chart had dealt with it. */
interface Beat extends Cue {
  readonly mapIsOver: boolean;
  /** Whether the map was over before. */
  readonly isTooLate: boolean;
}

/** One server, as one run's map has it. */
export interface MappedServer {
  readonly nickname: string;
  /** What it really holds. */
  readonly holds: number | null;
  /** What the map says that it holds. */
  readonly mapped: number | null;
}

/** The update under one rule. */
export interface Run {
  readonly rule: Rule;
  readonly beats: readonly Beat[];
  readonly servers: readonly MappedServer[];
  readonly sharesMapped: number;
  readonly inPlace: boolean;
  readonly bytesSent: number;
  readonly newVersion: { readonly seqnum: number; readonly shares: number };
  /** Shares of an older version that the update left on the grid. */
  readonly leftBehind: readonly { readonly nickname: string; readonly shnum: number }[];
  readonly readsBack: boolean;
}

interface Timing {
  readonly what: string;
  readonly ms: number;
  readonly inPlace?: boolean;
}

interface Claim {
  readonly claim: string;
  readonly holds: boolean;
}

export interface Story {
  readonly fileSize: number;
  readonly editSize: number;
  readonly slow: { readonly nickname: string; readonly shnum: number };
  readonly runs: { readonly old: Run; readonly ours: Run };
  readonly timings: readonly Timing[];
  readonly sha256: string;
  readonly claims: readonly Claim[];
}

/** Plays it all in a temporary folder. @throws what no part of the story should throw */
export async function playStory(signal: AbortSignal): Promise<Story> {
  const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-demo-'));
  try {
    return await playIn(folder, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function playIn(folder: string, signal: AbortSignal): Promise<Story> {
  const contents = new Uint8Array(randomBytes(fileSize));
  const runs = {
    old: await playRace(contents, 'ticket', signal),
    ours: await playRace(contents, 'ours', signal),
  };
  const place = join(folder, 'grid');
  await createGridFolder(place, { servers: serverCount, encoding });
  const grid = await openGrid(place);
  const creating = stopwatch();
  const { writeCap } = await grid.create({ contents, signal });
  const timings = [{ what: 'create, with a new RSA key', ms: creating() }];
  const file = await playFile(grid.open(writeCap), contents, signal);
  return {
    fileSize,
    editSize: edit.bytes.length,
    slow: { nickname: nicknameOf(servers[slowShare] as ServerId), shnum: slowShare },
    runs,
    timings: [...timings, ...file.timings],
    sha256: file.sha256,
    claims: claimsOf(runs.old, runs.ours, file),
  };
}

/** In permuted order, as the map walks them; the first ten hold a share each, of their own number. */
const servers = Array.from({ length: serverCount }, (_, i): ServerId => `s${i}`);
const holders = servers.slice(0, encoding.total);

/** `s5` is the sixth. */
function nicknameOf(server: ServerId): string {
  return `s${String(servers.indexOf(server) + 1).padStart(2, '0')}`;
}

/** The slow server comes last. */
const cues: readonly Cue[] = [
  ...servers.slice(encoding.total).map((server): Cue => ({ server, what: 'query' })),
  ...[...holders.filter((_, shnum) => shnum !== slowShare), holders[slowShare] as ServerId].flatMap(
    (server): Cue[] => [
      { server, what: 'query' },
      { server, what: 'verification' },
    ],
  ),
];

/** The head is part of the answer to the query; everything else verifies. */
function isOf({ server, what }: Cue, message: Message): boolean {
  const isQuery = message.call === 'list' || message.what.endsWith(' head');
  return message.server === server && isQuery === (what === 'query');
}

async function playRace(contents: Uint8Array, rule: Rule, signal: AbortSignal): Promise<Run> {
  const ended: { outcome?: WriteOutcome } = {};
  const run = async ({ file, options }: ProgramClient) => {
    ended.outcome = await file.update(edit.bytes, edit.offset, options);
  };
  const world = await World.create({
    ...{ format: 'mdmf', encoding, headLength, contents: () => contents, faults: [] },
    servers: servers.map((_, i) => ({ shares: i < encoding.total ? [i] : [] })),
    operations: [{ name: 'w1', task: { kind: 'call', run }, rule }],
  });
  const mapOf = () =>
    world.trace.find((record) => record.kind === 'end' && record.chart === 'servermapUpdate');
  await world.choose('start w1');
  const beats: Beat[] = [];
  for (const cue of cues) {
    const isTooLate = mapOf() !== undefined;
    const next = () => world.messages.find((message) => isOf(cue, message));
    for (let m = next(); m !== undefined && mapOf() === undefined; m = next()) {
      signal.throwIfAborted();
      await world.choose(`deliver ${m.label}`);
    }
    beats.push({ ...cue, isTooLate, mapIsOver: mapOf() !== undefined });
  }
  const sent = new Map<string, number>();
  await runToEnd(world, ({ id, bytes }) => {
    signal.throwIfAborted();
    sent.set(id, bytes);
    return true;
  });
  if (ended.outcome === undefined) throw new Error(JSON.stringify(world.operations));
  const { inPlace, seqnum } = ended.outcome;
  const { output } = mapOf() as unknown as { output: Servermap };
  const mapped = new Map(output.holdings.map(({ server, shnum }) => [server, shnum]));
  const after = await aftermath(world.grid.open(world.cap), seqnum);
  return {
    rule,
    beats,
    servers: servers.map((id, i) => ({
      nickname: nicknameOf(id),
      holds: i < encoding.total ? i : null,
      mapped: mapped.get(id) ?? null,
    })),
    sharesMapped: new Set(mapped.values()).size,
    inPlace,
    bytesSent: [...sent.values()].reduce((sum, bytes) => sum + bytes, 0),
    newVersion: { seqnum, shares: after.shares },
    leftBehind: after.stale.map(({ server, shnum }) => ({ nickname: nicknameOf(server), shnum })),
    readsBack: sha256(after.contents) === sha256(edited(contents, edit.bytes, edit.offset)),
  };
}

/** What is on the grid after an update, as somebody finds who asks every server. */
async function aftermath(file: MutableFile, seqnum: number) {
  const map = await file.servermap({ mode: 'check' });
  const version = Object.values(map.versions).find((v) => v.seqnum === seqnum);
  const isNew = ({ verdict }: Servermap['holdings'][number]) =>
    verdict.kind === 'good' && verdict.version === version?.id;
  return {
    shares: version === undefined ? 0 : sharesOf(map, version.id).size,
    stale: map.holdings.filter((holding) => !isNew(holding)),
    contents: await file.read(),
  };
}

/** The last act: a file changes in place and is read back, with nobody in the way. */
async function playFile(file: MutableFile, contents: Uint8Array, signal: AbortSignal) {
  const patch = { offset: 400_000, bytes: new Uint8Array(randomBytes(200_000)) };
  const tail = new Uint8Array(randomBytes(100_000));
  const timings: Timing[] = [];
  const updating = stopwatch();
  const update = await file.update(patch.bytes, patch.offset, { signal });
  timings.push({
    what: 'update 200,000 bytes at 400,000',
    ms: updating(),
    inPlace: update.inPlace,
  });
  const appending = stopwatch();
  const append = await file.append(tail, { signal });
  timings.push({ what: 'append 100,000 bytes', ms: appending(), inPlace: append.inPlace });
  const reading = stopwatch();
  const found = await file.read({ signal });
  timings.push({ what: `read ${found.length.toLocaleString('en')} bytes`, ms: reading() });
  const wanted = edited(edited(contents, patch.bytes, patch.offset), tail, contents.length);
  return {
    timings,
    sha256: sha256(found),
    readsBack: sha256(found) === sha256(wanted),
    inPlace: update.inPlace && append.inPlace,
  };
}

/** What the story says, to be held against what happened. */
function claimsOf(
  old: Run,
  ours: Run,
  file: { readonly readsBack: boolean; readonly inPlace: boolean },
): readonly Claim[] {
  const answer = (run: Run) => run.beats.at(-2);
  const verification = (run: Run) => run.beats.at(-1);
  const claim = (text: string, holds: boolean | undefined) => ({
    claim: text,
    holds: holds === true,
  });
  return [
    claim('old rule: the map ends at the answer', answer(old)?.mapIsOver),
    claim('old rule: the verification comes too late', verification(old)?.isTooLate),
    claim('old rule: 9 of 10 shares are in the map', old.sharesMapped === 9),
    claim('old rule: no update in place', !old.inPlace),
    claim('this engine: the map waits at the answer', answer(ours)?.mapIsOver === false),
    claim('this engine: the map ends with the verification', verification(ours)?.mapIsOver),
    claim('this engine: 10 of 10 shares are in the map', ours.sharesMapped === 10),
    claim('this engine: the update is in place', ours.inPlace),
    claim('both grids end with 10 shares of the new version alone', isClean(old) && isClean(ours)),
    claim('both files read back as they should', old.readsBack && ours.readsBack),
    claim('in place, less than a quarter of the bytes is sent', ours.bytesSent * 4 < old.bytesSent),
    claim('the real file changed in place', file.inPlace),
    claim('the real file reads back as it should', file.readsBack),
  ];
}

function isClean({ newVersion, leftBehind }: Run): boolean {
  return newVersion.shares === 10 && leftBehind.length === 0;
}

function edited(contents: Uint8Array, bytes: Uint8Array, offset: number): Uint8Array {
  const out = new Uint8Array(Math.max(contents.length, offset + bytes.length));
  out.set(contents);
  out.set(bytes, offset);
  return out;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Milliseconds since the call. */
function stopwatch(): () => number {
  const start = performance.now();
  return () => Math.round(performance.now() - start);
}
