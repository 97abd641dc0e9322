/**
 * @module immutable: what directories know of immutable files: what the texts of their caps say.
 */
import { MalformedCapError } from '../errors.ts';
import {
  type ChkCap,
  formatImmutableCap,
  type LitCap,
  parseImmutableCap,
  toImmutableVerifyCap,
} from '../immutable/caps.ts';

/** @returns undefined for all but read caps of immutable files */
export function immutableCapOf(text: string): ChkCap | LitCap | undefined {
  try {
    const cap = parseImmutableCap(text);
    // What is tolerated of a person's input is not what an entry has to say.
    return cap.kind === 'chk-verify' || formatImmutableCap(cap) !== text ? undefined : cap;
  } catch (error) {
    if (error instanceof MalformedCapError) return undefined;
    throw error;
  }
}

/** Bytes of contents. */
export function sizeOf(cap: ChkCap | LitCap): number {
  return cap.kind === 'lit' ? cap.contents.length : cap.size;
}

/** The text of its verify cap; a literal has none. */
export function verifyCapOf(cap: ChkCap | LitCap): string | undefined {
  return cap.kind === 'lit' ? undefined : formatImmutableCap(toImmutableVerifyCap(cap));
}
