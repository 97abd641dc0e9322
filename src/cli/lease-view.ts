/**
 * @module lease-view: what has come of renewing the leases of a file.
 */
import type { LeaseOutcome } from '../runtime/renew-leases.ts';
import { EXIT_FAILED, EXIT_UNHEALTHY } from './exit-codes.ts';
import { counted } from './plain-text.ts';
import { type Named, reasonAlone, serverName } from './servermap-view.ts';

/** On one line. */
export function leaseText(
  { renewed, absent, failures }: LeaseOutcome,
  servers: readonly Named[],
): string {
  const asked = renewed.length + absent.length + failures.length;
  if (asked === 0) return 'is on no server: it is in its cap';
  const failed = failures.map(
    ({ server, failure }) => `; ${serverName(servers, server)}: ${reasonAlone(server, failure)}`,
  );
  return `leases on ${counted(renewed.length, 'server')} renewed${failed.join('')}`;
}

/** 0 where every server has answered, and some hold it: what is not known may lapse. */
export function leaseExitCode({ renewed, absent, failures }: LeaseOutcome): number {
  if (failures.length > 0) {
    return renewed.length + absent.length === 0 ? EXIT_FAILED : EXIT_UNHEALTHY;
  }
  return renewed.length === 0 && absent.length > 0 ? EXIT_UNHEALTHY : 0;
}
