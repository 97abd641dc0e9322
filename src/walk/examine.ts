/**
 * @module examine: what is looked at, and done, for one object of a tree. Nothing that goes wrong with
 * it ends anything else: it is in the examination.
 */
import type { Failure } from '../../machines/failure.ts';
import { type Cap, parseCap } from '../caps.ts';
import type { Encoding } from '../encoding.ts';
import {
  InsufficientCapError,
  ServerUnavailableError,
  TahoeMutableError,
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
  /** What became of its leases, where these were asked for. */
  readonly leases: Renewal | undefined;
  /** Why it could not be looked at, or not be given leases. */
  readonly error: unknown;
}

/** Servers, by whether they hold shares whose leases are renewed, hold none, or cannot be asked. */
export interface Renewal {
  readonly renewed: readonly string[];
  readonly absent: readonly string[];
  readonly failures: readonly { readonly server: string; readonly failure: Failure }[];
}

/** What the grid gives to look at objects with. */
export interface ExamineSetting {
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
  renewLeases(options: OperationOptions): Promise<Renewal>;
}

const nothing = { check: undefined, repair: undefined, leases: undefined, error: undefined };

/** @throws the reason of `signal`, GridClosedError; nothing else */
export async function examine(
  met: Met,
  what: Examining,
  setting: ExamineSetting,
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
    return await examined(subjectOf(met, setting), what, setting.encoding, signal);
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
    return { after: undefined, isAttempted: !isHopeless(refusal), isSuccessful: false, refusal };
  }
}

/** Whether it was clear without any look at the shares. */
function isHopeless(refusal: unknown): boolean {
  if (refusal instanceof InsufficientCapError) return true;
  return refusal instanceof TahoeMutableError && refusal.code === 'UnrepairableFileError';
}

async function renewedOf(subject: Subject, signal: AbortSignal) {
  try {
    const leases = await subject.renewLeases({ signal });
    const { renewed, absent, failures } = leases;
    const [failed] = renewed.length + absent.length === 0 ? failures : [];
    return { leases, error: failed && unavailable(failed) };
  } catch (error) {
    throwIfOver(error, signal);
    return { leases: undefined, error };
  }
}

function unavailable({ server, failure }: Renewal['failures'][number]): ServerUnavailableError {
  return new ServerUnavailableError(server, failure.detail.replace(`server ${server}: `, ''));
}

/** What is counted of it. */
export function verdictOf(met: Met, examination: Examination): ObjectVerdict {
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

function subjectOf({ mutable, caps }: Met, { open, openImmutable }: ExamineSetting): Subject {
  const text = caps.write ?? caps.read ?? '';
  if (mutable) return mutableSubject(open(parseCap(text)));
  return immutableSubject(openImmutable(parseImmutableCap(text)));
}

/** What files can do, as far as they can do it by now. */
type Able = {
  readonly [Method in 'check' | 'verify' | 'repair']?: (o: OperationOptions) => Promise<Finding>;
} & { readonly renewLeases?: (options: OperationOptions) => Promise<Renewal> };

/** Until every kind of file can do it. */
function ableTo<Name extends keyof Able>(file: Able, name: Name): Required<Able>[Name] {
  const method = file[name];
  if (method === undefined) throw new Error(`${name} is not there yet for this kind of file`);
  return method.bind(file) as Required<Able>[Name];
}

function mutableSubject(file: MutableFile): Subject {
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
    renewLeases: async (options) => ableTo(file as object, 'renewLeases')(options),
  };
}

function immutableSubject(file: ImmutableFile): Subject {
  const able = file as object;
  return {
    cap: file.cap,
    check: async (options) => ableTo(able, 'check')(options),
    verify: async (options) => ableTo(able, 'verify')(options),
    repair: async (options) => ableTo(able, 'repair')(options),
    renewLeases: async (options) => ableTo(able, 'renewLeases')(options),
  };
}
