/**
 * What Tahoe's gateway says of files, and what is said here of the same shares on the same servers.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Holding, Servermap, Version } from '../../machines/servermap.ts';
import { badIn } from '../../machines/verify-kernel.ts';
import { fromBase32 } from '../../src/bytes.ts';
import { writeCapOf } from '../../src/caps.ts';
import { defaultEncoding } from '../../src/encoding.ts';
import { tahoeCheck } from '../../src/finding.ts';
import { litCapOf, parseImmutableCap } from '../../src/immutable/caps.ts';
import { chkVectors } from '../support/chk.ts';
import { testKey } from '../support/client-grid.ts';
import { goodAt, serversOf, versionOf } from '../support/facts.ts';

interface Answer {
  readonly 'storage-index': string;
  readonly summary: string;
  // biome-ignore lint/suspicious/noExplicitAny: as Tahoe says it
  readonly results: any;
}

interface Check {
  readonly what: string;
  /** Mutable where it is not said. */
  readonly kind?: 'CHK' | 'LIT';
  readonly answer: Answer;
}

const url = new URL('../vectors/check.json', import.meta.url);
const { checks }: { checks: readonly Check[] } = JSON.parse(readFileSync(url, 'utf8'));
const cap = writeCapOf(testKey, 'mdmf');
const caps = {
  CHK: parseImmutableCap(chkVectors.cases[0]!.cap),
  LIT: litCapOf(new Uint8Array(1)),
} as const;
const chk: Version = { ...versionOf(0, 'a', { required: 3, total: 10 }), format: 'chk' };

/** The version and the number of a share, by what Tahoe calls it. */
function shareOf(name: string): readonly [Version, number] {
  if (/^\d+$/.test(name)) return [chk, Number(name)];
  const [, seqnum, root, shnum] = /^seq(\d+)-(....)-sh(\d+)$/.exec(name) as RegExpExecArray;
  const known = versionOf(Number(seqnum), 'a', { required: 3, total: 10 });
  const bytes = Buffer.from(fromBase32(`${root}a`) as Uint8Array);
  return [{ ...known, rootHash: bytes.toString('hex').padEnd(64, '0') }, Number(shnum)];
}

/** The map in which these shares are, with what is corrupt among them. */
function mapOfAnswer({ results }: Answer): Servermap {
  const versions: Record<string, Version> = {};
  const holdings: Holding[] = [];
  for (const [name, servers] of Object.entries<string[]>(results.sharemap ?? {})) {
    const [version, shnum] = shareOf(name);
    versions[version.id] = version;
    for (const server of servers) holdings.push(goodAt(server, shnum, version));
  }
  for (const [server, , shnum] of results['list-corrupt-shares'] ?? []) {
    holdings.push({ server, shnum, verdict: { kind: 'bad', reason: 'a block', head: '' } });
  }
  const servers = (results['servers-responding'] ?? []).map((id: string) => ({
    id,
    status: 'empty',
    failure: null,
  }));
  const rest = { mode: 'check', outcome: 'enough', privateKey: 'unneeded' } as const;
  return { ...rest, servers, holdings, versions };
}

test.each(checks.map((it) => [it.what, it] as const))('%s', (_, { kind, answer }) => {
  const map = mapOfAnswer(answer);
  const finding = { map, bad: badIn(map), stale: [], isHealthy: answer.results.healthy };
  const ours = tahoeCheck(finding, kind === undefined ? cap : caps[kind], defaultEncoding);
  if (kind === 'LIT') return expect(ours).toEqual(answer);
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

test('happiness is that of the best choice, and what was not read is not corrupt', () => {
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
  expect(tahoeCheck(finding, cap, defaultEncoding)).toMatchObject({
    summary: 'Unhealthy:',
    results: {
      ...{ 'count-happiness': 2, 'count-shares-good': 3, 'count-good-share-hosts': 2 },
      ...{ 'count-corrupt-shares': 0, 'list-corrupt-shares': [] },
    },
  });
});
