/**
 * @module any-cap: a cap of a file that can change, or of one that cannot.
 */
import { type Cap, parseCap } from '../caps.ts';
import { MalformedCapError } from '../errors.ts';
import type { Grid } from '../grid.ts';
import { type ImmutableCap, parseImmutableCap } from '../immutable/caps.ts';
import type { ImmutableFile } from '../immutable-file.ts';
import type { MutableFile } from '../mutable-file.ts';
import { aloneIn } from './cap-text.ts';

export type AnyCap = Cap | ImmutableCap;

const IMMUTABLE = /^(?:ro\.|imm\.)?URI:(?:DIR2-)?(?:LIT|CHK)/;

/** @throws MalformedCapError, which does not quote it */
export function anyCapIn(text: string): AnyCap {
  const cap = aloneIn(text);
  return IMMUTABLE.test(cap) ? parseImmutableCap(cap) : parseCap(cap);
}

/** @throws MalformedCapError for what is no cap, or one of a kind that nobody knows */
export function requireAnyCap(text: string, isUnknownTaken: boolean): void {
  try {
    anyCapIn(text);
  } catch (error) {
    const isUnknown = error instanceof MalformedCapError && error.facts.field === 'prefix';
    if (!(isUnknown && isUnknownTaken)) throw error;
  }
}

export function isImmutable(cap: AnyCap): cap is ImmutableCap {
  return cap.kind === 'lit' || cap.kind === 'chk' || cap.kind === 'chk-verify';
}

export function openAny(grid: Grid, cap: AnyCap): MutableFile | ImmutableFile {
  return isImmutable(cap) ? grid.openImmutable(cap) : grid.open(cap);
}
