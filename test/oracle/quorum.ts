/**
 * @module quorum: `npm run oracle`, its second half: every state of `quorum.pml` and `shares.pml`,
 * the rules of writing over a quorum. With the rules as they are nothing may break; with a mistake
 * in them something must.
 *
 * `--full` also takes the sizes that take minutes each.
 */
import { say, Table } from '../prove/show.ts';
import { spin } from './spin.ts';

/** The model's parameters; its head says what they are. */
type Size = Readonly<Record<string, number>>;

interface Model {
  readonly name: string;
  readonly title: string;
  /** Of each parameter, in the order of the table. */
  readonly headings: Readonly<Record<string, string>>;
  readonly sizes: readonly Size[];
  /** Those of `--full`. */
  readonly longer: readonly Size[];
  /** Each is found at `smallest`. */
  readonly mistakes: readonly string[];
  readonly smallest: Size;
}

const rivals: Size = {
  ...{ S: 3, K: 1, W: 2, WRITERS: 2, ATTEMPTS: 2 },
  ...{ PARENTS: 1, HASHES: 1, LATE: 0 },
};

const dying: Size = { S: 3, K: 2, N: 3, W: 2, ATTEMPTS: 2, HASHES: 1, EMPTY: 0 };

const models: readonly Model[] = [
  {
    name: 'quorum',
    title: 'Writers over a quorum, a server as one register: nothing acknowledged is lost.',
    headings: {
      ...{ S: 'servers', K: 'k', W: 'quorum', WRITERS: 'writers', ATTEMPTS: 'attempts' },
      ...{ PARENTS: 'parents', HASHES: 'hashes', LATE: 'late' },
    },
    sizes: [
      { ...rivals, PARENTS: 0, HASHES: 2 },
      { ...rivals, PARENTS: 0, LATE: 1 },
      { ...rivals, PARENTS: 0, S: 4, W: 3 },
      { ...rivals, HASHES: 2 },
      { ...rivals, LATE: 1 },
      { ...rivals, WRITERS: 3, ATTEMPTS: 1, HASHES: 2 },
      { ...rivals, WRITERS: 3, ATTEMPTS: 1, S: 4, W: 3 },
      { ...rivals, S: 4, K: 2, W: 3 },
    ],
    longer: [
      { ...rivals, S: 4, W: 4 },
      { ...rivals, S: 4, W: 3 },
    ],
    mistakes: [
      ...['ONE_FEWER', 'NO_ORDER', 'NEWER_OVERWRITTEN', 'BEFORE_B', 'ANY_BLOCKS'],
      ...['NO_ANCESTORS', 'OWN_BASE', 'READER_OF_ANY'],
    ],
    smallest: rivals,
  },
  {
    name: 'shares',
    title:
      'One writer, share by share, who dies again and again: what is acknowledged stays readable.',
    headings: {
      ...{ S: 'servers', K: 'k', N: 'shares', W: 'quorum', ATTEMPTS: 'attempts' },
      ...{ HASHES: 'hashes', EMPTY: 'empty' },
    },
    sizes: [
      { ...dying, HASHES: 2 },
      { ...dying, ATTEMPTS: 3 },
      { ...dying, ATTEMPTS: 3, EMPTY: 1 },
      { ...dying, S: 4, N: 4, W: 3, EMPTY: 1 },
    ],
    longer: [{ ...dying, ATTEMPTS: 4 }],
    mistakes: ['NOT_BESIDE', 'SENT_IS_ENOUGH'],
    smallest: dying,
  },
];

/** Whether all sizes hold and all mistakes are found. */
function explore(model: Model, isFull: boolean): boolean {
  say();
  say(`${model.title} (${model.name}.pml)`);
  const table = new Table([
    ...Object.values(model.headings).map((heading) => [heading, heading.length] as const),
    ['mistake', 17],
    ['states', 10],
    ['transitions', 11],
    ['violations', 10],
  ]);
  const isAsItShould = (size: Size, ...mistake: readonly string[]) => {
    const defines = Object.entries(size).map(([name, value]) => `${name}=${value}`);
    const run = spin(model.name, [...defines, ...mistake]);
    table.row([
      ...Object.keys(model.headings).map((name) => size[name] ?? ''),
      ...[mistake[0] ?? '', run.stored, run.transitions, run.isViolated ? 'found' : 'none'],
    ]);
    return run.isViolated === mistake.length > 0;
  };
  const sizes = isFull ? [...model.sizes, ...model.longer] : model.sizes;
  // Not `every`: the table is to be whole.
  const holds = sizes.map((size) => isAsItShould(size));
  const isFound = model.mistakes.map((mistake) => isAsItShould(model.smallest, mistake));
  return [...holds, ...isFound].every(Boolean);
}

const isFull = process.argv.includes('--full');
process.exitCode = models.map((model) => explore(model, isFull)).every(Boolean) ? 0 : 1;
