import { describe, expect, test } from 'vitest';
import { type ShareJudged, shareJudged } from '../../machines/events.ts';
import { failed } from '../../machines/io.ts';
import { decide, viewOf } from '../../machines/update-kernel.ts';
import { bad, deadlines, serversOf, unverified, versionOf } from '../support/facts.ts';
import { type LiveUpdate, liveUpdate } from '../support/live-update.ts';

const version = versionOf(1);

/** One delivery: what it is called, and what does it. */
type Move = readonly [name: string, make: (live: LiveUpdate) => void];

const good = (shnum: number): ShareJudged =>
  shareJudged(shnum, { kind: 'good', version: version.id }, { version });

/** What the world can do to one server next, in the counted model of the proof. */
function countedMoves(live: LiveUpdate, server: string, n: number): readonly Move[] {
  switch (live.child(server)) {
    case 'querying':
      return [
        [`${server} shares`, (it) => it.answer(server, { ok: true, shnums: [n] })],
        [`${server} empty`, (it) => it.answer(server, { ok: true, shnums: [] })],
        [`${server} failed`, (it) => it.answer(server, failed('unreachable', ''))],
      ];
    case 'verifying':
      return [
        [`${server} good`, (it) => it.judge(server, good(n))],
        [`${server} unverified`, (it) => it.judge(server, shareJudged(n, unverified()))],
      ];
    default:
      return [];
  }
}

/** With two shares on every server, judged one by one, each of three ways. */
function twoShareMoves(live: LiveUpdate, server: string): readonly Move[] {
  const record = live.record().slots;
  if (live.child(server) === 'querying') {
    expect(record.some((slot) => slot.server === server)).toBe(false);
    return [
      [`${server} shares`, (it) => it.answer(server, { ok: true, shnums: [0, 1] })],
      [`${server} empty`, (it) => it.answer(server, { ok: true, shnums: [] })],
      [`${server} rejects`, (it) => it.rejectQuery(server, new Error('bug'))],
    ];
  }
  if (live.child(server) !== 'verifying') return [];
  return [0, 1].flatMap((shnum): Move[] => [
    [`${server}:${shnum} good`, (it) => it.judge(server, good(shnum))],
    [`${server}:${shnum} bad`, (it) => it.judge(server, shareJudged(shnum, bad()))],
  ]);
}

/**
 * Every state and step of the live system. Live actors cannot be copied, so a state is reached
 * again by replaying the moves that led there; a run goes on for as long as it finds new steps.
 */
function exhaust(
  start: () => LiveUpdate,
  movesOf: (live: LiveUpdate) => readonly Move[],
  keyOf: (live: LiveUpdate) => string,
  always: (live: LiveUpdate) => void,
) {
  const pathTo = new Map<string, readonly Move[]>([[keyOf(start()), []]]);
  const taken = new Set<string>();
  let done = 0;
  for (const [key, path] of pathTo) {
    for (let more = true; more; ) {
      more = false;
      const live = start();
      for (const [, make] of path) make(live);
      const trail = [...path];
      for (let at = key; ; ) {
        always(live);
        const move = movesOf(live).find(([name]) => !taken.has(`${at} ${name}`));
        if (move === undefined) break;
        more = true;
        taken.add(`${at} ${move[0]}`);
        move[1](live);
        trail.push(move);
        at = keyOf(live);
        if (!pathTo.has(at)) {
          pathTo.set(at, [...trail]);
          if (live.state() === 'done') done++;
        }
      }
    }
  }
  return { states: pathTo.size, transitions: taken.size, done };
}

const grid = (count: number) => ({
  mode: 'write' as const,
  servers: serversOf(count),
  required: 2,
  total: 3,
  wantsPrivateKey: false,
  deadlines,
});

/** What must hold of coordinator and children together. */
function isCoherent(live: LiveUpdate): void {
  const record = live.record();
  const isOver = live.state() === 'done';
  record.servers.forEach((server, i) => {
    const child = live.child(server);
    const status = record.statuses[i];
    if (status === 'asked') expect(child).toBe(isOver ? 'gone' : 'querying');
    else if (status === 'verifying') expect(child).toBe('verifying');
    else expect(child).toBe('gone');
  });
  expect(isOver).toBe(decide(viewOf(record)).kind === 'done');
  if (isOver) expect(record.statuses).not.toContain('verifying');
}

describe('coordinator, real children and real mailboxes, exhausted', () => {
  test.each([
    [2, 25, 50, 9],
    [3, 125, 375, 27],
    [4, 625, 2500, 81],
  ])('%i servers: %i states, %i steps, %i of them done', (count, states, transitions, done) => {
    const found = exhaust(
      () => liveUpdate(grid(count)),
      (live) => live.record().servers.flatMap((server, n) => countedMoves(live, server, n)),
      (live) => live.record().statuses.join(),
      isCoherent,
    );
    expect(found).toEqual({ states, transitions, done });
  });

  test('two shares on each of two servers: nothing is lost, whatever the order', () => {
    const keyOf = (live: LiveUpdate) => {
      const record = live.record();
      const open = record.servers.map((server) => {
        const children = live.actor.getSnapshot().children;
        const child = children[`query:${server}`]?.getSnapshot();
        return live.child(server) === 'verifying' ? child.context.judged : null;
      });
      const verdicts = record.slots.map((slot) => JSON.stringify(slot)).sort();
      return JSON.stringify([record.statuses, open, verdicts]);
    };
    const found = exhaust(
      () => liveUpdate({ ...grid(2), required: 1 }),
      (live) => live.record().servers.flatMap((server) => twoShareMoves(live, server)),
      keyOf,
      (live) => {
        isCoherent(live);
        const map = live.output();
        for (const { id, status } of map?.servers ?? []) {
          const slots = map?.slots.filter(({ server }) => server === id);
          const isHolding = status === 'good' || status === 'corrupt';
          expect(slots).toHaveLength(isHolding ? 2 : 0);
        }
      },
    );
    expect(found).toEqual({ states: 144, transitions: 552, done: 36 });
  });
});
