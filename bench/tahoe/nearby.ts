/**
 * @module nearby: what operations cost when servers are on the same machine: both clients in turns, on
 * files of their own, with connections that are open already.
 */
import type { Row } from '../figure.ts';
import { huge, large, medium, type Subject, small } from '../sizes.ts';
import type { Pairs } from '../statistics.ts';
import { type Bench, compare, forget, makeFile, rowsOf } from './bench.ts';
import type { Action, Client, Sample } from './client.ts';
import { newKeys } from './keys.ts';

/** Of small files, rows of their own: what a program sees that has just begun. */
const firstTimes = 100;

/**
 * How often each operation is done before any is measured: until V8 has compiled what runs often. The
 * first hundred small ones take twice as much as those after four hundred.
 */
function warmUpTimes(operation: Operation, subject: Subject): number {
  if (subject === small) return 400;
  // After those.
  if (subject === medium) return 150;
  const isInPlace = operation === 'in place' || operation === 'in place again';
  if (subject === large) return isInPlace ? 40 : 5;
  return isInPlace ? 10 : 1;
}

export type Operation =
  | 'create'
  | 'read'
  | 'overwrite'
  | 'in place'
  /** By a client that keeps the file open. */
  | 'overwrite again'
  | 'in place again';

/** How often to measure something, and how often to do it each time. */
export interface Effort {
  readonly pairs: number;
  readonly times: number;
}

export async function smallFiles(bench: Bench): Promise<readonly Row[]> {
  const effort = { pairs: bench.quick ? 8 : 30, times: 4 };
  return await measure(bench, small, ['create', 'read', 'overwrite', 'overwrite again'], effort);
}

export async function mediumFiles(bench: Bench): Promise<readonly Row[]> {
  const effort = { pairs: bench.quick ? 6 : 15, times: 3 };
  return await measure(bench, medium, ['create', 'read', 'overwrite'], effort);
}

export async function largeFiles(bench: Bench): Promise<readonly Row[]> {
  const effort = { pairs: bench.quick ? 5 : 11, times: 1 };
  const changes = ['overwrite', 'in place', 'in place again'] as const;
  return await measure(bench, large, ['create', 'read', ...changes], effort);
}

export async function hugeFiles(bench: Bench): Promise<readonly Row[]> {
  const whole = { pairs: bench.quick ? 2 : 7, times: 1 };
  const inPlace = { pairs: bench.quick ? 5 : 11, times: 1 };
  const operations: readonly Operation[] = bench.quick
    ? ['create', 'read']
    : ['create', 'read', 'overwrite'];
  return [
    ...(await measure(bench, huge, operations, whole)),
    ...(await measure(bench, huge, ['in place'], inPlace)),
  ];
}

async function measure(
  bench: Bench,
  subject: Subject,
  operations: readonly Operation[],
  effort: Effort,
): Promise<readonly Row[]> {
  const { real, ours, theirs } = bench;
  const warm = { real, subject, operations, effort };
  const rowsFor = (more: string) => (operation: Operation, samples: Pairs<Sample>) =>
    rowsOf(`${nameOf(operation, subject)} ${subject.name}${more}`, samples);
  const rowsOfFirst = subject === small ? rowsFor(`, the first ${firstTimes}`) : undefined;
  return await whenWarm(warm, [ours, theirs], rowsFor(''), rowsOfFirst);
}

/** What is done on files of one size, and how often. */
interface Works extends Pick<Bench, 'real'> {
  /** How often each operation is done before. */
  readonly timesBefore?: number;
  readonly subject: Subject;
  readonly operations: readonly Operation[];
  readonly effort: Effort;
}

type RowsFor = (operation: Operation, samples: Pairs<Sample>) => readonly Row[];

/**
 * What two clients take for each operation, when they have done all of them before.
 * @param rowsOfFirst of the first times; by default none
 */
export async function whenWarm(
  { real, subject, operations, effort, timesBefore }: Works,
  clients: readonly [Client, Client],
  rowsFor: RowsFor,
  rowsOfFirst: RowsFor = () => [],
): Promise<readonly Row[]> {
  const { pairs, times } = effort;
  const files = await filesOf(clients, subject);
  // To make one takes as long as ten small files do, and both would stand idle.
  const keys = await newKeys(times);
  // A slot is named by its key, which is good for another file when this one is forgotten.
  const forgetMade = async ({ caps }: Sample) => {
    for (const cap of caps) await forget(real, cap);
  };
  const actionOf = (operation: Operation) => actions(operation, subject, files, times, keys);
  // The first one opens connections. Node compiles what runs often, and what all operations have in
  // common with the last of them: whichever was measured first would be measured half compiled.
  const rows: Row[] = [];
  for (const operation of operations) {
    const before = timesBefore ?? warmUpTimes(operation, subject);
    const first = subject === small ? firstTimes : 10;
    const together = Math.ceil(Math.min(before, first) / times);
    const samples = await compare(together, clients, actionOf(operation), forgetMade);
    rows.push(...rowsOfFirst(operation, samples));
    // What Tahoe's client takes does not change any more.
    const [ours] = clients;
    for (let time = together * times; time < before; time += times) {
      await forgetMade(await ours.perform(await actionOf(operation)(ours)));
    }
  }
  for (const operation of operations) {
    const samples = await compare(pairs, clients, actionOf(operation), forgetMade);
    rows.push(...rowsFor(operation, samples));
  }
  for (const cap of files.values()) await forget(real, cap);
  return rows;
}

/** To create a file of many segments is what everybody calls to publish one. */
export function nameOf(operation: Operation, { format }: Subject): string {
  return operation === 'create' && format === 'mdmf' ? 'publish' : operation;
}

/** A file for each client to work on. */
export async function filesOf(
  clients: readonly Client[],
  subject: Subject,
): Promise<ReadonlyMap<Client, string>> {
  const files = new Map<Client, string>();
  for (const client of clients) files.set(client, await makeFile(client, subject));
  return files;
}

/** @param keys of files to create, so many as `times`; new ones by default */
export function actions(
  kind: Operation,
  { format, size }: Subject,
  files: ReadonlyMap<Client, string>,
  times: number,
  keys?: readonly Uint8Array[],
): (client: Client) => Promise<Action> {
  return async (client) => {
    const cap = files.get(client) as string;
    switch (kind) {
      case 'create':
        return { kind, format, size, keys: keys ?? (await newKeys(times)) };
      case 'read':
        return { kind, cap, times };
      case 'overwrite':
        return { kind, cap, size, times };
      case 'overwrite again':
        return { kind: 'overwrite', cap, size, times, again: true };
      case 'in place':
        return { kind, cap, offset: size / 2, times };
      case 'in place again':
        return { kind: 'in place', cap, offset: size / 2, times, again: true };
    }
  };
}
