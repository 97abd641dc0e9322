/**
 * @module failure: what a rejected call becomes in the charts' closed vocabulary.
 *
 * Only bytes that arrived can prove corruption. Everything else is `unreachable`: a lost
 * connection is never held against a share.
 */
import type { Failure } from '../../machines/io.ts';
import { reasonOf } from '../../machines/reason.ts';
import {
  AnswerLostError,
  BadContainerError,
  BadWriteEnablerError,
  CorruptShareError,
  NoSuchShareError,
  ServerUnavailableError,
  UnknownVersionError,
} from '../errors.ts';
import { withoutSecrets } from '../redacted.ts';

/** @throws what is no expected failure: a bug, for the chart's `onError` to report */
export function toFailure(error: unknown): Failure {
  if (isCorruption(error)) return { kind: 'corrupt', detail: error.message };
  if (error instanceof ServerUnavailableError || error instanceof AnswerLostError) {
    return { kind: 'unreachable', detail: clearOf(error) };
  }
  if (error instanceof NoSuchShareError) return { kind: 'unreachable', detail: error.message };
  if (error instanceof BadWriteEnablerError) return { kind: 'refused', detail: error.message };
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { kind: 'timeout', detail: error.message };
  }
  if (error instanceof DOMException && error.name === 'AbortError') {
    return { kind: 'cancelled', detail: 'cancelled' };
  }
  throw clear(error);
}

/** A server may be anybody's, and quote what it was told: failures are told to people and logs. */
function clearOf({ message, facts }: ServerUnavailableError | AnswerLostError): string {
  const problem = withoutSecrets(facts.problem);
  return problem === facts.problem ? message : `server ${facts.server}: ${problem}`;
}

/** The same of a bug of a server's. */
function clear(bug: unknown): unknown {
  const said = reasonOf(bug);
  const problem = withoutSecrets(said);
  return problem === said ? bug : new Error(problem);
}

/** Whether the bytes of the share themselves are at fault. */
export function isCorruption(error: unknown): error is Error {
  return (
    error instanceof CorruptShareError ||
    error instanceof UnknownVersionError ||
    error instanceof BadContainerError
  );
}
