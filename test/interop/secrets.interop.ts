/**
 * Nothing that this client says of real servers holds a secret: its output, its errors, what
 * XState's inspection shows, the debug output of Node, with every kind of failure provoked.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { utf8 } from '../../src/bytes.ts';
import { parseCap, storageIndexOf, type WriteCap } from '../../src/caps.ts';
import { deriveWriteEnabler } from '../../src/crypto/keys.ts';
import { deriveLeaseSecrets } from '../../src/crypto/leases.ts';
import { loadGridFile } from '../../src/description/grid-file.ts';
import { readLeaseSecret } from '../../src/description/grid-folder.ts';
import { Grid } from '../../src/grid.ts';
import { gridStatus, openGrid } from '../../src/node.ts';
import { HttpServer } from '../../src/storage/http.ts';
import { tcpNurls } from '../../src/storage/nurl.ts';
import { runCli } from '../support/cli.ts';
import { bytesOf } from '../support/client-grid.ts';
import { leaksIn, shown } from '../support/secret-search.ts';
import { type Gateway, type RealGrid, startRealGrid } from './real-grid.ts';

let real: RealGrid;
let gateway: Gateway;
beforeAll(async () => {
  real = await startRealGrid();
  gateway = await real.gateway();
});
afterAll(() => real.close());

/** Everything secret about these files, on every server, for the client that has this folder. */
async function secretsOf(folder: string, caps: readonly string[]): Promise<readonly Uint8Array[]> {
  const { entries, leaseSecretPath } = await loadGridFile(folder);
  const leaseSecret = await readLeaseSecret(leaseSecretPath);
  const swissnums = real.servers.flatMap(({ 'anonymous-storage-NURLs': nurls }) =>
    nurls.map((nurl) => /\/([a-z2-7]{32})#/.exec(nurl)![1]!),
  );
  expect(swissnums).toHaveLength(13);
  const ofFiles = caps.flatMap((text) => {
    const cap = parseCap(text) as WriteCap;
    const ofServers = entries.flatMap(({ tubId }) => [
      deriveWriteEnabler(cap.writekey, tubId),
      ...Object.values(deriveLeaseSecrets(leaseSecret, storageIndexOf(cap), tubId)),
    ]);
    return [cap.writekey, utf8(text), ...ofServers];
  });
  return [leaseSecret, ...swissnums.map(utf8), ...ofFiles];
}

/** Runs `work`; everything that this process says meanwhile. */
async function overheard(work: () => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  const hear = (text: unknown) => {
    said.push(shown(text));
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
  try {
    await work();
  } finally {
    process.off('warning', hear);
    for (const spy of spies) spy.mockRestore();
  }
  return said;
}

test('the library gives no secret away, whatever goes wrong, also to an inspector', async () => {
  const inspected = new Set<string>();
  const failures: unknown[] = [];
  const results: unknown[] = [];
  const caps: string[] = [];
  const kinds = new Map<string, number>();
  // Some of every kind: a hundred megabytes would say the same.
  const watch = (event: InspectionEvent) => {
    const sent = 'event' in event ? event.event.type : '';
    const status = 'snapshot' in event ? event.snapshot.status : '';
    const kind = `${event.type} ${sent.replace(/\d+/g, '')} ${status}`;
    const seen = kinds.get(kind) ?? 0;
    kinds.set(kind, seen + 1);
    if (seen >= 4) return;
    inspected.add(inspect(event, { depth: 3 }));
    if ('snapshot' in event) inspected.add(JSON.stringify(event.snapshot));
  };
  const fails = async (work: Promise<unknown>): Promise<void> => {
    await work.then(
      () => expect.unreachable('it was to fail'),
      (error) => failures.push(error),
    );
  };
  const said = await overheard(async () => {
    const grid = await openGrid(gateway.folder, { inspect: watch });
    const file = await grid.create({ format: 'sdmf', contents: bytesOf(5000) });
    const large = grid.open(await gateway.put('mdmf', bytesOf(300_000)));
    caps.push(file.writeCap, large.writeCap);
    results.push(grid, file, large, await large.update(bytesOf(10), 5), await file.servermap());
    results.push(await large.verify(), await gridStatus(gateway.folder), grid.servers);
    await fails(grid.open(file.readCap).overwrite(bytesOf(1)));
    await fails(large.update(bytesOf(10), 1_000_000));
    await fails((async () => grid.open(`${file.writeCap}x`))());

    const { entries } = await loadGridFile(gateway.folder);
    const altered = (change: (nurl: string) => string, more = {}) =>
      new Grid({
        inspect: watch,
        servers: entries.map(
          ({ nurls, ...entry }) =>
            new HttpServer({ ...entry, ...more, nurls: tcpNurls(nurls.map(change)) }),
        ),
      });
    const wrongSwissnum = altered((nurl) => nurl.replace(/\/[a-z2-7]{32}#/, `/${'b'.repeat(32)}#`));
    const wrongKey = altered((nurl) =>
      nurl.replace(/\/\/[^@]+@/, `//${randomBytes(32).toString('base64url')}@`),
    );
    const wrongEnabler = altered((nurl) => nurl, { tubId: randomBytes(20) });
    for (const wrong of [wrongSwissnum, wrongKey]) {
      await fails(wrong.open(file.cap).read());
      await fails(wrong.create({ contents: bytesOf(1) }));
    }
    await fails(wrongEnabler.open(file.cap).overwrite(bytesOf(1)));
    for (const position of entries.keys()) await real.fillDisk(position, true);
    await fails(file.overwrite(bytesOf(1)));
    await fails(grid.create({ contents: bytesOf(1) }));
    for (const position of entries.keys()) await real.fillDisk(position, false);
    for (const each of [grid, wrongSwissnum, wrongKey, wrongEnabler]) {
      results.push(each.servers, each);
      each.close();
    }
  });
  expect(failures.map((failure) => (failure as { code?: string }).code)).toEqual([
    'InsufficientCapError',
    'OutOfRangeError',
    'MalformedCapError',
    'UnrecoverableFileError',
    'NotEnoughServersError',
    'UnrecoverableFileError',
    'NotEnoughServersError',
    'NotEnoughServersError',
    expect.stringMatching(/^(NotEnoughServers|IndeterminateWrite)Error$/),
    expect.stringMatching(/^(NotEnoughServers|IndeterminateWrite)Error$/),
  ]);
  expect(kinds.size).toBeGreaterThan(20);
  const secrets = await secretsOf(gateway.folder, caps);
  const printed = [...failures, ...results].map(shown);
  const everything = [...printed, ...said, ...inspected].join('\n');
  expect(everything.length).toBeGreaterThan(500_000);
  expect(leaksIn(everything, secrets)).toEqual([]);
  // The search does find secrets that are there.
  expect(leaksIn(shown({ cap: caps[0] }), secrets)).not.toEqual([]);
  expect(leaksIn(shown(secrets[3]), secrets)).not.toEqual([]);
});

test('the command line gives no secret away, with --verbose, --json and Node’s own debugging', async () => {
  const env = { TAHOE_MUTABLE_GRID: gateway.folder, NODE_DEBUG: 'http,https,tls,net' };
  const made = await runCli(['create', '-'], { env, stdin: 'contents' });
  expect(made.exit).toBe(0);
  // The one thing that is meant to give it away.
  const cap = made.stdout.toString().trim();
  const held = join(real.folder, 'cap.txt');
  await writeFile(held, cap);
  const wrong = join(real.folder, 'wrong.yaml');
  const nobody = { storage: { v0: { ann: { 'anonymous-storage-NURLs': ['pb://x'] } } } };
  await writeFile(wrong, JSON.stringify(nobody));
  const { readCap } = (await openGrid(gateway.folder)).open(cap);
  const said = [made.stderr];
  const run = async (exit: number, ...args: string[]): Promise<void> => {
    const ended = await runCli(['--verbose', ...args], { env, stdin: 'more' });
    expect([args, ended.exit]).toEqual([args, exit]);
    said.push(ended.stdout.toString('latin1'), ended.stderr);
  };
  await run(0, 'append', `@${held}`, '-');
  await run(0, '--json', 'servermap', `@${held}`);
  await run(0, 'check', '--verify', `@${held}`);
  await run(0, '--json', 'grid', 'status');
  await run(6, '--json', 'put', readCap, '-');
  await run(2, 'put', `${cap}x`, '-');
  await run(2, 'get', `@${held}`, '--offset', '1000');
  await run(2, '--grid', wrong, 'get', `@${held}`);
  for (const position of real.servers.keys()) await real.fillDisk(position, true);
  await run(1, '--json', 'put', `@${held}`, '-');
  for (const position of real.servers.keys()) await real.fillDisk(position, false);
  expect(said.join('\n')).toContain('HTTP');
  const secrets = await secretsOf(gateway.folder, [cap]);
  expect(leaksIn(said.join('\n'), secrets)).toEqual([]);
});
