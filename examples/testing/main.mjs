/**
 * A program that embeds tahoe-mutable, and its tests: a notebook that several people append to.
 *
 * 1. In simulated worlds in which two kinds of fault happen, a seed each.
 * 2. On one schedule that stands in a file.
 * 3. And the machine that maps a file's servers, walked by XState's own tools.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { servermapUpdateMachine, serverSettled } from 'tahoe-mutable/machines';
import { parseScenario, playScenario, runToEnd, simulate, World } from 'tahoe-mutable/testing';
import { getShortestPaths } from 'xstate/graph';

/** The program under test: it knows nothing of the simulation. */
async function addNote(file, note, options) {
  await file.modify((contents) => {
    const lines = new TextDecoder().decode(contents).split('\n').filter(Boolean);
    return lines.includes(note)
      ? undefined
      : new TextEncoder().encode([...lines, note, ''].join('\n'));
  }, options);
}

async function notesIn(world) {
  const contents = await world.grid.open(world.cap).read();
  return new TextDecoder().decode(contents).split('\n').filter(Boolean);
}

// --- 1. Seeds ---------------------------------------------------------------------------------------

const people = ['alice', 'bob'];
let told;
const options = {
  encoding: { required: 2, happy: 3, total: 3 },
  servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}],
  contents: () => new TextEncoder().encode('first\n'),
  faults: ['crash', 'restart', 'reset', 'heal'],
  operations: people.map((name) => ({
    name,
    task: {
      kind: 'call',
      run: async ({ file, options }) => {
        await addNote(file, name, options);
        told.push(name);
      },
    },
  })),
};

let faults = 0;
for (let seed = 0; seed < 40; seed++) {
  told = [];
  const { world, violations, counts } = await simulate(seed, { world: options });
  assert.deepEqual(violations, [], `seed ${seed}`);
  faults += (counts.crash ?? 0) + (counts.reset ?? 0);
  // Who was told that a note is safe finds it.
  const notes = await notesIn(world);
  for (const name of told) assert.ok(notes.includes(name), `seed ${seed}: ${notes}`);
}
assert.ok(faults > 0);
console.log(`40 seeds, ${faults} crashes and lost connections: no note was lost`);

// The same by hand: any order of deliveries can be chosen.
told = [];
const world = await World.create(options);
for (const label of ['start alice', 'start bob', 'crash s3', 'deliver bob s2 list']) {
  await world.choose(label);
}
await runToEnd(world);
assert.deepEqual((await notesIn(world)).sort(), ['alice', 'bob', 'first']);

// --- 2. A scenario ----------------------------------------------------------------------------------

const scenario = parseScenario('lost-notes', await readFile('lost-notes.txt', 'utf8'));
const programs = Object.fromEntries(
  ['a1', 'a2'].map((name) => [name, ({ file, options }) => addNote(file, name, options)]),
);
const { runs, text } = await playScenario(scenario, { programs });
assert.deepEqual((await notesIn(runs[0].world)).slice(-2), ['a1', 'a2']);
console.log(
  `\n${text
    .split('\n')
    .filter((line) => / (map|publish): /.test(line))
    .join('\n')}\n`,
);

// --- 3. A walk over a machine -----------------------------------------------------------------------

const servers = ['s0', 's1', 's2', 's3'];
const nothing = {
  status: 'empty',
  holdings: [],
  versions: [],
  privateKeyFound: false,
  failure: null,
};
const gone = { ...nothing, status: 'failed', failure: { kind: 'timeout', detail: 'no answer' } };
const paths = getShortestPaths(servermapUpdateMachine, {
  input: {
    ...{ mode: 'write', servers, required: 2, total: 3, wantsPrivateKey: true },
    membership: { servers: servers.length, happy: 3 },
    deadlines: { queryMs: 1000, verifyMs: 1000, readMs: 1000, writeMs: 1000 },
  },
  events: servers.flatMap((server) =>
    [nothing, gone].map((report) => serverSettled({ ...report, server })),
  ),
  serializeState: ({ value, context }) => JSON.stringify([value, context.record]),
  stopWhen: ({ status }) => status === 'done',
});
const ends = paths.filter(({ state }) => state.status === 'done');
// Each of four servers held nothing or did not answer, and nowhere does the map end before the last.
assert.equal(ends.length, 2 ** servers.length);
assert.ok(ends.every(({ steps }) => steps.length - 1 === servers.length));
console.log(`${paths.length} states of a servermap update, ${ends.length} ends`);
