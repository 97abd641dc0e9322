/**
 * A directory in simulated worlds: in every order of messages that a seed chooses, with answers that
 * are lost and a client that dies, what was acknowledged is there, and what nobody understood too.
 */
import { expect, test } from 'vitest';
import { netstring, utf8 } from '../../src/bytes.ts';
import type { EditCallOptions } from '../../src/directory.ts';
import type { ProgramClient } from '../../src/simulation/operations.ts';
import { Prng } from '../../src/simulation/prng.ts';
import { type Order, oneEach, randomOrder, Schedule, scheduleSeed } from '../support/schedule.ts';

const runs = Number(process.env.RUNS ?? 4);
const strange = netstring(utf8('nobody knows'));

const openIn = ({ grid }: Pick<ProgramClient, 'grid'>, { cap }: Schedule['world']) =>
  grid.openDirectory({ ...cap, directory: true, writekey: cap.writekey });

/** Two clients add names and take some away again; a third one dies while it renames. */
async function compete(seed: number) {
  const prng = new Prng(seed);
  const schedule = await Schedule.of({
    encoding: { required: 1, happy: 3, total: 4 },
    format: prng.pick(['sdmf', 'mdmf']),
    servers: oneEach(4),
    contents: () => strange,
  });
  const { world } = schedule;
  let attempts = 0;
  const how = ({ options }: ProgramClient): EditCallOptions => ({
    ...options,
    attempts: 30,
    backoffMs: 0,
    onAttempt: ({ attempt }) => {
      attempts += attempt;
    },
  });
  const write = (own: string) => async (client: ProgramClient) => {
    const directory = openIn(client, world);
    for (const n of [0, 1, 2]) await directory.add(`${own}${n}`, 'URI:LIT:', how(client));
    await directory.unlink(`${own}1`, how(client));
    await directory.rename(`${own}2`, `${own}3`, how(client));
  };
  for (const client of ['A', 'B']) {
    if (prng.chance(0.5)) schedule.fail(`${client} s${prng.below(4)}`, 'answerLost', 1);
  }
  const dying = async (client: ProgramClient) => {
    const directory = openIn(client, world);
    await directory.add('C0', 'URI:LIT:', how(client));
    await directory.rename('C0', 'C1', how(client));
  };
  const both = [await schedule.start('A', write('A')), await schedule.start('B', write('B'))];
  const third = await schedule.start('C', dying);
  let left = prng.below(300);
  const any = randomOrder(seed);
  /** Waits end at any time, like messages. */
  const order: Order = (messages, now) => {
    left--;
    const isWaiting = now.nextDue === now.now;
    return isWaiting && prng.chance(0.2) ? undefined : any(messages, now);
  };
  const isOver = () => both.every((run) => run.isOver());
  await schedule.until(() => left <= 0 || (isOver() && third.isOver()), order);
  if (!third.isOver()) await world.choose(`kill ${third.name}`);
  await schedule.until(isOver, order);
  await Promise.all(both.map(({ result }) => result));
  const directory = openIn({ grid: world.grid }, world);
  return { children: await directory.list(), attempts, contents: await directory.file!.read() };
}

test(`edits in any order of messages lose none, SCHEDULE_SEED=${scheduleSeed}`, async () => {
  let collided = 0;
  for (let run = 0; run < runs; run++) {
    const { children, attempts, contents } = await compete(scheduleSeed + run);
    collided += attempts;
    const names = children.map(({ name }) => name);
    expect([run, names.filter((name) => name && !name.startsWith('C'))]).toEqual([
      run,
      ['A0', 'A3', 'B0', 'B3'],
    ]);
    // Never under both names, nor under none once it had one.
    expect(names.filter((name) => name?.startsWith('C')).length).toBeLessThanOrEqual(1);
    expect(Buffer.from(contents).subarray(-strange.length)).toEqual(Buffer.from(strange));
  }
  expect(collided).toBeGreaterThan(0);
});
