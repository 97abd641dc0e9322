/**
 * @module story: what `demo` plays: one update under two rules, then a real file.
 *
 * Ticket #2034 (docs/servermap-update.md#the-two-rules-that-tahoe-had): a server counted as one
 * that has shares as soon as it had answered. When k servers without shares had answered too, the
 * map was done, and a share still being verified was dropped. The update that followed had no
 * writer for it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { updateMachineFor } from '../../../machines/historic-rules.ts';
import type { Rule } from '../../../machines/rules.ts';
import { type ServerId, type Servermap, sharesOf } from '../../../machines/servermap.ts';
import { utf8 } from '../../bytes.ts';
import { createGridFolder } from '../../description/grid-folder.ts';
import { Grid, type InternalGridOptions } from '../../grid.ts';
import type { MutableFile } from '../../mutable-file.ts';
import { openGrid } from '../../node.ts';
import { type Beat, type Cue, Stage } from './stage.ts';

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
  const place = join(folder, 'grid');
  const encoding = { required: 3, happy: 7, total: 10 };
  await createGridFolder(place, { servers: serverCount, encoding });
  const contents = new Uint8Array(randomBytes(fileSize));
  const grid = await openGrid(place);
  const creating = stopwatch();
  const { writeCap } = await grid.create({ contents, signal });
  const timings = [{ what: 'create, with a new RSA key', ms: creating() }];
  const scene = await sceneOf(grid, writeCap, contents);
  const runs = { old: {} as Run, ours: {} as Run };
  for (const [name, rule] of [
    ['old', 'ticket'],
    ['ours', 'ours'],
  ] as const) {
    const copy = join(folder, name);
    await cp(place, copy, { recursive: true });
    runs[name] = await playRace(copy, scene, rule, signal);
  }
  const file = await playFile(grid.open(writeCap), contents, signal);
  const slow = { nickname: scene.nicknames.get(scene.slow) ?? scene.slow, shnum: slowShare };
  return {
    fileSize,
    editSize: edit.bytes.length,
    slow,
    runs,
    timings: [...timings, ...file.timings],
    sha256: file.sha256,
    claims: claimsOf(runs.old, runs.ours, file),
  };
}

/** What both runs begin with. */
interface Scene {
  readonly writeCap: string;
  readonly contents: Uint8Array;
  /** In permuted order, as the map walks them. */
  readonly servers: readonly ServerId[];
  readonly nicknames: ReadonlyMap<ServerId, string>;
  readonly holdings: ReadonlyMap<ServerId, number>;
  readonly slow: ServerId;
  readonly cues: readonly Cue[];
}

async function sceneOf(grid: Grid, writeCap: string, contents: Uint8Array): Promise<Scene> {
  const map = await grid.open(writeCap).servermap();
  const servers = map.servers.map(({ id }) => id);
  const holdings = new Map(map.slots.map(({ server, shnum }) => [server, shnum]));
  const slow = servers.find((id) => holdings.get(id) === slowShare) as ServerId;
  return {
    writeCap,
    contents,
    servers,
    nicknames: new Map(grid.servers.map(({ id, nickname }) => [id, nickname])),
    holdings,
    slow,
    cues: [
      ...servers.filter((id) => !holdings.has(id)).map(queryOf),
      ...servers
        .filter((id) => holdings.has(id) && id !== slow)
        .flatMap((id) => [queryOf(id), verificationOf(id)]),
      queryOf(slow),
      verificationOf(slow),
    ],
  };
}

function queryOf(server: ServerId): Cue {
  return { server, what: 'query' };
}

function verificationOf(server: ServerId): Cue {
  return { server, what: 'verification' };
}

async function playRace(
  place: string,
  scene: Scene,
  rule: Rule,
  signal: AbortSignal,
): Promise<Run> {
  const { writeCap, contents, servers, nicknames, holdings } = scene;
  const { servers: plain, encoding } = await openGrid(place);
  const stage = new Stage();
  const { inspect } = stage;
  const staged = plain.map((server) => stage.wrap(server));
  const machines = { servermapUpdate: updateMachineFor(rule) };
  const options: InternalGridOptions = { servers: staged, encoding, headLength, inspect, machines };
  const file = new Grid(options).open(writeCap);
  const update = file.update(edit.bytes, edit.offset, { signal });
  const beats = await stage.play(scene.cues, update);
  const { inPlace, seqnum } = await update;
  const map = stage.map as Servermap;
  const mapped = new Map(map.slots.map(({ server, shnum }) => [server, shnum]));
  const after = await aftermath(new Grid({ servers: plain, encoding }).open(writeCap), seqnum);
  return {
    rule,
    beats,
    servers: servers.map((id) => ({
      nickname: nicknames.get(id) ?? id,
      holds: holdings.get(id) ?? null,
      mapped: mapped.get(id) ?? null,
    })),
    sharesMapped: new Set(mapped.values()).size,
    inPlace,
    bytesSent: stage.bytesSent,
    newVersion: { seqnum, shares: after.shares },
    leftBehind: after.stale.map(({ server, shnum }) => ({
      nickname: nicknames.get(server) ?? server,
      shnum,
    })),
    readsBack: sha256(after.contents) === sha256(edited(contents, edit.bytes, edit.offset)),
  };
}

/** What is on the grid after an update, as somebody finds who asks every server. */
async function aftermath(file: MutableFile, seqnum: number) {
  const map = await file.servermap({ mode: 'check' });
  const version = Object.values(map.versions).find((v) => v.seqnum === seqnum);
  const isNew = ({ verdict }: Servermap['slots'][number]) =>
    verdict.kind === 'good' && verdict.version === version?.id;
  return {
    shares: version === undefined ? 0 : sharesOf(map, version.id).size,
    stale: map.slots.filter((slot) => !isNew(slot)),
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
