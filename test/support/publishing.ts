/** @module publishing: the books of a publish as tests write them: k = 2, N = 3, W = 2 of 3. */
import {
  apply,
  decide,
  type PublishPlan,
  type PublishRecord,
  type Request,
  start,
  type WriteReport,
  writesOf,
} from '../../machines/publish-kernel.ts';
import { bestVersion, type Servermap, type Version } from '../../machines/servermap.ts';
import { goodAt, mapOf, type Shown, versionOf, writeReport } from './facts.ts';

const v2 = versionOf(2);
/** The version that is being written, over v2. */
export const ourVersion = versionOf(3, 'n', { parent: v2 });

/** A plan on the best version of the map; a quorum of its servers is the smallest majority. */
export function planOf(map: Servermap, more: Partial<PublishPlan> = {}): PublishPlan {
  const servers = map.servers.length;
  return {
    ...{ map, base: bestVersion(map) ?? null, required: 2, total: 3 },
    quorum: { servers, size: Math.floor(servers / 2) + 1 },
    ...{ wholeShares: true, force: false, ...more },
  };
}

/** The books over a map of v2 in full on the first servers, our version prepared, nothing sent. */
export function prepared(count: number, more: Partial<PublishPlan> = {}): PublishRecord {
  const holdings = [goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', 2, v2)];
  return begun(planOf(mapOf(count, holdings, [v2]), more));
}

/** The books of `plan` with our version prepared. */
export const begun = (plan: PublishPlan) =>
  apply(start(plan), { type: 'prepared', version: ourVersion });

/** The same with everything under way that may be sent. */
export const underWay = (count: number, more: Partial<PublishPlan> = {}) =>
  sent(prepared(count, more));

export function requestsOf(record: PublishRecord): readonly Request[] {
  const decision = decide(record);
  return decision.kind === 'write' ? decision.requests : [];
}

export const sent = (record: PublishRecord) =>
  apply(record, { type: 'sent', requests: requestsOf(record) });

/** The books after these reports, with everything sent that each of them allows. */
export const booked = (record: PublishRecord, ...reports: readonly WriteReport[]) =>
  reports.reduce((r, report) => sent(apply(r, { type: 'settled', report })), record);

/** Who is to get which shares: `s0:0,2`. */
export const next = (record: PublishRecord) =>
  requestsOf(record).map(({ server, shnums }) => `${server}:${shnums}`);

/** What became of each share: `s0:0 accepted`. */
export const statusesOf = (record: PublishRecord) =>
  writesOf(record).map(({ server, shnum, status }) => `${server}:${shnum} ${status}`);

export const targetOf = (record: PublishRecord, server: string) =>
  record.targets.find((target) => target.server === server);

/** What a server shows: a share of a version, or bytes that nobody has signed. */
export const is = (shnum: number, version: Version): Shown => ({ shnum, version });
export const claims = (shnum: number, checkstring: string): Shown => ({ shnum, checkstring });

export const accepts = (server: string) => writeReport(server, 'accepted');
export const fails = (server: string) => writeReport(server, 'failed');
export const surprises = (server: string, ...shown: readonly Shown[]) =>
  writeReport(server, 'surprised', shown);
