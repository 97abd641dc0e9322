/**
 * @module io: the IO that the charts name and `src/runtime/` provides.
 *
 * An expected failure is a value (`ok: false`); a rejection is a bug and ends the operation with
 * an `internal` outcome. Inputs and results are JSON-plain: the bytes stay with the provider,
 * which knows them by (server, shnum) or by segment.
 */
import { type CallbackActorLogic, fromCallback, fromPromise, type PromiseActorLogic } from 'xstate';
import type { ShareJudged } from './events.ts';
import type { Failure, Result } from './failure.ts';
import type { PlannedRequest, SeenShare, WriteTest } from './reports.ts';
import type { InPlace, Recipe, Span } from './rewrite.ts';
import type { Hex, Place, ServerId, Servermap, Version } from './servermap.ts';

export { type Failure, failed, internalFailure, type Result } from './failure.ts';
export type { SeenShare } from './reports.ts';

/** How long to wait, in milliseconds of the actor system's clock. */
export interface Deadlines {
  /** For the list of a server's shares, and for a renewed lease; 15,000 by default. */
  readonly queryMs: number;
  /** For the header of a share, its key and its signature; 15,000 by default. */
  readonly verifyMs: number;
  /** For the blocks of one share that are read at once; 30,000 by default. */
  readonly readMs: number;
  /** For one write of shares to a server; 60,000 by default. */
  readonly writeMs: number;
}

/** Which shares does a server hold? */
export interface QueryInput {
  /** Its id in the map under way. */
  readonly server: ServerId;
  /** Whether a share will have to yield the signing key: it may be asked for at once. */
  readonly wantsPrivateKey: boolean;
}
/** Their numbers. */
export type QueryResult = Result<{ readonly shnums: readonly number[] }>;

/** Are these shares of a server good? */
export interface VerifyInput {
  /** Its id in the map under way. */
  readonly server: ServerId;
  /** All that it told of: each gets a `share.judged` of its own. */
  readonly shnums: readonly number[];
  /** Whether good shares are to yield the signing key as well. */
  readonly wantsPrivateKey: boolean;
  /** Whether each share has to prove its number. */
  readonly wantsNumbers: boolean;
}

/** These shares, if every test holds: one for each share number. */
export interface WriteInput {
  /** Its id in the map. */
  readonly server: ServerId;
  /** Of the shares that are written. */
  readonly shnums: readonly number[];
  /** By share number, of every one below N. */
  readonly tests: readonly WriteTest[];
}
/** What a server answered to a write. */
export type WriteResult =
  | {
      readonly kind: 'answered';
      readonly wrote: boolean;
      /** Every share of the slot on this server just before the write. */
      readonly seen: readonly SeenShare[];
    }
  /** The server said no: another write enabler, or it can not store it. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** The request certainly had no effect. */
  | { readonly kind: 'notSent'; readonly failure: Failure }
  /** The request may have had its effect. */
  | { readonly kind: 'answerLost'; readonly failure: Failure };

/** What is in these places now? */
export interface RereadInput {
  /** Its id in the map: the one whose answer was lost. */
  readonly server: ServerId;
}
/**
 * Every share that the server holds of the file now; the lost answer would have listed them too.
 */
export type RereadResult = Result<{ readonly seen: readonly SeenShare[] }>;

/** The shares to check: what the server showed of them would be another writer's. */
export interface ClaimInput {
  /** Its id in the map: the one that showed them. */
  readonly server: ServerId;
  /** Of the shares whose checkstring is neither ours nor what was tested for. */
  readonly shnums: readonly number[];
}
/** All of these shares as they are now, judged by their own keys and signatures. */
export type ClaimResult = Result<{ readonly seen: readonly JudgedShare[] }>;
/** What one share turned out to be. */
export interface JudgedShare extends SeenShare {
  /** If it is good; if not, `checkstring` is just its first bytes, to test for. */
  readonly version: Version | null;
}

/** Segments that are fetched at once. */
export interface Window {
  /** Counts from 0. */
  readonly firstSegment: number;
  /** Never 0. */
  readonly segmentCount: number;
}

/** The blocks of a share for a window. */
export interface ReadBlocksInput extends Place, Window {
  /** To whose signed root each block has to lead. */
  readonly version: Version;
  /** What will be wanted of this share next: it may be asked for, too. */
  readonly ahead: readonly Window[];
}
/** Whether they are here, and good. */
export type ReadBlocksResult = Result<object>;

/** A window whose blocks are here. */
export interface DecodeInput {
  /** Whose k, N and segment size are used. */
  readonly version: Version;
  /** Counts from 0. */
  readonly firstSegment: number;
  /** Never 0. */
  readonly segmentCount: number;
  /** Of the shares whose blocks are held: k to read, any number to verify. */
  readonly shnums: readonly number[];
  /** Which bytes of the contents are wanted: the first and the last segment may have others. */
  readonly range: Span;
}
/** Whether it was decoded, and taken. */
export type DecodeResult = Result<object>;

/** A version to be encoded. */
export interface PrepareInput {
  /** Of the new version. */
  readonly seqnum: number;
  /** The version that the new one is built on; null where nothing is there. */
  readonly base: Hex | null;
  /** Which bytes it is made of. */
  readonly recipe: Recipe;
  /**
   * What will be written first, unless something comes in between: all of it but what makes it a
   * share of the new version may be on its way before that is known.
   */
  readonly requests: readonly PlannedRequest[];
}
/** The version that is encoded and signed. */
export type PrepareResult = Result<{ readonly version: Version }>;

/** An operation begins, or begins again: nothing that was read before is used after. */
export interface OpenInput {
  /** Counts from 0. */
  readonly attempt: number;
}

/** Blocks of a share, and those that will be wanted next. */
export type BlockRun = Omit<ReadBlocksInput, 'version'>;

/** The hash trees that a change in place starts from. */
export interface ReadTreesInput extends InPlace {
  /** What will be read next, if nothing goes wrong: it may be asked for now. */
  readonly next: readonly BlockRun[];
  /** Every place of it is of `version`, and all N shares are there. */
  readonly map: Servermap;
  /** The base of the change. */
  readonly version: Version;
}
/** Whether what is needed of the trees of all N shares is held, each led to the signed root. */
export type ReadTreesResult = Result<object>;

/** The attempt for which the caller's function is asked. */
export interface ApplyModifierInput {
  /** Counts from 0. */
  readonly attempt: number;
  /** Of the version that was read. */
  readonly seqnum: number;
}
/** Whether it wanted a change. */
export type ApplyModifierResult = Result<{ readonly isChanged: boolean }>;

function notProvided(name: string): never {
  throw new Error(`actor ${name} is named by a chart and not provided`);
}

/** An actor that answers once. */
export function unprovided<Output, Input>(name: string): PromiseActorLogic<Output, Input> {
  return fromPromise<Output, Input>(() => notProvided(name));
}

/** The actor that judges shares one by one, each by an event. */
export const unprovidedVerifier: CallbackActorLogic<ShareJudged, VerifyInput> = fromCallback<
  ShareJudged,
  VerifyInput
>(() => notProvided('verifyShares'));
