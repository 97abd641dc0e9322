/**
 * The shelf against its model, a plain Set. fast-check chooses what two people do, and what the world
 * does in between: which message arrives next, which server crashes, whose connection breaks. What
 * fails it makes short, and prints as a seed: FC_SEED and FC_PATH play it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runToEnd, World } from 'tahoe-mutable/testing';
import { Shelf } from './shelf.mjs';

const command = fc.record({
  what: fc.constantFrom('add', 'remove'),
  title: fc.constantFrom('Emma', 'Ulysses'),
});
const people = fc.tuple(command, command);
const events = fc.array(fc.nat(), { maxLength: 40 });

/** The same on a Set. */
const applied = (titles, { what, title }) => {
  const next = new Set(titles);
  if (what === 'add') next.add(title);
  else next.delete(title);
  return next;
};

/** What may be there: those that were told of a success in either order, the others or not. */
function* possibleEnds(commands, acknowledged) {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    for (const kept of [[], [0], [1], [0, 1]]) {
      const done = order.filter((i) => acknowledged[i] || kept.includes(i));
      yield done.reduce((titles, i) => applied(titles, commands[i]), new Set(['Emma']));
    }
  }
}

async function play(commands, picks) {
  const acknowledged = [false, false];
  const world = await World.create({
    encoding: { required: 2, happy: 3, total: 3 },
    servers: [{ shares: [0] }, { shares: [1] }, { shares: [2] }, {}],
    contents: () => new TextEncoder().encode('Emma'),
    faults: ['crash', 'restart', 'reset', 'heal'],
    operations: commands.map(({ what, title }, i) => ({
      name: `p${i}`,
      task: {
        kind: 'call',
        run: async ({ file, options }) => {
          await new Shelf(file)[what](title, options);
          acknowledged[i] = true;
        },
      },
    })),
  });
  for (const pick of picks) {
    if (world.choices.length > 0) await world.choose(pick % world.choices.length);
  }
  for (const { kind, label } of world.choices) if (kind === 'start') await world.choose(label);
  for (const { kind, label } of world.choices) if (kind === 'restart') await world.choose(label);
  await runToEnd(world);
  // The grid of the world has all its servers, and a network without faults.
  const books = await new Shelf(world.grid.open(world.cap)).books();
  return { acknowledged, books };
}

const sorted = (titles) => [...titles].sort();

test('whatever happens, the shelf holds what some order of the changes makes of it', async () => {
  const { FC_SEED: seed, FC_PATH: path } = process.env;
  const again = seed === undefined ? {} : { seed: Number(seed), path };
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(people, events, async (commands, picks) => {
      const { acknowledged, books } = await play(commands, picks);
      refused += acknowledged.filter((it) => !it).length;
      const ends = [...possibleEnds(commands, acknowledged)].map(sorted);
      assert.ok(
        ends.some((end) => end.join() === sorted(books).join()),
        `${sorted(books)} is none of ${ends.join(' | ')}`,
      );
    }),
    { numRuns: 60, ...again },
  );
  console.log(`60 worlds; ${refused} changes were refused, no acknowledged one was lost`);
});
