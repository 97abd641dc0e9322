/**
 * @module tahoe-mutable: Tahoe-LAFS mutable files for TypeScript; this part runs in browsers too.
 *
 * `tahoe-mutable/node` opens grids that are described by a file, and knows folders and HTTPS.
 */
export type { Failure } from '../machines/failure.ts';
export type { Deadlines } from '../machines/io.ts';
export type { Surprise } from '../machines/publish-record.ts';
export type { RepairWay } from '../machines/repair-kernel.ts';
export type {
  Hex,
  Holding,
  Known,
  KnownServer,
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
export type { StaleHolding, StaleShare } from '../machines/stale.ts';
export type { ImmutableFinding } from '../machines/verify-immutable-kernel.ts';
export type { BadShare, Verification } from '../machines/verify-kernel.ts';
export type { Bytes } from './bytes.ts';
export {
  type Cap,
  type CapBase,
  type Format,
  formatCap,
  parseCap,
  type ReadCap,
  toReadCap,
  toVerifyCap,
  type VerifyCap,
  type WriteCap,
} from './caps.ts';
export type { Contents } from './contents/contents.ts';
export type { Piece } from './contents/piece.ts';
export { type Spool, type Spooled, spoolInMemory } from './contents/spool.ts';
export type { SigningKey } from './crypto/primitives.ts';
export type { Child } from './directory/child.ts';
export type { Replace } from './directory/edits.ts';
export type { Metadata } from './directory/metadata.ts';
export type { Caps, Target } from './directory/target.ts';
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
export { defaultEncoding, type Encoding, type UnusableSettings } from './encoding.ts';
export * from './errors.ts';
export type * from './facts.ts';
export type { TahoeCheck } from './finding.ts';
export { type CreateDirectoryOptions, type CreateOptions, Grid, type GridOptions } from './grid.ts';
export {
  type ChkCap,
  type ChkFields,
  type ChkVerifyCap,
  formatImmutableCap,
  type ImmutableCap,
  type ImmutableCapBase,
  type LitCap,
  litCapOf,
  parseImmutableCap,
  toImmutableVerifyCap,
} from './immutable/caps.ts';
export type { ImmutableFile } from './immutable-file.ts';
export type { Log } from './log.ts';
export type {
  ChangeCallOptions,
  ModifyCallOptions,
  MutableFile,
  ReadCallOptions,
  RepairCallOptions,
  VersionCallOptions,
  VersionReadCallOptions,
  WriteCallOptions,
} from './mutable-file.ts';
export type { Modifier } from './runtime/job.ts';
export type {
  DeadlineOptions,
  OperationOptions,
  Progress,
  Range,
  Retry,
  RetryOptions,
  WorkBytes,
} from './runtime/options.ts';
export type { FileStat, RepairOutcome, VersionContents, WriteOutcome } from './runtime/outcome.ts';
export type { LeaseFailure, LeaseOutcome } from './runtime/renew-leases.ts';
export type { Clock, Inspect } from './runtime/run.ts';
export type { Plaintext } from './share/plaintext.ts';
export type { CheckedServer, LeaseSecrets } from './storage/checked-server.ts';
export { FetchServer, type FetchServerOptions, type RequestHeaders } from './storage/fetch.ts';
export type { ConnectionStatus, ProtocolServer } from './storage/http-protocol.ts';
export type { ServerVersion } from './storage/http-wire.ts';
export type { IdentityOptions } from './storage/identity.ts';
export { MemoryServer, type MemoryServerOptions } from './storage/memory.ts';
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
export { type Counted, type DeepStats, StatsCounter } from './walk/stats.ts';
export { type ObjectVerdict, Tally } from './walk/tally.ts';
export type { Examined } from './walk/tree.ts';
export type { DeepCheckOptions, WalkOptions, WalkProgress } from './walk/walk-options.ts';
