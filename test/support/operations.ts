/**
 * @module operations: maps, reports and answers as tests of whole operations use them: k = 2, N = 3,
 * and of four servers three make a quorum.
 */
import type { PublishReport } from '../../machines/publish-kernel.ts';
import type { VersionReadEnd } from '../../machines/read-version-kernel.ts';
import type { RetrieveReport, ShareSource } from '../../machines/retrieve-kernel.ts';
import type { Servermap, Version } from '../../machines/servermap.ts';
import { goodAt, mapOf, membershipOf, serversOf, versionOf } from './facts.ts';
import { answered, type Walk } from './walk.ts';

export const grid = {
  servers: serversOf(4),
  required: 2,
  total: 3,
  membership: membershipOf(4),
} as const;

/** Share n of `version` on server n, for each of `shnums`. */
export function mapWith(
  version: Version,
  shnums: readonly number[] = [0, 1, 2],
  more: Partial<Servermap> = {},
): Servermap {
  const holdings = shnums.map((n) => goodAt(`s${n}`, n, version));
  return { ...mapOf(grid.servers.length, holdings, [version]), ...more };
}

export const emptyMap: Servermap = mapOf(grid.servers.length, [], []);

export function retrieved(
  kind: RetrieveReport['kind'],
  more: Partial<RetrieveReport> = {},
): RetrieveReport {
  return { kind, required: 2, sources: [], segmentsDelivered: 0, failure: null, ...more };
}

export const corruptSource = (server: string, shnum: number): ShareSource => ({
  server,
  shnum,
  status: 'corrupt',
  failure: { kind: 'corrupt', detail: 'a block' },
});

/** How a read of `version` ended that ran out of shares. */
export function shortOf(
  version: Version,
  map: Servermap,
  more: Partial<Extract<VersionReadEnd, { kind: 'notEnoughShares' }>> = {},
): Extract<VersionReadEnd, { kind: 'notEnoughShares' }> {
  const report = retrieved('notEnoughShares');
  return {
    kind: 'notEnoughShares',
    version,
    report,
    map,
    marked: [],
    segmentsDelivered: 0,
    ...more,
  };
}

export function publishReport(
  kind: PublishReport['kind'],
  more: Partial<PublishReport> = {},
): PublishReport {
  const landed = (more.writes ?? []).filter(({ status }) =>
    ['accepted', 'unknown'].includes(status),
  );
  return {
    kind,
    seqnum: 2,
    base: versionOf(1),
    version: versionOf(2),
    required: 2,
    total: 3,
    quorum: 3,
    writes: [],
    mayHaveLanded: [...new Set(landed.map(({ shnum }) => shnum))],
    surprises: [],
    failures: [],
    unheard: [],
    missing: [],
    ...more,
  };
}

export const opened = answered('openSession', undefined);
export const mapped = (map: Servermap) => answered('servermapUpdate', map);
export const wasRead = (end: VersionReadEnd) => answered('readVersion', end);
export const wasRetrieved = (report: RetrieveReport) => answered('retrieve', report);

/** The last step's effects by name: what was stopped and started. */
export function effects(it: Pick<Walk<never>, 'log'>): readonly string[] {
  return it.log().map((line) => line.split(' ').slice(0, 2).join(' '));
}

/** What the child that the last step started was given, as JSON. */
export function given(it: Pick<Walk<never>, 'log'>, child: string): unknown {
  const begin = `start ${child} `;
  const line = it.log().find((text) => text.startsWith(begin));
  return line === undefined ? undefined : JSON.parse(line.slice(begin.length));
}
