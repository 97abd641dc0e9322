/**
 * @module print-liveness: `npm run liveness`, the tables of docs/publish.md on who has to wait.
 */
import { Prng } from '../../src/simulation/prng.ts';
import { allDeathRows, type Size } from './liveness.ts';
import { type WalkModel, walk } from './liveness-walk.ts';
import { say } from './show.ts';

/** Walks of each kind. */
const count = Number(process.env.WALKS ?? 4000);

const ten: Size = { servers: 10, required: 3, total: 10, quorum: 7 };
const thirteen: Size = { servers: 13, required: 3, total: 10, quorum: 7 };

for (const size of [ten, thirteen]) {
  const { servers, required, total, quorum } = size;
  say(`Per cent of maps refused: S = ${servers}, k = ${required}, N = ${total}, W = ${quorum}`);
  for (const line of allDeathRows(size)) say(line);
  say();
}

say(`${count} walks of each kind: ended stuck, acknowledged versions, with a loss`);
const three: Size = { servers: 3, required: 1, total: 3, quorum: 2 };
for (const size of [three, { ...three, stale: 1 }, ten, { ...ten, stale: 3 }]) {
  for (const many of [2, 3]) {
    for (const doesName of [true, false]) {
      const model: WalkModel = { ...size, writers: many, attempts: many, doesName };
      const ends = Array.from({ length: count }, (_, seed) => walk(model, new Prng(seed)));
      const stuck = ends.filter(({ isStuck }) => isStuck).length;
      const acknowledged = ends.reduce((sum, end) => sum + end.acknowledged, 0);
      const lost = ends.filter(({ isLost }) => isLost).length;
      const parents = doesName ? 'named' : 'not named';
      const what = `${size.servers}, ${size.required}, ${size.quorum} | ${model.stale ?? 0}`;
      const writers = `${many} x ${many}`;
      say(`| ${[what, writers, parents, stuck, acknowledged, lost].join(' | ')} |`);
    }
  }
}
