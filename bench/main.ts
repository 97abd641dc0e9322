/**
 * @module main: `npm run bench`: this library by itself, without a network, as ratios to what the same
 * machine can do. docs/performance.md says what each figure means.
 *
 *     npm run bench -- [--quick] [--json] [PART …]
 *
 * Every part runs in a process of its own.
 */
import { fileURLToPath } from 'node:url';
import { answerOf } from './apart.ts';
import { runParts, wishesIn } from './command.ts';
import type { Row } from './figure.ts';
import { charts } from './local/charts.ts';
import { codec } from './local/codec.ts';
import { growthInServers, growthInSize } from './local/growth.ts';
import { memory } from './local/memory.ts';
import { operations } from './local/operations.ts';
import { pipeline } from './local/pipeline.ts';
import { startUp } from './local/start-up.ts';

const parts: Readonly<Record<string, (quick: boolean) => Promise<readonly Row[]>>> = {
  codec,
  pipeline,
  'in-memory': (quick) => operations('memory', quick),
  'in-folders': (quick) => operations('folders', quick),
  memory,
  sizes: growthInSize,
  servers: growthInServers,
  charts,
  'start-up': startUp,
};
/** Asks for one part, here, with all that is known of its figures. */
const here = '--here';

const [first, ...rest] = process.argv.slice(2);
if (first === here) {
  const wishes = wishesIn(rest, Object.keys(parts));
  const [part = ''] = wishes.parts;
  console.log(JSON.stringify(await parts[part]?.(wishes.quick)));
} else {
  const wishes = wishesIn(process.argv.slice(2), Object.keys(parts));
  const quick = wishes.quick ? ['--quick'] : [];
  const self = fileURLToPath(import.meta.url);
  await runParts(wishes, async (part) => answerOf(self, [here, part, ...quick]) as Row[]);
}
