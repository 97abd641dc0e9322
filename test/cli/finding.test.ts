/**
 * What Tahoe's gateway says of files, and what is said here of the same shares on the same servers.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import { badIn } from '../../machines/verify-kernel.ts';
import { fromBase32 } from '../../src/bytes.ts';
import { writeCapOf } from '../../src/caps.ts';
import { tahoeCheck } from '../../src/cli/finding.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import { testKey } from '../support/client-grid.ts';
import { goodAt, serversOf, versionOf } from '../support/facts.ts';

interface Answer {
  readonly 'storage-index': string;
  readonly summary: string;
  // biome-ignore lint/suspicious/noExplicitAny: as Tahoe says it
  readonly results: any;
}

const url = new URL('../vectors/check.json', import.meta.url);
const { checks }: { checks: { what: string; answer: Answer }[] } = JSON.parse(
  readFileSync(url, 'utf8'),
);
const cap = writeCapOf(testKey, 'mdmf');
const grid = { encoding: defaultEncoding };

/** The map in which these shares are, with what is corrupt among them. */
function mapOfAnswer({ results }: Answer): Servermap {
  const versions: Record<string, Version> = {};
  const holdings: Holding[] = [];
  for (const [name, servers] of Object.entries<string[]>(results.sharemap)) {
    const [, seqnum, root, shnum] = /^seq(\d+)-(....)-sh(\d+)$/.exec(name) as RegExpExecArray;
    const known = versionOf(Number(seqnum), 'a', { required: 3, total: 10 });
    const rootHash = Buffer.from(fromBase32(`${root}a`) as Uint8Array)
      .toString('hex')
      .padEnd(64, '0');
    versions[known.id] = { ...known, rootHash };
    for (const server of servers) holdings.push(goodAt(server, Number(shnum), known));
  }
  for (const [server, , shnum] of results['list-corrupt-shares']) {
    holdings.push({ server, shnum, verdict: { kind: 'bad', reason: 'a block', head: '' } });
  }
  const servers = results['servers-responding'].map((id: string) => ({
    id,
    status: 'empty',
    failure: null,
  }));
  const rest = { mode: 'check', outcome: 'enough', privateKey: 'unneeded' } as const;
  return { ...rest, servers, holdings, versions };
}

test.each(checks.map(({ what, answer }) => [what, answer] as const))('%s', async (_, answer) => {
  const map = mapOfAnswer(answer);
  const finding = { map, bad: badIn(map), stale: [], isHealthy: answer.results.healthy };
  const ours = (await tahoeCheck(finding, cap, grid)) as Answer;
  // Of nicknames Tahoe shows the ids in its summary.
  const named = answer.summary.replace(/\S{8}-sh(\d)$/, (_all, shnum) => {
    const [[server]] = answer.results['list-corrupt-shares'];
    return `${server}-sh${shnum}`;
  });
  const index = ours['storage-index'];
  const corrupt = answer.results['list-corrupt-shares'].map(
    ([server, , shnum]: [string, string, number]) => [server, index, shnum],
  );
  expect(ours).toEqual({
    'storage-index': index,
    summary: named,
    results: { ...answer.results, 'list-corrupt-shares': corrupt },
  });
  expect(Object.keys(ours.results)).toEqual(Object.keys(answer.results));
});

test('happiness is that of the best choice, and what was not read is not corrupt', async () => {
  const v = versionOf(1, 'a', { required: 1, total: 3 });
  const holdings = [goodAt('s0', 0, v), goodAt('s1', 0, v), goodAt('s0', 1, v), goodAt('s0', 2, v)];
  const unread = {
    server: 's2',
    shnum: 2,
    verdict: { kind: 'unverified', reason: 'late' },
  } as const;
  const servers = serversOf(3).map((id) => ({ id, status: 'good', failure: null }) as const);
  const map: Servermap = {
    ...{ mode: 'check', outcome: 'enough', privateKey: 'unneeded', servers },
    ...{ holdings: [...holdings, unread], versions: { [v.id]: v } },
  };
  const finding = { map, bad: badIn(map), stale: [], isHealthy: false };
  expect(await tahoeCheck(finding, cap, grid)).toMatchObject({
    summary: 'Unhealthy:',
    results: {
      ...{ 'count-happiness': 2, 'count-shares-good': 3, 'count-good-share-hosts': 2 },
      ...{ 'count-corrupt-shares': 0, 'list-corrupt-shares': [] },
    },
  });
});
