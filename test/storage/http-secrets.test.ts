/**
 * No secret reaches anything that can be printed: errors, logs, warnings, inspection. The server
 * of these tests echoes what it is sent wherever HTTP lets it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { MemoryServer } from '../../src/storage/memory.ts';
import { parseNurl } from '../../src/storage/nurl.ts';
import type { WriteSecrets } from '../../src/storage/server.ts';
import { builtPackage } from '../support/built.ts';
import { HttpStorage, type Misbehaviour, SWISSNUM } from '../support/http-storage.ts';
import { leaksIn, shown } from '../support/secret-search.ts';
import { EVERYTHING, part, randomSecrets, TestSlot, write } from '../support/test-slot.ts';

/** Everything a request says of itself, secrets and all. */
function echoOf(request: Parameters<Misbehaviour>[0]): string {
  return request.rawHeaders.join('\n');
}

const echoes: readonly Misbehaviour[] = [
  (request, response) => response.writeHead(400).end(echoOf(request)),
  (request, response) => response.writeHead(401).end(echoOf(request)),
  (request, response) => response.writeHead(500, line(request)).end(echoOf(request)),
  (request, response) => response.writeHead(302, { Location: echoed(request) }).end(),
  (request, response) => response.writeHead(200, line(request)).end(echoOf(request)),
  (request, response) => cbor(response).end(echoOf(request)),
  (request, response) => response.socket?.end(echoOf(request)),
  (request, response) => response.socket?.end(`HTTP/1.1 200 ${echoed(request)}\r\nx\0: y\r\n\r\n`),
  (request, response) => response.socket?.end(`HTTP/1.1 200 OK\r\n${echoed(request)}\0\r\n\r\n`),
  (_, response) => response.destroy(),
];

function echoed(request: Parameters<Misbehaviour>[0]): string {
  return echoOf(request).replaceAll('\n', ' ');
}
function line(request: Parameters<Misbehaviour>[0]): Record<string, string> {
  return { 'X-Echo': echoed(request), 'Content-Range': echoed(request) };
}
function cbor(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'Content-Type': 'application/cbor' });
}

function leaksOf(text: string, secrets: WriteSecrets): string[] {
  const { writeEnabler, renewSecret, cancelSecret } = secrets;
  return leaksIn(text, [utf8(SWISSNUM), writeEnabler, renewSecret, cancelSecret]);
}

let storage: HttpStorage;
let server: HttpServer;
beforeAll(async () => {
  storage = await HttpStorage.start(new MemoryServer({ id: 's0' }));
  const seeds = { tubId: new Uint8Array(20), permutationSeed: utf8('s0') };
  server = new HttpServer({ id: 's0', ...seeds, nurls: [parseNurl(storage.nurl)] });
});
afterAll(async () => {
  server.close();
  await storage.stop();
});

test('the search finds secrets', () => {
  const secrets = randomSecrets();
  for (const text of [secrets, [...secrets.renewSecret], Buffer.from(secrets.writeEnabler)]) {
    expect(leaksOf(shown(text), secrets).length).toBeGreaterThan(0);
  }
  expect(leaksOf(storage.nurl, secrets)).toEqual([SWISSNUM]);
});

test('no error, log or warning holds a secret, whatever the server echoes', async () => {
  const said: string[] = [];
  const hear = (text: unknown) => {
    said.push(String(text));
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(hear),
    vi.spyOn(process.stderr, 'write').mockImplementation(hear),
    ...(['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation(hear),
    ),
  ];
  process.on('warning', hear);
  const slot = new TestSlot(server);
  await slot.hold({ 0: 'zero' });
  const failures: unknown[] = [];
  for (const misbehaviour of echoes) {
    storage.misbehaviour = misbehaviour;
    const { storageIndex, secrets } = slot;
    const change = { 0: write({ parts: [part(0, 'Z')] }) };
    const calls = [
      server.version(),
      server.listShares(storageIndex),
      server.readShare(storageIndex, 0, EVERYTHING),
      slot.send(change, [EVERYTHING]),
      slot.send(change, [], { secrets: { ...secrets, writeEnabler: secrets.renewSecret } }),
      server.addLease(storageIndex, secrets),
      server.adviseCorruptShare(storageIndex, 0, 'bad'),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
  }
  storage.misbehaviour = undefined;
  process.off('warning', hear);
  for (const spy of spies) spy.mockRestore();
  expect(failures.length).toBeGreaterThan(60);
  const printed = [...failures, server, server.status, said].map(shown).join('\n');
  expect(leaksOf(printed, slot.secrets)).toEqual([]);
});

test('Node’s own debug output does not hold a secret either', async () => {
  const src = await builtPackage();
  const folder = await mkdtemp(join(tmpdir(), 'tahoe-mutable-secrets-'));
  const script = join(folder, 'call.mjs');
  const secrets = randomSecrets();
  const input = JSON.stringify({
    nurl: storage.nurl,
    secrets: Object.entries(secrets).map(([name, secret]) => [name, [...secret]]),
  });
  await writeFile(script, DEBUGGED_CALLS);
  const env = {
    ...process.env,
    NODE_DEBUG: 'http,https,tls,net,stream,timer',
    SRC: pathToFileURL(src).href,
    INPUT: input,
  };
  const options = { env, maxBuffer: 2 ** 28 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], options);
  await rm(folder, { recursive: true });
  expect(stdout).toBe('{"wrote":true}\n');
  expect(stderr).toContain('HTTP');
  expect(leaksOf(stderr, secrets)).toEqual([]);
});

const DEBUGGED_CALLS = `
const { HttpServer } = await import(process.env.SRC + '/storage/http.js');
const { parseNurl } = await import(process.env.SRC + '/storage/nurl.js');
const { nurl, secrets } = JSON.parse(process.env.INPUT);
const server = new HttpServer({
  id: 's0', tubId: new Uint8Array(20), permutationSeed: new Uint8Array(1), nurls: [parseNurl(nurl)],
});
const storageIndex = crypto.getRandomValues(new Uint8Array(16));
const part = { offset: 0, length: 3, bytes: async () => Uint8Array.of(1, 2, 3) };
const { wrote } = await server.readTestWrite(storageIndex, {
  secrets: Object.fromEntries(secrets.map(([name, bytes]) => [name, Uint8Array.from(bytes)])),
  shares: new Map([[0, { tests: [], parts: [part], newLength: null }]]),
  reads: [],
});
await server.readShare(storageIndex, 0, { offset: 0, length: 9 });
console.log(JSON.stringify({ wrote }));
server.close();
`;
