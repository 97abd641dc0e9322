/**
 * @module outcome-text: what a write has come to, in one line.
 */
import type { WriteOutcome } from '../runtime/outcome.ts';
import { nameText } from '../version-name.ts';
import { counted, inRuns, oneLine } from './plain-text.ts';

/** Where the new version is, what is missing of it, and what it could not replace. */
export function outcomeText(outcome: WriteOutcome): string {
  const { seqnum, placed, missing, stale, inPlace, base } = outcome;
  // No data, no write: the version is the one that was there.
  if (placed.length === 0) return `version ${seqnum}: as it was, for there is nothing to write`;
  const servers = new Set(placed.map(({ server }) => server)).size;
  const shares = new Set(placed.map(({ shnum }) => shnum)).size;
  const how = inPlace ? ', changed in place' : '';
  const on = base === null ? '' : `, built on version ${nameText(base)}`;
  const short = missing.length === 0 ? '' : `; no place was found for share ${inRuns(missing)}`;
  const old = stale.map(
    ({ server, shnum, reason }) => `; old share ${shnum} stays on ${server}: ${oneLine(reason)}`,
  );
  const where = `${counted(shares, 'share')} on ${counted(servers, 'server')}`;
  return `version ${seqnum}${on}: ${where}${how}${short}${old.join('')}`;
}
