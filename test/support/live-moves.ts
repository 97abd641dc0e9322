/**
 * @module live-moves: the counted model's deliveries, made to a live servermap update.
 */
import { shareJudged } from '../../machines/events.ts';
import { failed } from '../../machines/io.ts';
import { decide, viewOf } from '../../machines/update-kernel.ts';
import type { Move } from './exhaust.ts';
import { deadlines, membershipOf, serversOf, unverified, versionOf } from './facts.ts';
import type { LiveUpdate } from './live-update.ts';

export const countedVersion = versionOf(1);

/** The input of a counted update: one share per server, k = 2, N = 3. */
export function countedGrid(count: number) {
  return {
    mode: 'write' as const,
    servers: serversOf(count),
    required: 2,
    total: 3,
    membership: membershipOf(count),
    wantsPrivateKey: false,
    deadlines,
  };
}

/** What can be delivered next: to a server that was asked, and about a share in verification. */
export function countedMoves(live: LiveUpdate): readonly Move<LiveUpdate>[] {
  const version = countedVersion;
  return live.record().servers.flatMap((server, n): readonly Move<LiveUpdate>[] => {
    switch (live.child(server)) {
      case 'querying':
        return [
          [`${server} shares`, (it) => it.answer(server, { ok: true, shnums: [n] })],
          [`${server} empty`, (it) => it.answer(server, { ok: true, shnums: [] })],
          [`${server} failed`, (it) => it.answer(server, failed('unreachable', ''))],
        ];
      case 'verifying': {
        const good = shareJudged(n, { kind: 'good', version: version.id }, { version });
        return [
          [`${server} good`, (it) => it.judge(server, good)],
          [`${server} unverified`, (it) => it.judge(server, shareJudged(n, unverified()))],
        ];
      }
      default:
        return [];
    }
  });
}

/**
 * What must hold of the coordinator and its children together.
 * @throws Error naming what does not
 */
export function assertCoherent(live: LiveUpdate): void {
  const record = live.record();
  const isOver = live.state() === 'done';
  record.servers.forEach((server, i) => {
    const status = record.statuses[i];
    const isOpen = status === 'verifying' || (status === 'asked' && !isOver);
    const expected = !isOpen ? 'gone' : status === 'asked' ? 'querying' : 'verifying';
    const child = live.child(server);
    if (child !== expected) throw new Error(`${server} is ${status}, its child ${child}`);
  });
  if (isOver !== (decide(viewOf(record)).kind === 'done')) throw new Error('the kernel disagrees');
  if (isOver && record.statuses.includes('verifying')) throw new Error('done while verifying');
}
