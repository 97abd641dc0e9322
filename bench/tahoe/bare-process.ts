/**
 * @module bare-process: the requests of an operation and nothing else, by `node:https`: bodies that are
 * made beforehand, answers that nobody looks at. On Node no client of these servers takes less.
 *
 *     node bare-process.js SERVERS    (JSON: `RealServer`s)
 *
 * It is sent orders as `client-process` is.
 */
import { Agent, request as httpsRequest } from 'node:https';
import { primitives } from '#crypto';
import { concatBytes, toBase32 } from '../../src/bytes.ts';
import { formatCap, storageIndexOf } from '../../src/caps.ts';
import { permutationSeedOf, permutedServers } from '../../src/permute.ts';
import { encodeReadTestWrite } from '../../src/storage/http-wire.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { ReadTestWriteRequest } from '../../src/storage/server.ts';
import type { RealServer } from '../../test/interop/real-grid.ts';
import { KiB } from '../sizes.ts';
import { cpuMs } from '../usage.ts';
import type { Action } from './client.ts';
import { takeOrders } from './orders.ts';
import { type Abilities, perform } from './perform.ts';

/** As the files of the benchmark are encoded; a share has so many bytes beside its blocks. */
const [required, total, besides] = [3, 10, 2 * KiB];
/** What our client reads of a share to know it, of how many servers, and how a version begins. */
const [headLength, asked, checkstringLength] = [4000, 7, 57];
/** Of long files: what is read at once of a share, how many such reads go at once, and a block. */
const [windowLength, windowsAtOnce, blockLength] = [1_354_917, 2, 43_691];
/** A change in place: of whom two blocks are read, and how much of the others; what is written. */
const [treeLength, changeLength] = [4 * KiB, 2 * blockLength + 3 * KiB];

const [given = '[]'] = process.argv.slice(2);
const servers = (JSON.parse(given) as readonly RealServer[]).map((server) => ({
  id: server.id,
  nurl: parseNurl(server['anonymous-storage-NURLs'][0] as string),
  permutationSeed: permutationSeedOf(server['permutation-seed-base32'], server.id),
  // Their certificates are signed by themselves.
  agent: new Agent({ keepAlive: true, rejectUnauthorized: false }),
}));
type Server = (typeof servers)[0];

const secret = () => primitives.randomBytes(32);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
// Whatever a slot is written with first is its write enabler.
const secrets = { writeEnabler: secret(), renewSecret: secret(), cancelSecret: secret() };
const headers = {
  Accept: 'application/cbor',
  'Content-Type': 'application/cbor',
  'X-Tahoe-Authorization': [
    `write-enabler ${base64(secrets.writeEnabler)}`,
    `lease-renew-secret ${base64(secrets.renewSecret)}`,
    `lease-cancel-secret ${base64(secrets.cancelSecret)}`,
  ],
};

/** What is sent, and where, for each share; a share holds zeros. */
interface Requests {
  readonly order: readonly Server[];
  readonly path: string;
  readonly shareLength: number;
}
type Write = 'create' | 'overwrite' | 'change';

const files = new Map<string, Requests>();
const head = await bodyOf({ shares: new Map(), reads: [{ offset: 0, length: headLength }] });
/** By what is written, and how long shares are: one for each share number. */
const bodies = new Map<string, readonly Uint8Array[]>();

const abilities: Abilities = {
  async create(_format, { length }) {
    const cap = spare.get(length)?.pop() as string;
    await writeAll(requestsOf(cap), 'create');
    return cap;
  },
  async read(cap) {
    const { order, path, shareLength } = requestsOf(cap);
    await Promise.all(order.slice(0, asked).map((server) => readHead(server, path)));
    const blocks = (server: Server, shnum: number) =>
      readRest(server, `${path}/${shnum}`, shareLength);
    await Promise.all(order.slice(0, required).map(blocks));
  },
  async overwrite(cap, _contents, again) {
    const requests = requestsOf(cap);
    const { order, path } = requests;
    if (!again) await Promise.all(order.map((server) => readHead(server, path)));
    await writeAll(requests, 'overwrite');
  },
  async change(cap, offset, _patch, again) {
    const requests = requestsOf(cap);
    const { order, path } = requests;
    if (!again) {
      await Promise.all(order.map((server) => readHead(server, path)));
      const at = Math.floor(offset / required);
      const blocks = await bodyOf(reading(at, 2 * blockLength));
      const tree = await bodyOf(reading(at, treeLength));
      const read = (server: Server, shnum: number) =>
        post(server, path, shnum < required ? blocks : tree);
      await Promise.all(order.slice(0, total).map(read));
    }
    await writeAll(requests, 'change');
  },
  cpuMs: async () => cpuMs(),
};

function requestsOf(cap: string): Requests {
  return files.get(cap) as Requests;
}

function reading(offset: number, length: number): Parameters<typeof bodyOf>[0] {
  return { shares: new Map(), reads: [{ offset, length }] };
}

function post(server: Server, path: string, body: Uint8Array): Promise<void> {
  return send(server, 'POST', `${path}/read-test-write`, headers, body);
}

function readHead(server: Server, path: string): Promise<void> {
  return post(server, path, head);
}

/** What is behind the head, in windows of which some are under way at once. */
async function readRest(server: Server, path: string, length: number): Promise<void> {
  let from = headLength;
  const readOn = async () => {
    while (from < length) {
      const to = Math.min(from + windowLength, length);
      const Range = `bytes=${from}-${to - 1}`;
      from = to;
      await send(server, 'GET', path, { Range });
    }
  };
  await Promise.all(Array.from({ length: windowsAtOnce }, readOn));
}

async function writeAll({ order, path, shareLength }: Requests, kind: Write): Promise<void> {
  const those = await bodiesOf(kind, shareLength);
  await Promise.all(those.map((body, shnum) => post(order[shnum] as Server, path, body)));
}

/** @throws when the server does not do it */
function send(
  { nurl, agent }: Server,
  method: string,
  path: string,
  more: object,
  body?: Uint8Array,
): Promise<void> {
  const { host, port } = nurl;
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      ...{ agent, host, port, method, path: `/storage/v1/${path}` },
      headers: {
        ...more,
        Authorization: nurl.authorization(),
        ...(body && { 'Content-Length': body.length }),
      },
    });
    request.once('error', reject).once('response', (response) => {
      const { statusCode = 0 } = response;
      if (statusCode > 299) reject(new Error(`${method} ${path}: ${statusCode}`));
      response.resume().once('end', resolve);
    });
    request.end(body);
  });
}

/** Files that may be created, by their size. */
const spare = new Map<number, string[]>();

/** Before anything is measured: makes what is going to be sent. */
async function makeReady(action: Action): Promise<void> {
  if (action.kind !== 'create') {
    const kind = action.kind === 'in place' ? 'change' : action.kind;
    if (kind !== 'read') await bodiesOf(kind, requestsOf(action.cap).shareLength);
    return;
  }
  const { format, size, keys } = action;
  const caps = spare.get(size) ?? [];
  spare.set(size, caps);
  const shareLength = Math.ceil(size / required) + besides;
  await bodiesOf('create', shareLength);
  for (const _ of keys) {
    const named = { fingerprint: secret(), writekey: primitives.randomBytes(16) };
    const cap = { kind: 'write', format, directory: false, ...named } as const;
    const storageIndex = storageIndexOf(cap);
    const path = `mutable/${toBase32(storageIndex)}`;
    const order = permutedServers(servers, storageIndex);
    files.set(formatCap(cap), { order, path, shareLength });
    caps.push(formatCap(cap));
  }
}

async function bodiesOf(kind: Write, shareLength: number): Promise<readonly Uint8Array[]> {
  const name = `${kind} ${shareLength}`;
  const made =
    bodies.get(name) ??
    (await Promise.all(
      Array.from({ length: total }, (_, shnum) => writeBody(kind, shnum, shareLength)),
    ));
  bodies.set(name, made);
  return made;
}

function writeBody(kind: Write, shnum: number, shareLength: number): Promise<Uint8Array> {
  const range = { offset: 0, length: checkstringLength };
  // How the version begins that may be overwritten.
  const specimen = new Uint8Array(kind === 'create' ? 0 : checkstringLength);
  const isChange = kind === 'change';
  const offset = isChange ? Math.floor(shareLength / 2) : 0;
  const length = isChange ? changeLength : shareLength;
  const share = {
    tests: [{ ...range, specimen }],
    parts: [{ offset, length, bytes: async () => new Uint8Array(length) }],
    newLength: shareLength,
  };
  return bodyOf({ shares: new Map([[shnum, share]]), reads: [range] });
}

async function bodyOf(
  request: Pick<ReadTestWriteRequest, 'shares' | 'reads'>,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeReadTestWrite({ secrets, ...request }).pieces()) {
    pieces.push(piece.slice());
  }
  return concatBytes(...pieces);
}

process.on('disconnect', () => {
  for (const { agent } of servers) agent.destroy();
});
takeOrders(async ({ action }: { readonly action: Action }) => {
  await makeReady(action);
  return await perform(abilities, action);
});
