import { describe, expect, test } from 'vitest';
import { shareJudged } from '../../machines/events.ts';
import { exhaust, type Move } from '../support/exhaust.ts';
import { bad } from '../support/facts.ts';
import {
  assertCoherent,
  countedGrid,
  countedMoves,
  countedVersion,
} from '../support/live-moves.ts';
import { type LiveUpdate, liveUpdate } from '../support/live-update.ts';

/** With two shares on every server, judged one by one, each of two ways. */
function twoShareMoves(live: LiveUpdate): readonly Move<LiveUpdate>[] {
  const version = countedVersion;
  return live.record().servers.flatMap((server): readonly Move<LiveUpdate>[] => {
    if (live.child(server) === 'querying') {
      return [
        [`${server} shares`, (it) => it.answer(server, { ok: true, shnums: [0, 1] })],
        [`${server} empty`, (it) => it.answer(server, { ok: true, shnums: [] })],
        [`${server} rejects`, (it) => it.rejectQuery(server, new Error('bug'))],
      ];
    }
    if (live.child(server) !== 'verifying') return [];
    return [0, 1].flatMap((shnum): Move<LiveUpdate>[] => {
      const good = shareJudged(shnum, { kind: 'good', version: version.id }, { version });
      return [
        [`${server}:${shnum} good`, (it) => it.judge(server, good)],
        [`${server}:${shnum} bad`, (it) => it.judge(server, shareJudged(shnum, bad()))],
      ];
    });
  });
}

describe('coordinator, real children and real mailboxes, exhausted', () => {
  test.each([
    [2, 25, 50, 9],
    [3, 125, 375, 27],
    [4, 625, 2500, 81],
  ])('%i servers: %i states, %i steps, %i of them done', (count, states, transitions, ends) => {
    const found = exhaust({
      start: () => liveUpdate(countedGrid(count)),
      movesOf: countedMoves,
      keyOf: (live) => live.record().statuses.join(),
      always: assertCoherent,
    });
    expect(found).toEqual({ states, transitions, ends });
  });

  test('two shares on each of two servers: nothing is lost, whatever the order (U6, U11)', () => {
    const judgedOf = (live: LiveUpdate, server: string) => {
      const { children } = live.actor.getSnapshot();
      return live.child(server) === 'verifying'
        ? children[`query:${server}`]?.getSnapshot().context.judged
        : null;
    };
    const found = exhaust({
      start: () => liveUpdate({ ...countedGrid(2), required: 1 }),
      movesOf: twoShareMoves,
      keyOf: (live) => {
        const { servers, statuses, holdings } = live.record();
        const verdicts = holdings.map((holding) => JSON.stringify(holding)).sort();
        return JSON.stringify([statuses, servers.map((s) => judgedOf(live, s)), verdicts]);
      },
      always: (live) => {
        assertCoherent(live);
        const map = live.output();
        for (const { id, status } of map?.servers ?? []) {
          const holdings = map?.holdings.filter(({ server }) => server === id);
          const isHolding = status === 'good' || status === 'corrupt';
          expect(holdings).toHaveLength(isHolding ? 2 : 0);
        }
      },
    });
    expect(found).toEqual({ states: 144, transitions: 552, ends: 36 });
  });
});
