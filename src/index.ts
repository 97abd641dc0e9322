/**
 * @module tahoe-mutable: Tahoe-LAFS mutable files for TypeScript; this part runs in browsers too.
 *
 * `tahoe-mutable/node` opens grids that are described by a file, and knows folders and HTTPS.
 */
export type {
  Holding,
  Mode,
  Place,
  Servermap,
  ServerStatus,
  Verdict,
  Version,
} from '../machines/servermap.ts';
export {
  bestVersion,
  recoverableVersions,
  sharesOf,
  unrecoverableVersions,
} from '../machines/servermap.ts';
export type { ImmutableFinding } from '../machines/verify-immutable-kernel.ts';
export type { Verification } from '../machines/verify-kernel.ts';
export type { Bytes } from './bytes.ts';
export {
  type Cap,
  type Format,
  formatCap,
  parseCap,
  type ReadCap,
  toReadCap,
  toVerifyCap,
  type VerifyCap,
  type WriteCap,
} from './caps.ts';
export type { SigningKey } from './crypto/primitives.ts';
export type { Child } from './directory/child.ts';
export type { Replace } from './directory/edits.ts';
export type { Metadata } from './directory/metadata.ts';
export type { Caps } from './directory/target.ts';
export type {
  AddCallOptions,
  Attempt,
  Directory,
  EditCallOptions,
  EditOutcome,
  Linked,
  Listing,
  MoveOutcome,
  NewChild,
} from './directory.ts';
export { defaultEncoding, type Encoding } from './encoding.ts';
export * from './errors.ts';
export type * from './facts.ts';
export { type CreateDirectoryOptions, type CreateOptions, Grid, type GridOptions } from './grid.ts';
export {
  type ChkCap,
  type ChkVerifyCap,
  formatImmutableCap,
  type ImmutableCap,
  type LitCap,
  litCapOf,
  parseImmutableCap,
  toImmutableVerifyCap,
} from './immutable/caps.ts';
export type { ImmutableFile } from './immutable-file.ts';
export type {
  ChangeCallOptions,
  Contents,
  ModifyCallOptions,
  MutableFile,
  ReadCallOptions,
  RepairCallOptions,
  VersionCallOptions,
  VersionReadCallOptions,
  WriteCallOptions,
} from './mutable-file.ts';
export type { Modifier } from './runtime/job.ts';
export type { Progress } from './runtime/options.ts';
export type { FileStat, RepairOutcome, VersionContents, WriteOutcome } from './runtime/outcome.ts';
export type { LeaseFailure, LeaseOutcome } from './runtime/renew-leases.ts';
export type { Clock } from './runtime/run.ts';
export type { Plaintext } from './share/plaintext.ts';
export { MemoryServer } from './storage/memory.ts';
export type * from './storage/server.ts';
export type { VersionChoice, VersionName } from './version-name.ts';
export {
  type Examination,
  type Examining,
  type RepairAttempt,
  verdictOf,
} from './walk/examine.ts';
export { type Extent, type ManifestEntry, type Met, manifestEntryOf } from './walk/met.ts';
export { recordOf, type WalkRecord } from './walk/record.ts';
export { type DeepStats, StatsCounter } from './walk/stats.ts';
export { Tally } from './walk/tally.ts';
export type {
  DeepCheckOptions,
  Examined,
  WalkOptions,
  WalkProgress,
} from './walk/tree.ts';
