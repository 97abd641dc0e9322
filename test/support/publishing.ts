/** @module publishing: the books of a publish as tests write them: k = 2, N = 3, happy = 2. */
import {
  apply,
  decide,
  modeOf,
  type PublishPlanInput,
  type PublishRecord,
  planWrites,
  type Write,
  type WriteReport,
} from '../../machines/publish-kernel.ts';
import type { Servermap } from '../../machines/servermap.ts';
import { goodAt, mapOf, versionOf } from './facts.ts';

const v2 = versionOf(2);
/** The version that is being written, over v2. */
export const ourVersion = versionOf(3, 'n');

export function inputOf(map: Servermap, more: Partial<PublishPlanInput> = {}): PublishPlanInput {
  return { map, required: 2, total: 3, happy: 2, wholeShares: true, force: false, ...more };
}

/** The books with everything planned under way, over a map of v2 in full on the first servers. */
export function underWay(count: number, more: Partial<PublishPlanInput> = {}): PublishRecord {
  const holdings = [goodAt('s0', 0, v2), goodAt('s1', 1, v2), goodAt('s2', 2, v2)];
  return begun(planWrites(inputOf(mapOf(count, holdings, [v2]), more)));
}

/** The books of `plan` with our version prepared, and everything planned under way. */
export const begun = (plan: PublishRecord) =>
  startPlanned(apply(plan, { type: 'prepared', version: ourVersion }));
export const startPlanned = (record: PublishRecord) => apply(record, { type: 'begun' });

/** The books after these reports, each taken as the chart takes it. */
export const booked = (record: PublishRecord, ...reports: readonly WriteReport[]) =>
  reports.reduce(
    (r, report) => apply(r, { type: 'settled', report, mode: modeOf(r, report) }),
    record,
  );

export function plannedWrites(record: PublishRecord): readonly Write[] {
  const decision = decide(record);
  return decision.kind === 'write' ? decision.writes : [];
}
