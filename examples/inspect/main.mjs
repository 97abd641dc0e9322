/**
 * An inspector attached to one's own program: a machine of its own that saves to a grid. Open the
 * printed address to watch it; `STAY=1` leaves it up until Ctrl-C. The run is in `run.jsonl`, too:
 * drop it on the page, or let `tahoe-mutable judge run.jsonl` look at it.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Grid, MemoryServer } from 'tahoe-mutable';
import { createInspector } from 'tahoe-mutable/node';
import { assign, createActor, fromPromise, setup, waitFor } from 'xstate';

const inspector = await createInspector({ trace: 'run.jsonl' });
console.log(inspector.url);

const servers = [0, 1, 2, 3].map((i) => new MemoryServer({ id: `s${i}`, nickname: `shed-${i}` }));
const encoding = { required: 2, happy: 3, total: 4 };
const grid = new Grid({ servers, encoding, inspect: inspector.inspect });
const file = await grid.create();

const editor = setup({
  actors: { save: fromPromise(({ input }) => file.overwrite(input)) },
}).createMachine({
  id: 'editor',
  context: { text: '' },
  initial: 'editing',
  states: {
    editing: {
      on: {
        typed: { actions: assign({ text: ({ context, event }) => context.text + event.text }) },
        saved: 'saving',
      },
    },
    saving: {
      invoke: {
        src: 'save',
        input: ({ context }) => context.text,
        onDone: 'clean',
        onError: 'editing',
      },
    },
    clean: { on: { typed: 'editing' } },
  },
});

const actor = createActor(editor, { inspect: inspector.inspect }).start();
actor.send({ type: 'typed', text: 'Call me Ishmael.' });
actor.send({ type: 'saved' });
await waitFor(actor, (snapshot) => snapshot.matches('clean'));
assert.equal(new TextDecoder().decode(await file.read()), 'Call me Ishmael.');

if (process.env.STAY) await new Promise((resolve) => process.once('SIGINT', resolve));
actor.stop();
grid.close();
await inspector.close();

const records = (await readFile('run.jsonl', 'utf8'))
  .trim()
  .split('\n')
  .map((it) => JSON.parse(it));
const charts = records.filter(({ kind }) => kind === 'chart').map(({ chart }) => chart.id);
assert.ok(charts.includes('editor') && charts.includes('writeFile'), charts.join());
assert.ok(!JSON.stringify(records).includes(file.writeCap.split(':')[2]));
console.log(`${records.length} records of ${charts.length} charts, and no secret among them`);
