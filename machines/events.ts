/**
 * @module events: what children report to their coordinator, and what callers command.
 *
 * Facts are past tense, commands imperative; every event is JSON. Constructors exist because
 * `sendTo` infers their type and not that of a literal with a nested union.
 */

import type { BlockReport, ServerReport, WriteReport } from './reports.ts';
import type { ServerId, Verdict, Version } from './servermap.ts';

/** A server reported shares; the child is verifying them. */
export interface ServerAnswered {
  readonly type: 'server.answered';
  /** Its id in the map under way. */
  readonly server: ServerId;
  /** As it told, each once; none is judged yet. */
  readonly shnums: readonly number[];
}
/** A server has told which shares it holds. */
export function serverAnswered(server: ServerId, shnums: readonly number[]): ServerAnswered {
  return { type: 'server.answered', server, shnums };
}

/** A server's whole answer is judged, or it will not answer. */
export interface ServerSettled {
  readonly type: 'server.settled';
  /** A verdict on every share that it told of. */
  readonly report: ServerReport;
}
/** All that a server told has been judged. */
export function serverSettled(report: ServerReport): ServerSettled {
  return { type: 'server.settled', report };
}

/** One share of one server is judged. */
export interface ShareJudged {
  readonly type: 'share.judged';
  /** On the server that this child asks. */
  readonly shnum: number;
  /** `unverified` where its bytes did not come. */
  readonly verdict: Verdict;
  /** The version that a good verdict names; of a bad share, that of its signed header. */
  readonly version?: Version;
  /** Whether the signing key was wanted, and this share yielded it. */
  readonly privateKeyFound: boolean;
}
/** A share has been verified, or could not be. */
export function shareJudged(
  shnum: number,
  verdict: Verdict,
  more: { version?: Version | undefined; privateKeyFound?: boolean } = {},
): ShareJudged {
  const { privateKeyFound = false, version } = more;
  const event = { type: 'share.judged', shnum, verdict, privateKeyFound } as const;
  return version === undefined ? event : { ...event, version };
}

/** One test-and-set has its answer, or will not get one. */
export interface WriteSettled {
  readonly type: 'write.settled';
  /** What the server held, and whether the shares are there. */
  readonly report: WriteReport;
}
/** A request to a server has had its answer, or never will. */
export function writeSettled(report: WriteReport): WriteSettled {
  return { type: 'write.settled', report };
}

/** The blocks of one share for the current window are here, or will not come. */
export interface BlocksSettled {
  readonly type: 'blocks.settled';
  /** Of one share and window. */
  readonly report: BlockReport;
}
/** The blocks of a share are here, or will not come. */
export function blocksSettled(report: BlockReport): BlocksSettled {
  return { type: 'blocks.settled', report };
}

/** The caller has lost interest. */
export interface OperationCancel {
  readonly type: 'operation.cancel';
}
/** The caller has given up. */
export function operationCancel(): OperationCancel {
  return { type: 'operation.cancel' };
}
