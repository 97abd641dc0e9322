/**
 * @module quorum-step: a world of writers over a quorum, and what a step makes of it.
 */
import type { Violation } from './quorum-model.ts';
import type { Mark } from './quorum-parts.ts';

export type World = readonly number[];

/** Where a version has landed that may yet win W servers: bits of servers and of share numbers. */
export interface Landing {
  readonly mark: Mark;
  readonly servers: number;
  readonly shnums: number;
}

/** What happened, for a trace. */
export type Told = (name: Names) => readonly string[];

/** How versions and writers are called in a trace. */
export interface Names {
  readonly writer: (index: number, attempt: number) => string;
  readonly row: (id: number) => string;
  readonly mark: (mark: Mark) => string;
  /** From now on `mark` is called after its writer. */
  readonly call: (mark: Mark, index: number, attempt: number) => void;
}

/** @param next null: nothing changes but what was found */
export type Emit = (next: World | null, violation: Violation | undefined, told: Told) => void;

/**
 * What may come of a request: it lands, or finds something else; its writer hears that it has
 * landed; or its writer goes on without it.
 */
export type Outcome = 'hears' | 'finds' | 'lands' | 'givesUp';

/** What was planned from sets of servers that were heard at last. */
export type Covers = {
  readonly now: readonly number[];
  readonly base: Mark;
  readonly seqnum: number;
}[];
