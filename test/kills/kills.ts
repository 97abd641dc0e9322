/**
 * @module kills: writers killed in the middle of writes, and what they leave.
 *
 * A change is written and acknowledged; then a process begins the next one, and is killed at a
 * point of it that the seed chooses. Now every share must be whole, and the file must be the
 * acknowledged one or the next.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesToHex } from '../../src/bytes.ts';
import { type Format, storageIndexOf } from '../../src/caps.ts';
import type { Encoding } from '../../src/encoding.ts';
import { Grid } from '../../src/grid.ts';
import type { MutableFile } from '../../src/mutable-file.ts';
import { ShareReader } from '../../src/share/reader.ts';
import { FileSignatures } from '../../src/share/signatures.ts';
import { VersionVerifier } from '../../src/share/verify.ts';
import { Prng } from '../../src/simulation/prng.ts';
import type { DirectoryServer } from '../../src/storage/directory.ts';
import type { ByteRange } from '../../src/storage/server.ts';
import { directoryServers, tempFolder } from '../support/directory-grid.ts';
import { contentsOf, type Kind, numberOf } from './contents.mjs';
import { patient } from './patience.mjs';

const WORKER = join(import.meta.dirname, 'worker.mjs');

export interface KillOptions {
  readonly count: number;
  /** Chooses the points of death. */
  readonly seed: number;
  /** The absolute path of the built `src/`. */
  readonly built: string;
  readonly onKill?: () => void;
}

export interface KillReport {
  /** Writers that died of SIGKILL between the beginning of a write and its acknowledgement. */
  readonly kills: number;
  /** Per kind of write: how many kills found how many shares of the new version in their places. */
  readonly landed: Readonly<Record<string, readonly number[]>>;
  /** Kills that left a share which was not complete, outside of its place. */
  readonly leftovers: number;
  /** What was wrong, and how to see it again. None is right. */
  readonly problems: readonly string[];
}

/** One file on a grid of its own, to which one writer after the other writes. */
interface Lane {
  readonly name: string;
  readonly kind: Kind;
  readonly format: Format;
  readonly encoding: Encoding;
}

const few = { required: 2, happy: 4, total: 5 };
const lanes: readonly Lane[] = [
  { name: 'SDMF, replaced, 2 of 5', kind: 'whole', format: 'sdmf', encoding: few },
  { name: 'MDMF, replaced, 2 of 5', kind: 'whole', format: 'mdmf', encoding: few },
  { name: 'MDMF, in place, 2 of 5', kind: 'inPlace', format: 'mdmf', encoding: few },
  {
    name: 'SDMF, a line added, 3 of 10',
    kind: 'lines',
    format: 'sdmf',
    encoding: { required: 3, happy: 7, total: 10 },
  },
];

export async function runKills(options: KillOptions): Promise<KillReport> {
  const folder = await tempFolder();
  try {
    const reports = await Promise.all(
      lanes.map((lane, i) => {
        const count = Math.ceil((options.count - i) / lanes.length);
        return runLane(lane, join(folder.path, String(i)), { ...options, count }, i);
      }),
    );
    return {
      kills: reports.reduce((sum, { kills }) => sum + kills, 0),
      landed: Object.fromEntries(reports.map(({ landed }, i) => [lanes[i]?.name, landed])),
      leftovers: reports.reduce((sum, { leftovers }) => sum + leftovers, 0),
      problems: reports.flatMap(({ problems }) => problems),
    };
  } finally {
    await folder.remove();
  }
}

interface Place extends Lane {
  readonly servers: readonly DirectoryServer[];
  readonly file: MutableFile;
}

async function runLane(lane: Lane, folder: string, options: KillOptions, i: number) {
  const { kind, format, encoding } = lane;
  // Another stream for each lane, so that they do not wait for each other.
  const prng = new Prng(options.seed * lanes.length + i);
  await mkdir(folder);
  const servers = await directoryServers(folder, encoding.total);
  const grid = new Grid({ servers, encoding, ...patient });
  const file = await grid.create({ format, contents: contentsOf(kind, 0) });
  const place = { ...lane, servers, file };
  const whole = await countChanges(place, options.built);
  const landed = Array<number>(encoding.total + 1).fill(0);
  const problems: string[] = [];
  let leftovers = 0;
  for (let kill = 0; kill < options.count; kill++) {
    const point = pointOf(prng, whole);
    try {
      const found = await killOne(place, point, options.built);
      landed[found.landed] = (landed[found.landed] ?? 0) + 1;
      if (found.hasLeftovers) leftovers += 1;
    } catch (error) {
      problems.push(`${lane.name}, kill ${kill} at ${JSON.stringify(point)}: ${error}`);
    }
    options.onKill?.();
  }
  for (const problem of await problemsAfterwards(place, folder)) {
    problems.push(`${lane.name}: ${problem}`);
  }
  return { kills: landed.reduce((sum, n) => sum + n, 0), landed, leftovers, problems };
}

/** How many changes of the disk one write is. */
interface Changes {
  readonly change: number;
  readonly rename: number;
}

/** Half of them at any change of the disk, half at the moment when a share comes into its place. */
function pointOf(prng: Prng, whole: Changes) {
  const of = prng.pick(['change', 'rename'] as const);
  return { of, at: 1 + prng.below(whole[of]), when: prng.pick(['before', 'during', 'after']) };
}

async function killOne(place: Place, point: object, built: string) {
  const { kind, file } = place;
  const number = numberOf(kind, await file.read()) + 1;
  const { seqnum } = await file.overwrite(contentsOf(kind, number), { force: true });
  const { signal, output } = await runWorker(place, number + 1, point, built);
  if (signal !== 'SIGKILL') throw new Error(`the writer survived, having said ${output}`);
  if (output !== '') throw new Error(`the writer had said ${output} when it was killed`);
  return inspect(place, { number, seqnum });
}

async function countChanges(place: Place, built: string): Promise<Changes> {
  return JSON.parse((await runWorker(place, 1, null, built)).output);
}

async function runWorker(place: Place, number: number, point: object | null, built: string) {
  const { servers, encoding, file, kind } = place;
  const described = servers.map(({ id, nickname, tubId, permutationSeed, directory }) => ({
    id,
    nickname,
    directory,
    tubId: bytesToHex(tubId),
    permutationSeed: bytesToHex(permutationSeed),
  }));
  const json = JSON.stringify({
    servers: described,
    encoding,
    cap: file.writeCap,
    kind,
    number,
    point,
  });
  const child = spawn(process.execPath, [WORKER, built, json], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const [, signal] = await once(child, 'close');
  return { signal, output };
}

/** @throws when a share is not whole, or the file is neither the acknowledged one nor the next */
async function inspect(
  { servers, file, kind }: Place,
  acknowledged: { readonly number: number; readonly seqnum: number },
) {
  const storageIndex = storageIndexOf(file.cap);
  const seqnums: number[] = [];
  for (const server of servers) {
    for (const shnum of await server.listShares(storageIndex)) {
      const share = await server.readShare(storageIndex, shnum, { offset: 0, length: 200_000 });
      seqnums.push(await seqnumOfWhole(share, shnum, file.cap.fingerprint));
    }
  }
  const { number, seqnum } = acknowledged;
  const unknown = seqnums.filter((n) => n !== seqnum && n !== seqnum + 1);
  if (unknown.length > 0) {
    throw new Error(`after version ${seqnum} there are shares of ${unknown.join(', ')}`);
  }
  const contents = await file.read();
  const found = numberOf(kind, contents);
  if (found !== number && found !== number + 1) {
    throw new Error(`number ${number} was acknowledged, and ${found} is read`);
  }
  if (Buffer.compare(contents, contentsOf(kind, found)) !== 0) {
    throw new Error(`the contents of number ${found} are not as they were written`);
  }
  const landed = seqnums.filter((n) => n > seqnum).length;
  return { landed, hasLeftovers: await hasLeftovers(servers) };
}

/** Whether a writer died between the first byte of a share and its appearance. */
async function hasLeftovers(servers: readonly DirectoryServer[]): Promise<boolean> {
  const left = servers.map(({ directory }) =>
    readdir(join(directory, 'shares/incoming/tahoe-mutable')),
  );
  return (await Promise.all(left)).flat().length > 0;
}

/** Checks signature, hashes and every block of one share. @returns its sequence number */
async function seqnumOfWhole(share: Uint8Array, shnum: number, fingerprint: Uint8Array) {
  const cut = async ({ offset, length }: ByteRange) => share.subarray(offset, offset + length);
  const reader = new ShareReader(cut);
  const header = await reader.header();
  const key = await reader.verificationKey();
  await new FileSignatures(fingerprint).verify(header, key, await reader.signature());
  const verifier = new VersionVerifier(header);
  verifier.acceptTree(shnum, await reader.shareHashChain(), await reader.blockHashTree());
  for (const [i, { block, salt }] of (await reader.blocks(0, header.segmentCount)).entries()) {
    verifier.acceptBlock(shnum, i, block, salt);
  }
  if (share.length !== header.layout.end) throw new Error(`share ${shnum} has another length`);
  return header.seqnum;
}

/** Whoever comes next writes as if nothing had happened, and clears away what the dead left. */
async function problemsAfterwards({ kind, encoding, file }: Place, folder: string) {
  const servers = await directoryServers(folder, encoding.total);
  const next = new Grid({ servers, encoding, ...patient }).open(file.writeCap as string);
  await next.overwrite(contentsOf(kind, 0), { force: true });
  const { isHealthy } = await next.verify();
  return [
    ...(isHealthy ? [] : ['the next writer left the file unhealthy']),
    ...((await hasLeftovers(servers)) ? ['the next writer left temporary files of the dead'] : []),
  ];
}
