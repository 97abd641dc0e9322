/**
 * @module failure: what a rejected call becomes in the charts' closed vocabulary.
 *
 * Only bytes that arrived can prove corruption. Everything else is `unreachable`: a lost
 * connection is never held against a share.
 */
import type { Failure } from '../../machines/io.ts';
import {
  AnswerLostError,
  BadContainerError,
  BadWriteEnablerError,
  CorruptShareError,
  NoSuchShareError,
  ServerUnavailableError,
  UnknownVersionError,
} from '../errors.ts';

/** @throws what is no expected failure: a bug, for the chart's `onError` to report */
export function toFailure(error: unknown): Failure {
  if (isCorruption(error)) return { kind: 'corrupt', detail: error.message };
  if (
    error instanceof ServerUnavailableError ||
    error instanceof AnswerLostError ||
    error instanceof NoSuchShareError
  ) {
    return { kind: 'unreachable', detail: error.message };
  }
  if (error instanceof BadWriteEnablerError) return { kind: 'refused', detail: error.message };
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return { kind: 'timeout', detail: error.message };
  }
  if (error instanceof DOMException && error.name === 'AbortError') {
    return { kind: 'cancelled', detail: 'cancelled' };
  }
  throw error;
}

/** Whether the bytes of the share themselves are at fault. */
export function isCorruption(error: unknown): error is Error {
  return (
    error instanceof CorruptShareError ||
    error instanceof UnknownVersionError ||
    error instanceof BadContainerError
  );
}
