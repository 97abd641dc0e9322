/**
 * @module late-downloads: what is done with immutable files, loaded with the first of them.
 */

import type { Servermap } from '../../machines/servermap.ts';
import type { ImmutableFinding } from '../../machines/verify-immutable-kernel.ts';
import { onDemand } from '../on-demand.ts';
import type * as Downloads from './download.ts';
import type { Download, DownloadSetting } from './download-session.ts';
import type * as Looks from './verify-immutable.ts';

const downloads = onDemand(() => import('./download.ts'));
const sessions = onDemand(() => import('./download-session.ts'));
const kernel = onDemand(() => import('../../machines/verify-immutable-kernel.ts'));
const looks = onDemand(() => import('./verify-immutable.ts'));

export const downloadFile: typeof Downloads.downloadFile = async (...asked) =>
  (await downloads()).downloadFile(...asked);
export const downloadStream: typeof Downloads.downloadStream = async (...asked) =>
  (await downloads()).downloadStream(...asked);
export const mapClaims: typeof Looks.mapClaims = async (...asked) =>
  (await looks()).mapClaims(...asked);
export const verifyImmutable: typeof Looks.verifyImmutable = async (...asked) =>
  (await looks()).verifyImmutable(...asked);

export async function newDownload(setting: DownloadSetting): Promise<Download> {
  const { Download } = await sessions();
  return new Download(setting);
}

export async function findingIn(map: Servermap): Promise<ImmutableFinding> {
  return (await kernel()).findingIn(map);
}
