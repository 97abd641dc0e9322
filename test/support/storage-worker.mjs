/**
 * @module storage-worker: the other process of `test/storage/processes.test.ts`, started as
 * `node storage-worker.mjs <built src> <task> <folder> <storage index in hex> <count> [point]`.
 */
import { writeSync } from 'node:fs';
import { dieAt } from '../kills/death.mjs';
import { generation } from './storage-generation.mjs';

const [built, task, directory, slot, count, point = 'null'] = process.argv.slice(2);
const changes = await dieAt(JSON.parse(point));
const { DirectoryServer } = await import(`${built}/storage/directory.js`);

const server = new DirectoryServer({
  id: 'worker',
  nickname: 'worker',
  tubId: new Uint8Array(20),
  permutationSeed: new Uint8Array(1),
  directory,
});
const storageIndex = Uint8Array.from(Buffer.from(slot, 'hex'));
const secret = new Uint8Array(32);
const secrets = { writeEnabler: secret, renewSecret: secret, cancelSecret: secret };

function part(offset, bytes) {
  return { offset, length: bytes.length, bytes: async () => Uint8Array.from(bytes) };
}

/** Share number to the generation that it is in. */
async function generations() {
  const reads = [{ offset: 0, length: 8 }];
  const answer = await server.readTestWrite(storageIndex, { secrets, shares: new Map(), reads });
  return new Map([...answer.reads].map(([n, [bytes]]) => [n, Buffer.from(bytes).readDoubleBE()]));
}

function successor(n, held) {
  const bytes = generation(n);
  const specimen = Buffer.alloc(held === undefined ? 0 : 8);
  if (held !== undefined) specimen.writeDoubleBE(held);
  const tests = [{ offset: 0, length: 8, specimen }];
  const patch = n % 2 === 0 && held === n - 1;
  const parts = patch
    ? [part(0, bytes.subarray(0, 8)), part(400, bytes.subarray(400, 700))]
    : [part(0, bytes.subarray(0, 600)), part(600, bytes.subarray(600))];
  return { tests, parts, newLength: bytes.length };
}

/** Replaces two shares as often as told, and tells each time of all changes of the disk until then. */
async function replace() {
  for (let done = 0; done < Number(count); done++) {
    const held = await generations();
    const n = Math.max(0, ...held.values()) + 1;
    const shares = new Map([0, 1].map((shnum) => [shnum, successor(n, held.get(shnum))]));
    const { wrote } = await server.readTestWrite(storageIndex, { secrets, shares, reads: [] });
    if (!wrote) throw new Error(`somebody else wrote generation ${n}`);
    if (n % 3 === 0) await server.addLease(storageIndex, secrets);
    writeSync(1, `${JSON.stringify({ generation: n, changes: changes.change })}\n`);
  }
}

/** Adds one to the decimal number in share 0, as often as told. */
async function increment() {
  for (let done = 0; done < Number(count); ) {
    const range = { offset: 0, length: 20 };
    const old = await server.readShare(storageIndex, 0, range).catch(() => new Uint8Array(0));
    const next = Buffer.from(String(Number(Buffer.from(old)) + 1));
    const change = {
      tests: [{ ...range, specimen: old }],
      parts: [part(0, next)],
      newLength: null,
    };
    const shares = new Map([[0, change]]);
    const { wrote } = await server.readTestWrite(storageIndex, { secrets, shares, reads: [] });
    if (wrote) done += 1;
  }
}

if (task === 'replace') await replace();
if (task === 'increment') await increment();
