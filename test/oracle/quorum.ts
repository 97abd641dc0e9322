/**
 * @module quorum: `npm run oracle`, its second half: every state of `quorum.pml`, the rules of
 * writing over a quorum. With the rules as they are nothing may break; with a mistake in them
 * something must.
 *
 * `--full` also takes the sizes that take minutes each.
 */
import { say, Table } from '../prove/show.ts';
import { spin } from './spin.ts';

interface Size {
  readonly servers: number;
  readonly required: number;
  readonly quorum: number;
  readonly writers: number;
  readonly attempts: number;
  /** Whether a version names its parent. */
  readonly hasParents: boolean;
  /** Of how many hashes a version has any: with 2, rivals come in either order. */
  readonly hashes: number;
  /** Whether the answers of writes come late, or never, on their own. */
  readonly isLate: boolean;
}

const smallest: Size = {
  ...{ servers: 3, required: 1, quorum: 2, writers: 2, attempts: 2 },
  ...{ hasParents: true, hashes: 1, isLate: false },
};

const sizes: readonly Size[] = [
  { ...smallest, hasParents: false, hashes: 2 },
  { ...smallest, hasParents: false, isLate: true },
  { ...smallest, hasParents: false, servers: 4, quorum: 3 },
  smallest,
  { ...smallest, isLate: true },
  { ...smallest, writers: 3, attempts: 1, hashes: 2 },
  { ...smallest, writers: 3, attempts: 1, servers: 4, quorum: 3 },
  { ...smallest, servers: 4, required: 2, quorum: 3 },
];

const longer: readonly Size[] = [
  { ...smallest, servers: 4, quorum: 4 },
  { ...smallest, servers: 4, quorum: 3 },
];

/** As the head of `quorum.pml` says them. */
const mistakes = [
  'ONE_FEWER',
  'NO_ORDER',
  'NEWER_OVERWRITTEN',
  'BEFORE_B',
  'ANY_BLOCKS',
  'NO_ANCESTORS',
  'OWN_BASE',
  'READER_OF_ANY',
];

function explore(size: Size, ...mistake: readonly string[]) {
  return spin('quorum', [
    ...[`S=${size.servers}`, `K=${size.required}`, `W=${size.quorum}`],
    ...[`WRITERS=${size.writers}`, `ATTEMPTS=${size.attempts}`, `HASHES=${size.hashes}`],
    ...[`PARENTS=${Number(size.hasParents)}`, `LATE=${Number(size.isLate)}`],
    ...mistake,
  ]);
}

function main(isFull: boolean): boolean {
  say();
  say('SPIN over a model of writing over a quorum, written from the text of the rules.');
  say();
  const table = new Table([
    ['servers', 7],
    ['k', 1],
    ['quorum', 6],
    ['writers', 7],
    ['attempts', 8],
    ['parents', 7],
    ['hashes', 6],
    ['answers', 7],
    ['mistake', 17],
    ['states', 10],
    ['transitions', 11],
    ['violations', 10],
  ]);
  let isRight = true;
  const row = (size: Size, mistake?: string) => {
    const run = explore(size, ...(mistake === undefined ? [] : [mistake]));
    isRight &&= run.isViolated === (mistake !== undefined);
    table.row([
      ...[size.servers, size.required, size.quorum, size.writers, size.attempts],
      ...[size.hasParents ? 'yes' : 'no', size.hashes, size.isLate ? 'late' : 'at once'],
      ...[mistake ?? '', run.stored, run.transitions, run.isViolated ? 'found' : 0],
    ]);
  };
  for (const size of isFull ? [...sizes, ...longer] : sizes) row(size);
  for (const mistake of mistakes) row(smallest, mistake);
  return isRight;
}

process.exitCode = main(process.argv.includes('--full')) ? 0 : 1;
