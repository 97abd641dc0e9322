/**
 * @module quorum-repair: what a repair among writers over a quorum would write.
 */
import type { PublishPlan, PublishRecord } from '../../machines/publish-kernel.ts';
import type { Membership } from '../../machines/quorum.ts';
import type { RetrieveReport } from '../../machines/retrieve-kernel.ts';
import type { Format, Servermap, Version } from '../../machines/servermap.ts';
import type { Kernels } from './quorum-model.ts';

/** What a look of a repairer leads to. */
interface RepairPlanned {
  readonly base: Version | null;
  /** Null: nothing can be written, or has to be. */
  readonly record: PublishRecord | null;
  readonly isNeedless: boolean;
}

/** What the kernels come to on this map. */
export function planRepair(
  kernels: Kernels,
  map: Servermap,
  membership: Membership,
): RepairPlanned {
  const plan = planOf(kernels.repair, map, membership);
  if (plan === null) return { base: null, record: null, isNeedless: false };
  const record = kernels.start(plan);
  const isReady = kernels.decide(record).kind === 'prepare';
  const isNeedless = isReady && writesMore(kernels, map, record);
  return { base: plan.base, record: isReady ? record : null, isNeedless };
}

/** The plan, where all blocks turn out to be good. */
function planOf(
  { start, decide, apply }: Kernels['repair'],
  map: Servermap,
  membership: Membership,
): PublishPlan | null {
  const [version] = Object.values(map.versions);
  if (version === undefined) return null;
  const { required, total } = version;
  const grid = { servers: map.servers.map(({ id }) => id), required, total, membership };
  const format = version.format as Format;
  const report: RetrieveReport = {
    ...{ kind: 'delivered', required, sources: [], segmentsDelivered: 0, failure: null },
  };
  let record = start({ format, grid, force: false, newest: null }, true);
  for (;;) {
    const next = decide(record);
    switch (next.kind) {
      case 'map':
        record = apply(record, { type: 'mapped', map });
        break;
      case 'judge':
        record = apply(record, { type: 'judged', version: next.version.id, report });
        break;
      case 'read':
        record = apply(record, { type: 'read', end: { kind: 'delivered', version: next.version } });
        break;
      case 'publish':
        return next.plan;
      default:
        return null;
    }
  }
}

/**
 * Whether a repair is about to write over a good share of the version that it repairs; or makes a
 * new one where there is nothing but that version, good or rotten.
 */
function writesMore(
  { firstRequests }: Pick<Kernels, 'firstRequests'>,
  { versions, holdings }: Servermap,
  record: PublishRecord,
): boolean {
  const { base, isAgain = false } = record;
  if (!isAgain) {
    const isOwn = holdings.every(
      ({ verdict }) => verdict.kind !== 'bad' || verdict.head === base?.checkstring,
    );
    return isOwn && Object.keys(versions).length === 1;
  }
  return firstRequests(record).some(({ server, shnums }) =>
    holdings.some(
      (it) =>
        it.server === server &&
        shnums.includes(it.shnum) &&
        it.verdict.kind === 'good' &&
        it.verdict.version === base?.id,
    ),
  );
}
