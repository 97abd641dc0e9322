/**
 * @module examine: what is looked at, and done, for one object of a tree. Nothing that goes wrong with
 * it ends anything else: it is in the examination.
 */
import { type Cap, parseCap } from '../caps.ts';
import type { Encoding } from '../encoding.ts';
import {
  InsufficientCapError,
  NotRepairableError,
  ServerUnavailableError,
  UnrecoverableFileError,
  UnusableEntryError,
} from '../errors.ts';
import { findingOf, isAnyoneHeard, lookAt, type TahoeCheck, tahoeCheck } from '../finding.ts';
import { type ImmutableCap, parseImmutableCap } from '../immutable/caps.ts';
import type { ImmutableFile } from '../immutable-file.ts';
import type { MutableFile } from '../mutable-file.ts';
import { requireObject } from '../refusal.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { LeaseOutcome } from '../runtime/renew-leases.ts';
import { checkMet, type Met } from './met.ts';
import type { ObjectVerdict } from './tally.ts';
import { throwIfOver } from './walk.ts';

/** What to do with each object. */
export interface Examining {
  /** Reads every block of every share. */
  readonly verify?: boolean | undefined;
  /** Repairs what is not healthy. */
  readonly repair?: boolean | undefined;
  /** Renews the leases on all shares, so that nothing expires that is only read. */
  readonly addLease?: boolean | undefined;
}

/** What became of a repair, where one was asked for and the object was not healthy. */
export interface RepairAttempt {
  /** Undefined where nothing was begun: the cap does not give it, or this library cannot do it. */
  readonly after: TahoeCheck | undefined;
  /** Whether anything was begun. */
  readonly isAttempted: boolean;
  /** Whether it is healthy now. */
  readonly isSuccessful: boolean;
  /** Why nothing, or not enough, was written. */
  readonly refusal: unknown;
}

/** What a deep check says of one object. */
export interface Examination {
  /** As it is now. Null where nobody can say; of a literal, and of what is unknown, true. */
  readonly isHealthy: boolean | null;
  /** What was found at first, as Tahoe tells it. Undefined where it could not be looked at. */
  readonly check: TahoeCheck | undefined;
  /** Undefined where none was asked for, or needed. */
  readonly repair: RepairAttempt | undefined;
  /** What became of its leases, where these were asked for. */
  readonly leases: LeaseOutcome | undefined;
  /** Why it could not be looked at, or not be given leases. */
  readonly error: unknown;
}

/** What the grid gives to look at objects with. */
export interface ExamineSetting {
  readonly encoding: Encoding;
  readonly open: (cap: Cap) => MutableFile;
  readonly openImmutable: (cap: ImmutableCap) => ImmutableFile;
}

/** For each call on a file. */
export interface ExamineCall extends OperationOptions {
  readonly signal: AbortSignal;
}

const nothing = { check: undefined, repair: undefined, leases: undefined, error: undefined };

/** @throws the reason of the call's signal, GridClosedError; nothing else */
export async function examine(
  met: Met,
  what: Examining,
  setting: ExamineSetting,
  call: ExamineCall,
): Promise<Examination> {
  if (met.kind === 'ill-formed') {
    const name = met.path.at(-1) ?? '';
    const error = new UnusableEntryError(name, met.problem ?? 'it leads nowhere');
    return { ...nothing, isHealthy: null, error };
  }
  // A literal is its cap, and of what is unknown nothing can be asked.
  if (met.caps.verify === undefined) {
    const check = { 'storage-index': '', results: { healthy: true } };
    return { ...nothing, isHealthy: true, check };
  }
  try {
    return await examined(fileOf(met, setting), what, setting.encoding, call);
  } catch (error) {
    throwIfOver(error, call.signal);
    return { ...nothing, isHealthy: null, error };
  }
}

async function examined(
  file: MutableFile | ImmutableFile,
  { verify = false, repair = false, addLease = false }: Examining,
  encoding: Encoding,
  call: ExamineCall,
): Promise<Examination> {
  const found = await lookAt(file, verify, call);
  const check = tahoeCheck(found, file.cap, encoding);
  if (!isAnyoneHeard(found)) {
    const { servers } = found.map;
    const error = new UnrecoverableFileError('no server has told what it holds', {
      ...{ seen: [], bad: 0, unread: [], servers },
    });
    return { ...nothing, isHealthy: null, check, error };
  }
  const attempt = repair && !found.isHealthy;
  const repaired = attempt ? await attempted(file, encoding, call) : undefined;
  const renewed = addLease ? await renewedOf(file, call) : undefined;
  return {
    isHealthy: repaired?.isSuccessful ?? found.isHealthy,
    check,
    repair: repaired,
    leases: renewed?.leases,
    error: renewed?.error,
  };
}

async function attempted(
  file: MutableFile | ImmutableFile,
  encoding: Encoding,
  call: ExamineCall,
): Promise<RepairAttempt> {
  try {
    const after = await repairOf(file, call);
    return {
      after: tahoeCheck(after, file.cap, encoding),
      isAttempted: true,
      isSuccessful: after.isHealthy,
      refusal: undefined,
    };
  } catch (refusal) {
    throwIfOver(refusal, call.signal);
    return { after: undefined, isAttempted: !isHopeless(refusal), isSuccessful: false, refusal };
  }
}

/** Whether it was clear without any look at the shares. */
function isHopeless(refusal: unknown): boolean {
  if (refusal instanceof InsufficientCapError) return true;
  return refusal instanceof NotRepairableError;
}

async function renewedOf(file: MutableFile | ImmutableFile, call: ExamineCall) {
  try {
    const leases = await file.renewLeases(call);
    const { renewed, absent, failures } = leases;
    const [failed] = renewed.length + absent.length === 0 ? failures : [];
    return { leases, error: failed && unavailable(failed) };
  } catch (error) {
    throwIfOver(error, call.signal);
    return { leases: undefined, error };
  }
}

function unavailable({
  server,
  failure,
}: LeaseOutcome['failures'][number]): ServerUnavailableError {
  return new ServerUnavailableError(server, failure.detail.replace(`server ${server}: `, ''));
}

/** What is counted of it. @throws BadArgumentError */
export function verdictOf(met: Met, examination: Examination): ObjectVerdict {
  checkMet(met);
  requireObject('examination', examination, 'what a deep check has found');
  const { isHealthy, check, repair, leases, error } = examination;
  const hasShares = met.caps.verify !== undefined && isHealthy !== null;
  const after = repair?.after ?? check;
  // That a directory cannot be read is told by its health; unless that says otherwise.
  const isFailed = error !== undefined || (met.error !== undefined && isHealthy !== false);
  return {
    wasHealthy: hasShares ? (check?.results.healthy ?? null) : null,
    isHealthy: hasShares ? isHealthy : null,
    corruptShares: [corruptIn(check), corruptIn(after)],
    ...(repair && { repair: outcomeOf(repair) }),
    ...(isFailed && { isFailed }),
    ...((leases?.failures.length ?? 0) > 0 && { mayLapse: true as const }),
  };
}

function outcomeOf({ isAttempted, isSuccessful }: RepairAttempt) {
  if (!isAttempted) return 'refused';
  return isSuccessful ? 'successful' : 'unsuccessful';
}

function corruptIn(check: TahoeCheck | undefined): number {
  return Number(check?.results['count-corrupt-shares'] ?? 0);
}

function fileOf({ mutable, caps }: Met, { open, openImmutable }: ExamineSetting) {
  const text = caps.write ?? caps.read ?? '';
  return mutable ? open(parseCap(text)) : openImmutable(parseImmutableCap(text));
}

/** @throws what it is refused with */
async function repairOf(file: MutableFile | ImmutableFile, options: OperationOptions) {
  if (!('servermap' in file)) return file.repair(options);
  const { after, isHealthy } = await file.repair(options);
  return { ...findingOf(after), isHealthy };
}
