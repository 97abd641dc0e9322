/**
 * @module machines: the statecharts of Tahoe's mutable-file protocols, pure: no IO, no clock, no
 * randomness. `tahoe-mutable` provides the IO; tests and the visualizer provide other ones.
 */
export {
  type BlockReadContext,
  type BlockReadInput,
  blockReadMachine,
  blockReadSummary,
} from './block-read.machine.ts';
export {
  type DownloadFileContext,
  type DownloadFileInput,
  type DownloadFileReport,
  downloadFileMachine,
  downloadFileSummary,
} from './download-file.machine.ts';
export * as downloadKernel from './download-kernel.ts';
export * from './events.ts';
export { historicUpdateMachine, updateMachineFor } from './historic-rules.ts';
export type * from './io.ts';
export * from './limits.ts';
export * from './lineage.ts';
export {
  type PublishContext,
  type PublishInput,
  publishMachine,
  publishSummary,
} from './publish.machine.ts';
export { claimsIn } from './publish-claims.ts';
export * as publishKernel from './publish-kernel.ts';
export * as quorum from './quorum.ts';
export {
  type ReadFileContext,
  type ReadFileInput,
  type ReadFileReport,
  readFileMachine,
  readFileSummary,
  type VersionUnconfirmed,
} from './read-file.machine.ts';
export * as readKernel from './read-kernel.ts';
export {
  type ReadVersionContext,
  type ReadVersionInput,
  readVersionMachine,
  readVersionSummary,
} from './read-version.machine.ts';
export * as readVersionKernel from './read-version-kernel.ts';
export {
  type RepairFileContext,
  type RepairFileInput,
  type RepairFileReport,
  repairFileMachine,
  repairFileSummary,
} from './repair-file.machine.ts';
export * as repairKernel from './repair-kernel.ts';
export type * from './reports.ts';
export {
  type RetrieveContext,
  type RetrieveInput,
  retrieveMachine,
  retrieveSummary,
} from './retrieve.machine.ts';
export * as retrieveKernel from './retrieve-kernel.ts';
export * from './rewrite.ts';
export * from './rules.ts';
export {
  type ServerQueryContext,
  type ServerQueryInput,
  serverQueryMachine,
  serverQuerySummary,
} from './server-query.machine.ts';
export * from './servermap.ts';
export {
  type ServermapUpdateContext,
  type ServermapUpdateInput,
  servermapUpdateMachine,
  servermapUpdateSummary,
} from './servermap-update.machine.ts';
export {
  type ShareWriteContext,
  type ShareWriteInput,
  shareWriteMachine,
  shareWriteSummary,
} from './share-write.machine.ts';
export * from './stale.ts';
export * as updateKernel from './update-kernel.ts';
export {
  type VerifyFileContext,
  type VerifyFileInput,
  type VerifyFileReport,
  verifyFileMachine,
  verifyFileSummary,
} from './verify-file.machine.ts';
export {
  type VerifyImmutableContext,
  type VerifyImmutableInput,
  type VerifyImmutableReport,
  verifyImmutableMachine,
  verifyImmutableSummary,
} from './verify-immutable.machine.ts';
export * as verifyImmutableKernel from './verify-immutable-kernel.ts';
export * as verifyKernel from './verify-kernel.ts';
export {
  type AttemptCollided,
  type WriteFileContext,
  type WriteFileInput,
  type WriteFileReport,
  writeFileMachine,
  writeFileSummary,
} from './write-file.machine.ts';
export * as writeKernel from './write-kernel.ts';
