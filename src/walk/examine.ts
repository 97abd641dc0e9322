/**
 * @module examine: what is looked at, and done, for one object of a tree. Nothing that goes wrong with
 * it ends anything else: it is in the examination.
 */
import { type Cap, parseCap } from '../caps.ts';
import type { Encoding } from '../encoding.ts';
import {
  InsufficientCapError,
  NotRepairableError,
  UnrecoverableFileError,
  UnusableEntryError,
} from '../errors.ts';
import { type Finding, findingOf, isAnyoneHeard, type TahoeCheck, tahoeCheck } from '../finding.ts';
import { type ImmutableCap, parseImmutableCap } from '../immutable/caps.ts';
import type { ImmutableFile } from '../immutable-file.ts';
import type { MutableFile } from '../mutable-file.ts';
import type { OperationOptions } from '../runtime/options.ts';
import type { Met } from './met.ts';
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
  readonly isAttempted: boolean;
  readonly isSuccessful: boolean;
  /** Why nothing, or not enough, was written. */
  readonly refusal: unknown;
}

export interface Examination {
  /** As it is now. Null where nobody can say; of a literal, and of what is unknown, true. */
  readonly isHealthy: boolean | null;
  /** What was found at first, as Tahoe tells it. Undefined where it could not be looked at. */
  readonly check: TahoeCheck | undefined;
  readonly repair: RepairAttempt | undefined;
  readonly leases: unknown;
  /** Why it could not be looked at, or not be given leases. */
  readonly error: unknown;
}

/** Where the objects are. */
export interface Holdings {
  readonly encoding: Encoding;
  readonly open: (cap: Cap) => MutableFile;
  readonly openImmutable: (cap: ImmutableCap) => ImmutableFile;
}

/** What is asked of an object that is on servers. */
interface Subject {
  readonly cap: Cap | ImmutableCap;
  check(options: OperationOptions): Promise<Finding>;
  verify(options: OperationOptions): Promise<Finding>;
  /** @throws what a repair is refused with */
  repair(options: OperationOptions): Promise<Finding>;
  renewLeases(options: OperationOptions): Promise<unknown>;
}

const nothing = { check: undefined, repair: undefined, leases: undefined, error: undefined };

/** @throws the reason of `signal`, GridClosedError; nothing else */
export async function examine(
  met: Met,
  what: Examining,
  holdings: Holdings,
  signal: AbortSignal,
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
    return await examined(subjectOf(met, holdings), what, holdings.encoding, signal);
  } catch (error) {
    throwIfOver(error, signal);
    return { ...nothing, isHealthy: null, error };
  }
}

async function examined(
  subject: Subject,
  { verify = false, repair = false, addLease = false }: Examining,
  encoding: Encoding,
  signal: AbortSignal,
): Promise<Examination> {
  const { cap } = subject;
  const found = await (verify ? subject.verify({ signal }) : subject.check({ signal }));
  const check = tahoeCheck(found, cap, encoding);
  if (!isAnyoneHeard(found)) {
    const error = new UnrecoverableFileError('no server has told what it holds');
    return { ...nothing, isHealthy: null, check, error };
  }
  const attempt = repair && !found.isHealthy;
  const repaired = attempt ? await attempted(subject, encoding, signal) : undefined;
  const renewed = addLease ? await renewedOf(subject, signal) : undefined;
  return {
    isHealthy: repaired?.isSuccessful ?? found.isHealthy,
    check,
    repair: repaired,
    leases: renewed?.leases,
    error: renewed?.error,
  };
}

async function attempted(
  subject: Subject,
  encoding: Encoding,
  signal: AbortSignal,
): Promise<RepairAttempt> {
  try {
    const after = await subject.repair({ signal });
    return {
      after: tahoeCheck(after, subject.cap, encoding),
      isAttempted: true,
      isSuccessful: after.isHealthy,
      refusal: undefined,
    };
  } catch (refusal) {
    throwIfOver(refusal, signal);
    const isHopeless =
      refusal instanceof InsufficientCapError || refusal instanceof NotRepairableError;
    return { after: undefined, isAttempted: !isHopeless, isSuccessful: false, refusal };
  }
}

async function renewedOf(subject: Subject, signal: AbortSignal) {
  try {
    return { leases: await subject.renewLeases({ signal }), error: undefined };
  } catch (error) {
    throwIfOver(error, signal);
    return { leases: undefined, error };
  }
}

/** What is counted of it. */
export function verdictOf(
  met: Met,
  { isHealthy, check, repair, error }: Examination,
): ObjectVerdict {
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
  };
}

function outcomeOf({ isAttempted, isSuccessful }: RepairAttempt) {
  if (!isAttempted) return 'refused';
  return isSuccessful ? 'successful' : 'unsuccessful';
}

function corruptIn(check: TahoeCheck | undefined): number {
  return Number(check?.results['count-corrupt-shares'] ?? 0);
}

function subjectOf({ mutable, caps }: Met, { open, openImmutable }: Holdings): Subject {
  const text = caps.write ?? caps.read ?? '';
  if (mutable) return mutableSubject(open(parseCap(text)));
  return immutableSubject(openImmutable(parseImmutableCap(text)));
}

/** Until files have it themselves. */
interface Leased {
  renewLeases?(options: OperationOptions): Promise<unknown>;
}

function renewalOf(file: Leased): Subject['renewLeases'] {
  return async (options) => {
    if (file.renewLeases === undefined) throw new Error('leases cannot be renewed yet');
    return file.renewLeases(options);
  };
}

function mutableSubject(file: MutableFile & Leased): Subject {
  const check = async (options: OperationOptions) =>
    findingOf(await file.servermap({ ...options, mode: 'check' }));
  return {
    cap: file.cap,
    check,
    verify: async (options) => {
      try {
        return await file.verify(options);
      } catch (error) {
        // That nothing can be read is a finding.
        if (error instanceof UnrecoverableFileError) return check(options);
        throw error;
      }
    },
    repair: async (options) => {
      const { after, isHealthy } = await file.repair(options);
      return { ...findingOf(after), isHealthy };
    },
    renewLeases: renewalOf(file),
  };
}

/** Until files have it themselves. */
interface Checked {
  check?(options: OperationOptions): Promise<Finding>;
  verify?(options: OperationOptions): Promise<Finding>;
}

function immutableSubject(file: ImmutableFile & Leased & Checked): Subject {
  const missing = (): Promise<Finding> => {
    throw new Error('immutable files cannot be checked yet');
  };
  return {
    cap: file.cap,
    check: async (options) => file.check?.(options) ?? missing(),
    verify: async (options) => file.verify?.(options) ?? missing(),
    repair: async () => {
      throw new NotRepairableError('an immutable file');
    },
    renewLeases: renewalOf(file),
  };
}
