import { kernelsWith } from '../support/mutants.ts';
import { mistakes } from './quorum-mistakes.ts';
import { modelOf } from './quorum-model.ts';
import { walkQuorum } from './quorum-walk.ts';

const name = process.argv[2];
const mistake = mistakes.find((m) => m.name === name)!;
const kernels = await kernelsWith(mistake.edits);
const sizes = [
  { servers: 3, required: 1, size: 2, writers: 2, attempts: 3 },
  { servers: 3, required: 1, size: 2, writers: 3, attempts: 2 },
  { servers: 4, required: 1, size: 3, writers: 3, attempts: 2 },
  { servers: 5, required: 1, size: 3, writers: 3, attempts: 2 },
  { servers: 5, required: 1, size: 3, writers: 4, attempts: 2 },
];
for (const parents of ['all', 'some', 'none'] as const)
  for (const size of sizes) {
    const found = walkQuorum(modelOf(size, { parents }), {
      walks: 20000,
      seed: 1,
      first: true,
      kernels,
    });
    console.log(
      name,
      parents,
      JSON.stringify(size),
      found.violations,
      found.walks,
      JSON.stringify(found).slice(0, 150),
    );
  }
