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

/** As the files of the benchmark are encoded; a share has so many bytes beside its block. */
const [required, total, besides] = [3, 10, 2 * KiB];
/** What our client reads of a share to know it, of how many servers, and how a version begins. */
const [headLength, asked, checkstringLength] = [4000, 7, 57];

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
  readonly create: readonly Uint8Array[];
  readonly overwrite: readonly Uint8Array[];
}
const files = new Map<string, Requests>();
const head = await bodyOf({ shares: new Map(), reads: [{ offset: 0, length: headLength }] });

const abilities: Abilities = {
  async create(_format, { length }) {
    const cap = spare.get(length)?.pop() as string;
    await writeAll(requestsOf(cap), 'create');
    return cap;
  },
  async read(cap) {
    const { order, path, shareLength } = requestsOf(cap);
    await Promise.all(order.slice(0, asked).map((server) => readHead(server, path)));
    if (shareLength <= headLength) return;
    const Range = `bytes=${headLength}-${shareLength - 1}`;
    const readBlock = (server: Server, shnum: number) =>
      send(server, 'GET', `${path}/${shnum}`, { Range });
    await Promise.all(order.slice(0, required).map(readBlock));
  },
  async overwrite(cap, _contents, again) {
    const requests = requestsOf(cap);
    const { order, path } = requests;
    if (!again) await Promise.all(order.map((server) => readHead(server, path)));
    await writeAll(requests, 'overwrite');
  },
  change: () => Promise.reject(new Error('it writes whole files')),
  cpuMs: async () => cpuMs(),
};

function requestsOf(cap: string): Requests {
  return files.get(cap) as Requests;
}

async function readHead(server: Server, path: string): Promise<void> {
  await send(server, 'POST', `${path}/read-test-write`, headers, head);
}

async function writeAll(requests: Requests, kind: 'create' | 'overwrite'): Promise<void> {
  const path = `${requests.path}/read-test-write`;
  const write = (body: Uint8Array, shnum: number) =>
    send(requests.order[shnum] as Server, 'POST', path, headers, body);
  await Promise.all(requests[kind].map(write));
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
  if (action.kind !== 'create') return;
  const { format, size, keys } = action;
  const caps = spare.get(size) ?? [];
  spare.set(size, caps);
  const shareLength = Math.ceil(size / required) + besides;
  const bodies = async (specimen: Uint8Array) =>
    await Promise.all(Array.from({ length: total }, (_, i) => writeBody(i, shareLength, specimen)));
  const [create, overwrite] = [
    await bodies(new Uint8Array(0)),
    await bodies(new Uint8Array(checkstringLength)),
  ];
  for (const _ of keys) {
    const named = { fingerprint: secret(), writekey: primitives.randomBytes(16) };
    const cap = { kind: 'write', format, directory: false, ...named } as const;
    const storageIndex = storageIndexOf(cap);
    const path = `mutable/${toBase32(storageIndex)}`;
    const order = permutedServers(servers, storageIndex);
    files.set(formatCap(cap), { order, path, shareLength, create, overwrite });
    caps.push(formatCap(cap));
  }
}

/** @param specimen how the version begins that may be overwritten */
function writeBody(shnum: number, length: number, specimen: Uint8Array): Promise<Uint8Array> {
  const range = { offset: 0, length: checkstringLength };
  const share = {
    tests: [{ ...range, specimen }],
    parts: [{ offset: 0, length, bytes: async () => new Uint8Array(length) }],
    newLength: length,
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
