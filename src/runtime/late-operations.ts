/**
 * @module late-operations: `operations.ts` and `write-operations.ts`, loaded with the first operation of
 * each: charts, codecs and what makes and checks shares are most of this package, and who looks at caps
 * needs none of them.
 */
import { onDemand } from '../on-demand.ts';
import type { SessionSetting } from './new-session.ts';
import type * as Operations from './operations.ts';
import type * as Leases from './renew-leases.ts';
import type { Workbench } from './workbench.ts';
import type * as Writes from './write-operations.ts';

const benches = onDemand(() => import('./workbench.ts'));
const sessions = onDemand(() => import('./new-session.ts'));
const operations = onDemand(() => import('./operations.ts'));
const writes = onDemand(() => import('./write-operations.ts'));
const leases = onDemand(() => import('./renew-leases.ts'));

/** Loads all of it now: for who cannot load anything later. */
export async function loadOperations(): Promise<void> {
  await Promise.all([benches(), sessions(), operations(), writes(), leases()]);
}

export const createFile: typeof Writes.createFile = async (...asked) =>
  (await writes()).createFile(...asked);
export const mapFile: typeof Operations.mapFile = async (...asked) =>
  (await operations()).mapFile(...asked);
export const modifyFile: typeof Writes.modifyFile = async (...asked) =>
  (await writes()).modifyFile(...asked);
export const readFile: typeof Operations.readFile = async (...asked) =>
  (await operations()).readFile(...asked);
export const repairFile: typeof Writes.repairFile = async (...asked) =>
  (await writes()).repairFile(...asked);
export const statFile: typeof Operations.statFile = async (...asked) =>
  (await operations()).statFile(...asked);
export const streamFile: typeof Operations.streamFile = async (...asked) =>
  (await operations()).streamFile(...asked);
export const verifyFile: typeof Operations.verifyFile = async (...asked) =>
  (await operations()).verifyFile(...asked);
export const writeContents: typeof Writes.writeContents = async (...asked) =>
  (await writes()).writeContents(...asked);

export const renewLeases: typeof Leases.renewLeases = async (...asked) =>
  (await leases()).renewLeases(...asked);

/** Each attempt has a session of its own. */
export async function newBench(setting: SessionSetting): Promise<Workbench> {
  const [{ Workbench }, { newSession }] = await Promise.all([benches(), sessions()]);
  return new Workbench(() => newSession(setting));
}
